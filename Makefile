# `make demo` shows an export, `make test` proves it. Nothing needs to be prepared but Python 3.11 (and Node for the tests).

PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: help setup demo run test coverage bench lint format clean

help:  ## list these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.runs  ## make .venv, with what running without Azure needs

.venv/.runs: requirements.txt requirements-local.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-local.txt
	@touch $@

.venv/.tests: .venv/.runs requirements-dev.txt
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

test: .venv/.tests node_modules/.installed  ## all tests, with Azurite as the real storage
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

coverage: .venv/.tests node_modules/.installed  ## the same, and which lines no test runs
	@$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term $(ARGS)

# Without root, the benchmark itself says what to install.
bench: .venv/.tests node_modules/.installed bench/node_modules/.installed  ## how fast it is, beside other tools (Linux)
	@test "$$(id -u)" != 0 || dpkg --status rclone libsecret-1-0 >/dev/null 2>&1 || \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq rclone libsecret-1-0; }
	@$(BIN)/python -m bench $(ARGS)

lint: .venv/.tests  ## ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports

format: .venv/.tests  ## let ruff fix what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:  ## remove what the other targets made
	rm -rf .venv node_modules bench/node_modules landed .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
