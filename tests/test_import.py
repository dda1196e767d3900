import subprocess
import sys

import pytest

import partimento

HEAVY = ("torch", "onnxruntime", "matplotlib", "numpy", "typer", "rich")


def in_a_new_python(code):
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_importing_partimento_imports_nothing_heavy():
    code = "import sys, partimento; print(*sys.modules)"
    assert not set(in_a_new_python(code).split()) & set(HEAVY)


def test_importing_partimento_takes_less_than_0_3_seconds():
    code = (
        "import time; start = time.perf_counter(); import partimento; "
        "print(time.perf_counter() - start)"
    )
    assert min(float(in_a_new_python(code)) for _ in range(3)) < 0.3


def test_writing_notes_needs_neither_torch_nor_onnxruntime():
    code = "import sys; from partimento import seq; seq('c4:q').repeat(2); print(*sys.modules)"
    assert not set(in_a_new_python(code).split()) & {"torch", "onnxruntime", "matplotlib"}


@pytest.mark.parametrize("name", partimento.__all__)
def test_every_public_name_is_there(name):
    assert getattr(partimento, name) is not None
    assert name in dir(partimento)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'compose'"):
        _ = partimento.compose
