# make demo   the whole job on the bundled synthetic example
# make test   linters, types, import contracts, and the test suite against the installed wheel
# make matrix the suite on every Python of 3.11, 3.12, 3.13 that is here, each in an environment of its own
# make coverage which lines and branches of src the tests run
# make docs   the docs site, in build/docs; needs no network, and fails on a broken link
#
# Needs make and a Python of 3.11 or later with venv; everything else is installed into .venv from the pinned locks.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
WHEEL_VENV := .venv-wheel
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
OUT ?= out/demo
PYTEST_ARGS ?=
PYTHONS ?= 3.11 3.12 3.13
SOURCES := $(shell find src configs data/demo -type f ! -name '*.pyc' ! -name '*.nb[ci]')

.PHONY: help demo test lint tests matrix coverage docs format clean

help:
	@sed -n '/^# make /s/^# //p' Makefile

demo: $(VENV)/.core
	$(BIN)/rooftop demo -o $(OUT)
	@echo
	@echo "The program: $(CURDIR)/$(BIN)/rooftop --help"
	@echo "  or, once in each terminal: . $(CURDIR)/$(BIN)/activate   and from then on: rooftop --help"
	@echo "程序路径：$(CURDIR)/$(BIN)/rooftop --help"
	@echo "  或在每个终端先执行一次：. $(CURDIR)/$(BIN)/activate   之后即可直接使用：rooftop --help"

test: lint tests

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python docs/rooms.py --check

tests: $(WHEEL_VENV)/.ready
	@$(WHEEL_VENV)/bin/python -c "import platform, sys; print('testing with Python', platform.python_version(), 'of', sys.base_prefix)"
	env -u MAKEFLAGS -u MAKELEVEL ROOFTOP_TESTS_WANT_WHEEL=1 $(WHEEL_VENV)/bin/python -m pytest -m "not slow" -n auto --dist loadfile $(PYTEST_ARGS)

# Goes on after a failure; the last lines say what passed, failed and was not found.
matrix:
	@result=2; said=""; \
	for wanted in $(PYTHONS); do \
	  python=`.ci/find-python "$$wanted"` || { said="$$said$$wanted not found\n"; continue; }; \
	  if $(MAKE) tests PYTHON="$$python" VENV=".venv-$$wanted" WHEEL_VENV=".venv-wheel-$$wanted"; \
	  then said="$$said$$wanted passed ($$python)\n"; [ $$result = 1 ] || result=0; \
	  else said="$$said$$wanted FAILED ($$python)\n"; result=1; fi; \
	done; \
	printf '%b' "$$said"; exit $$result

coverage: $(VENV)/.dev
	env -u MAKEFLAGS -u MAKELEVEL $(BIN)/python -m pytest -m "not slow" -n auto --dist loadfile --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

docs: $(VENV)/.dev
	$(BIN)/python -m sphinx -c docs -d build/doctrees -E -W --keep-going -q . build/docs
	@echo "$(CURDIR)/build/docs/index.html"

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/rooms.py

clean:
	rm -rf .venv .venv-* build dist out

# The first Python that works; 3.11 to 3.13 are tested and go before later ones. PYTHON=... overrides.
$(BIN)/python:
	@python="$(PYTHON)"; bare=""; \
	for last in 14 99; do \
	  for name in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	    [ -z "$$python" ] || break 2; \
	    "$$name" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, $$last))" >/dev/null 2>&1 || continue; \
	    if "$$name" -c 'import venv, ensurepip' >/dev/null 2>&1; then python="$$name"; else bare="$$name"; fi; \
	  done; \
	done; \
	if [ -z "$$python" ] && [ -n "$$bare" ]; then \
	  echo "$$bare lacks venv or ensurepip: on Debian and Ubuntu, apt-get install python3-venv" >&2; \
	  echo "$$bare 缺少 venv 或 ensurepip：Debian、Ubuntu 请执行 apt-get install python3-venv" >&2; \
	  exit 2; \
	fi; \
	if [ -z "$$python" ]; then \
	  echo "rooftop needs Python 3.11 or later; none found on PATH (python3 is: `python3 --version 2>&1`)." >&2; \
	  echo "Install one (https://www.python.org, or apt-get install python3 python3-venv), or say: make PYTHON=/path/to/python" >&2; \
	  echo "rooftop 需要 Python 3.11 或更高版本，未在 PATH 中找到。" >&2; \
	  exit 2; \
	fi; \
	echo "making $(VENV) with `"$$python" --version` (about 1 GB to come)"; \
	"$$python" -m venv --clear $(VENV)

$(VENV)/.core: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet -r requirements.lock
	$(PIP) install --quiet -c requirements-dev.lock hatchling
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet -r requirements-dev.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.core

# What users get: the wheel, in an environment of its own that borrows only the dependencies of .venv. The editable
# install does not come along, because .pth files of a borrowed folder are not read.
$(WHEEL_VENV)/.ready: $(VENV)/.dev $(SOURCES)
	rm -rf dist $(WHEEL_VENV)
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .
	$(BIN)/python -m venv --without-pip $(WHEEL_VENV)
	$(BIN)/python -m pip --disable-pip-version-check --python $(WHEEL_VENV)/bin/python install --quiet --no-deps dist/rooftop-*.whl
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
	  > "`$(WHEEL_VENV)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))"`/borrowed.pth"
	@touch $@
