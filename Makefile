# Two commands do everything on a fresh machine:
#   make run    environment, install, the whole job on the embedded sample -> runs/sample
#   make test   environment, install, lint, types, tests

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
.DEFAULT_GOAL := help

# Real data for development, where it is there; the tests that need it say so when it is not.
ifneq ($(wildcard ../shared/data),)
export DIGITS_DATA ?= $(abspath ../shared/data)
endif

.PHONY: help run test lint browser benchmark clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

run: $(VENV)/installed ## the whole job on the embedded sample -> runs/sample
	$(BIN)/digits run sample --output runs/sample --overwrite

lint: $(VENV)/installed ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

browser: # Chromium for the tests of the page: where it is missing, and a package manager may be asked, it is installed
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	       && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || echo "note: no Chromium, and none can be installed here: the browser tests will be skipped" >&2

test: lint browser ## lint, types and every test
	$(BIN)/python -m pytest

benchmark: $(VENV)/installed ## training, reading and batch against the notebook in Keras (long; installs TensorFlow beside)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --requirement benchmarks/requirements.txt
	bash benchmarks/all.sh $(BIN)/python

clean: ## remove the environment and every run
	rm -rf $(VENV) runs build dist
