# Everything that people and CI run. `make` alone lists it.
#
# Asks for a Python of at least 3.11, Java of at least 17 and make (3.81 will do, so a Mac's own does); the rest
# is installed into .venv, in the versions that requirements/*.txt pins. It is installed once, and again only
# when those files or pyproject.toml change: the stamps .venv/.runtime, .dev and .bench remember when.

VENV ?= .venv
DIST ?= dist
PY   := $(VENV)/bin/python
BIN  := $(VENV)/bin

# The first that runs and is new enough. Running it is the test: pyenv puts a python3.13 on the PATH whether or
# not there is one behind it.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PYTHON := $(PYTHON)

PACKAGES := $(wildcard signals engine server jobs)

.DEFAULT_GOAL := help
.PHONY: help demo setup test check fix bench docs zip lock clean venv python java

help: ## this list
	@echo "usage: make <target>"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------------------------- to use it

demo: java $(VENV)/.runtime ## watch a real model on a year of New York flights
	$(BIN)/driftline validate conf/
	$(BIN)/driftline run conf/monitors/flights.yaml --at 2013-07-02T03:15Z
	@echo
	@echo "That was one day. Next:"
	@echo "  . $(BIN)/activate"
	@echo "  driftline backfill conf/monitors/flights.yaml --from 2013-06-01 --to 2013-08-01   the whole summer"
	@echo "  driftline results --breached                                                      what it found"
	@echo "  README.md, 'Your own data'"

zip: python ## dist/driftline.zip, for spark-submit --py-files
	@rm -rf $(DIST)/driftline.zip $(DIST)/staged && mkdir -p $(DIST)/staged
	@tar -cf - --exclude __pycache__ $(PACKAGES) | tar -xf - -C $(DIST)/staged
	@cd $(DIST)/staged && $(PYTHON) -m zipfile -c ../driftline.zip $(PACKAGES)
	@rm -rf $(DIST)/staged && echo $(DIST)/driftline.zip

# ------------------------------------------------------------------------------------------------ to work on it

setup: java $(VENV)/.dev ## the environment that tests and checks use

test: java $(VENV)/.dev ## the tests; make test ARGS='-m "not spark"' answers in seconds
	$(PY) -m pytest $(ARGS)

check: $(VENV)/.dev ## style, types, and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(PY)
	$(BIN)/lint-imports

fix: $(VENV)/.dev ## what ruff can mend by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: java $(VENV)/.bench ## the measurements in README.md, beside DuckDB and Evidently
	DO_NOT_TRACK=1 $(PY) benchmarks/run.py $(ARGS)

docs: $(VENV)/.runtime ## docs/ that are made from the code: the YAML reference, the metrics
	$(PY) docs/generate.py

# `--universal` resolves for every platform and Python at once. The files agree where they overlap, so they share
# one environment. Pins that still fit stay; to move them: make lock ARGS=--upgrade
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
    --custom-compile-command "make lock" $(ARGS) pyproject.toml

lock: $(PY) ## pin requirements/*.txt again, after a change in pyproject.toml
	$(PY) -m pip install --quiet uv
	$(COMPILE) -o requirements/runtime.txt
	$(COMPILE) -o requirements/dev.txt --extra dev --extra server -c requirements/runtime.txt
	$(COMPILE) -o requirements/bench.txt --extra bench -c requirements/dev.txt

clean: ## remove what this file makes
	rm -rf $(VENV) $(DIST) build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------------- what it stands on

$(VENV)/.%: requirements/%.txt pyproject.toml | $(PY)
	$(PY) -m pip install -r $<
	$(PY) -m pip install --quiet --no-deps -e .
	@touch $@

$(PY): | venv
	$(PYTHON) -m venv $(VENV)

venv: python
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$$NO_VENV" >&2; exit 1; }

python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "$$NO_PYTHON" >&2; exit 1; }

# What Spark will run: JAVA_HOME's if there is one, else the PATH's.
java:
	@version=$$("$${JAVA_HOME:+$$JAVA_HOME/bin/}java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p'); \
	test "$${version:-0}" -ge 17 || \
	    { echo "Java found: $${version:-none} (JAVA_HOME: $${JAVA_HOME:-not set})"; echo "$$NO_JAVA"; exit 1; } >&2

define NO_PYTHON
driftline needs Python 3.11 or later, and found none that runs.
  Debian, Ubuntu   apt-get install python3 python3-venv
  macOS            brew install python@3.13
  conda            conda create -n python313 python=3.13 && conda activate python313
Or name one: make PYTHON=/path/to/python3.13 ...
endef

define NO_VENV
$(PYTHON) has no venv module.
  Debian, Ubuntu   apt-get install python3-venv   (python3.13-venv for a python3.13)
Or name another Python: make PYTHON=/path/to/python3.13 ...
endef

define NO_JAVA
Spark 4 needs Java 17 or later.
  Debian, Ubuntu   apt-get install openjdk-17-jre-headless
  macOS            brew install openjdk@17
                   export JAVA_HOME="$$(brew --prefix openjdk@17)/libexec/openjdk.jdk/Contents/Home"
  conda            conda install -c conda-forge openjdk=17
  SDKMAN           sdk install java 17-open
An older one on the PATH can stay: set JAVA_HOME to the newer one.
endef
export NO_PYTHON NO_VENV NO_JAVA
