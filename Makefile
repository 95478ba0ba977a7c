# Two commands matter: `make serve` and `make test`. Needs Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
TEST_VENV := .venv-test
BIN := $(VENV)/bin
TEST_BIN := $(TEST_VENV)/bin
SOURCES := src api tests benchmarks

.PHONY: install serve test lint types floors check wheel bench train clean

install: $(VENV)/.installed

# Without torch: serving reads the trained weights with NumPy.
$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, $(PYTHON) is older"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

serve: install
	$(BIN)/ragcomm serve

# Tests also train a little and compare with torch, so they have an environment of their own.
$(TEST_VENV)/.installed: pyproject.toml constraints/train.txt
	$(PYTHON) -m venv $(TEST_VENV)
	$(TEST_BIN)/pip install --quiet --disable-pip-version-check -c constraints/train.txt --editable '.[train,postgres,redis,dev]'
	@touch $@

test: install $(TEST_VENV)/.installed lint types floors check wheel

lint: $(TEST_VENV)/.installed
	$(TEST_BIN)/ruff check $(SOURCES)
	$(TEST_BIN)/ruff format --check $(SOURCES)

types: $(TEST_VENV)/.installed
	$(TEST_BIN)/mypy

floors: $(TEST_VENV)/.installed
	$(TEST_BIN)/lint-imports --no-cache

check: install $(TEST_VENV)/.installed
	$(TEST_BIN)/python -m pytest

# The wheel alone, in a clean environment, from a foreign folder.
wheel: $(TEST_VENV)/.installed
	$(TEST_BIN)/python tests/acceptance/wheel.py

bench: install $(TEST_VENV)/.installed
	$(TEST_BIN)/python -m benchmarks

train: $(TEST_VENV)/.installed
	$(TEST_BIN)/ragcomm train all

clean:
	rm -rf $(VENV) $(TEST_VENV) dist build .cache
