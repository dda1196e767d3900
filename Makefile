# Two commands: `make demo` makes music, `make test` runs the tests. Each sets up what it needs.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test lint setup clean

demo: $(VENV)/.base
	$(BIN)/python examples/demo.py out/demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: $(VENV)/.dev

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "partimento needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

# PyTorch's CPU build is pinned in constraints-dev.txt: a bare `torch` brings gigabytes of CUDA.
$(VENV)/.dev: pyproject.toml constraints-dev.txt requirements-dev.txt $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints-dev.txt -e '.[train]' -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) .ci-venv out build dist
