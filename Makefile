# `make demo` shows an export, `make test` proves it. Nothing needs to be prepared but Python (and Node for the tests).

# Prints the version of a Python that is new enough, and fails for an older one.
VERSION_OF := -c 'import sys, platform; sys.version_info < (3, 11) and sys.exit(1); print(platform.python_version())'

# PYTHON=… takes the name or path of another one.
ifndef PYTHON
PYTHON := $(shell for python in python3.11 python3.12 python3.13; do \
	$$python $(VERSION_OF) >/dev/null 2>&1 && echo $$python && break; done)
endif
VERSION := $(if $(PYTHON),$(shell $(PYTHON) $(VERSION_OF) 2>/dev/null))
NO_PYTHON = Python 3.11, 3.12 or 3.13 is needed, and $(if $(PYTHON),$(PYTHON) is not one,none was found): \
	install one, or name one, as in make setup PYTHON=/usr/local/bin/python3.12

VENV ?= .venv
BIN := $(VENV)/bin

# Tests wait more than they compute.
TESTS_AT_ONCE ?= 4

EXTENSION := tests/extension/published
EXTENSION_BUILD ?= ../shared/durable-extension

FOCUS_PYTHON ?= python3.12
FOCUS_VENV := .venv-focus

.PHONY: help setup demo run test quick extension test-extension focus-check coverage bench lint format clean

help:  ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.runs  ## make .venv, with what running without Azure needs

# Another Python gets a new environment.
$(VENV)/.python-$(VERSION):
	$(if $(VERSION),,$(error $(NO_PYTHON)))
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.runs: $(VENV)/.python-$(VERSION) requirements.txt requirements-local.txt
	@echo "installing into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-local.txt
	@touch $@

$(VENV)/.tests: $(VENV)/.runs requirements-dev.txt
	@echo "installing what tests and linting need …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json
	@echo "installing Azurite into node_modules …"
	@npm ci --no-audit --no-fund --silent
	@touch $@

bench/node_modules/.installed: bench/package.json bench/package-lock.json
	@echo "installing AzCopy into bench/node_modules …"
	@npm ci --prefix bench --no-audit --no-fund --silent
	@chmod +x bench/node_modules/@azure-tools/azcopy-linux/dist/bin/*
	@touch $@

demo: setup  ## export an invoice from the emulator into landed/, and show what landed
	@$(BIN)/python -m local demo

run: setup  ## leave emulator and host up, for curl
	@$(BIN)/python -m local run

test: $(VENV)/.tests node_modules/.installed  ## all tests, with Azurite as the real storage
	@$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist worksteal $(ARGS)

quick: $(VENV)/.tests  ## the tests that need neither Node nor a host of their own, without faults and simulation
	@$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist worksteal -m "not azurite" --ignore tests/e2e --ignore tests/engines --ignore tests/faults --ignore tests/bench --ignore tests/simulation $(ARGS)

extension: $(EXTENSION)/DurableBackend  ## get Microsoft's Durable extension as a program (Linux)

$(EXTENSION)/DurableBackend: tests/extension/Program.cs tests/extension/DurableBackend.csproj
	@rm -rf $(EXTENSION)
	@if dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then \
		dotnet publish tests/extension --configuration Release --use-current-runtime --self-contained \
			-p:InvariantGlobalization=true --output $(EXTENSION); \
	elif test -e $(EXTENSION_BUILD)/linux-x64.tar.xz.0; then \
		mkdir -p $(EXTENSION) && cat $(EXTENSION_BUILD)/linux-x64.tar.xz.* | tar -xJ -C $(EXTENSION) --strip-components=1; \
	else \
		echo "Microsoft's Durable extension needs a .NET 10 SDK, or a build of it in $(EXTENSION_BUILD)/."; exit 1; \
	fi
	@touch $@

test-extension: $(VENV)/.tests node_modules/.installed extension  ## the durable API, exports and months on both engines
	@DURABLE_EXTENSION=$(EXTENSION)/DurableBackend $(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist worksteal --timeout 180 tests/engines $(ARGS)

focus-check:  ## the FOCUS table before the FinOps Foundation's validator (Python 3.12)
	@if $(FOCUS_PYTHON) -c 'import ensurepip' >/dev/null 2>&1; then \
		$(MAKE) --no-print-directory $(VENV)/.tests $(FOCUS_VENV)/.installed && \
		FOCUS_VALIDATOR=$(FOCUS_VENV)/bin/focus-validator $(BIN)/python -m pytest tests/tables/test_validator.py $(ARGS); \
	else \
		echo "The FOCUS table was not validated: that needs Python 3.12, and $(FOCUS_PYTHON) is none."; test -z "$$CI"; \
	fi

$(FOCUS_VENV)/.installed: tests/tables/requirements-validator.txt
	@echo "installing the validator into $(FOCUS_VENV) …"
	@$(FOCUS_PYTHON) -m venv --clear $(FOCUS_VENV)
	@$(FOCUS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

coverage: $(VENV)/.tests node_modules/.installed  ## all tests, and which lines none of them runs
	@$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist worksteal --cov --cov-report=term $(ARGS)

# Without root, the benchmark itself says what to install.
bench: $(VENV)/.tests node_modules/.installed bench/node_modules/.installed  ## how fast it is, beside other tools (Linux)
	@test "$$(id -u)" != 0 || dpkg --status rclone libsecret-1-0 >/dev/null 2>&1 || \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq rclone libsecret-1-0; }
	@$(BIN)/python -m bench $(ARGS)

lint: $(VENV)/.tests  ## ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports

format: $(VENV)/.tests  ## let ruff fix what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:  ## remove what the other targets made
	rm -rf .venv* node_modules bench/node_modules tests/extension/published landed .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
