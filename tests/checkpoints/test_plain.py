import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.checkpoints.plain import kind_of, parse_json, shown
from partimento.errors import CheckpointError

texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inside: (
        st.lists(inside) | st.dictionaries(st.text(st.characters(codec="utf-8")), inside)
    ),
    max_leaves=20,
)


def refusal(content):
    start = time.process_time()
    with pytest.raises(CheckpointError) as caught:
        parse_json(content, "config.json", 32)
    assert time.process_time() - start < 3
    message = str(caught.value)
    assert message.startswith("config.json")
    assert message.isprintable()
    assert len(message) < 300
    return message


@given(values)
def test_json_comes_back_equal(value):
    assert parse_json(json.dumps(value).encode(), "x", 100) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode(), "x", 100) == value


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_one_error(content):
    try:
        parse_json(content, "x", 32)
    except CheckpointError as error:
        assert str(error).isprintable()


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"{} {}", "at line 1, column 4"),
        (b"\xef\xbb\xbf{}", "is no JSON"),
        (b"\xff", "is no UTF-8 text (byte 0)"),
        (b"NaN", "holds NaN"),
        (b"[-Infinity]", "holds -Infinity"),
        (b"1e999", "a number too large: 1e999"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' twice"),
        (b"1" * 20, "an integer of 20 digits"),
        (b"-" + b"1" * 900_000, "an integer of 900001 digits"),
        (b'"\\ud800"', "half of a character"),
        (b'{"\\udc00": 1}', "half of a character"),
        (b"[" * 34 + b"]" * 34, "deeper than 32"),
        (b"[" * 500_000, "deeper than 32"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "deeper than 32"),
        (b'{"\\n\x1b": 1', "config.json"),
    ],
)
def test_what_would_surprise_later_is_refused(content, words):
    assert words in refusal(content)


def test_many_keys_with_one_twice_are_refused_in_short_time():
    keys = [f'"{number}":0' for number in range(100_000)]
    assert "twice" in refusal(("{" + ",".join([*keys, '"99999":0']) + "}").encode())


def test_as_deep_as_allowed_is_allowed():
    assert parse_json(b"[" * 32 + b"]" * 32, "x", 32)


@given(st.text(max_size=200))
def test_what_is_shown_is_printable_and_not_long(text):
    assert shown(text).isprintable()
    assert len(shown(text)) <= 80 * len("\\U0001f600")


def test_what_is_printable_is_shown_as_it_is():
    assert shown("Für Elise") == "Für Elise"
    assert shown("a\n\x1b[2J\u202e") == "a\\n\\x1b[2J\\u202e"
    assert shown("x" * 100) == "x" * 79 + "…"


def test_types_are_called_what_json_calls_them():
    called = {"null": None, "a boolean": True, "a number": 1.5, "a list": [], "an object": {}}
    assert all(kind_of(value) == words for words, value in called.items())
