# `make demo` and `make test` need nothing but Python 3.11+ and make: everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Tests start some hundred processes. Without its bytecode each of them would compile the program anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo run test test-long crash fuzz kernels check format lock bench bench-small docs clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python 3.11 or newer is needed, $(PYTHON) is {v.major}.{v.minor}. Name another: make PYTHON=python3.12 ...")'
	@echo "setting up .venv (once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $(STAMP)

demo: $(STAMP) ## a pump is paid per cubic metre through a fresh Tangle, on real readings
	@$(BIN)/tangle demo $(DEMO_ARGS)

run: $(STAMP) ## start the service (TANGLE_HOST, TANGLE_PORT, TANGLE_DATA are honoured)
	@$(BIN)/tangle up

# Kernels and tests are compiled once, before the workers start: four who compile the same take four times as long.
# More workers than cores: now and then tests wait for milestones. Files that take long begin first (tests/conftest.py).
SUITE := $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

test: $(STAMP) kernels ## the whole suite; of what is tried at random a quarter
	@$(SUITE)

test-long: export TESTS_LONG := 1
test-long: $(STAMP) kernels ## the suite with the longer runs, and all of what is tried at random
	@$(SUITE) -m "slow or not slow"

crash: $(STAMP) kernels ## 200 rounds of kills and faults against nodes at work (CRASH_ARGS: --rounds, --seed, --only)
	@$(BIN)/python -m tests.crash $(CRASH_ARGS)

fuzz: $(STAMP) kernels ## an hour of inputs that nobody would send; what was answered in a new way is kept (FUZZ_ARGS)
	@$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

kernels: $(STAMP) ## compile what is compiled once per machine; a minute, nothing later
	@$(BIN)/python -c "from tangle.protocol.pow.search import compile_kernels; compile_kernels()" & \
	{ [ -d tests/__pycache__ ] || $(BIN)/python -m pytest --collect-only -qq > /dev/null; } & \
	$(BIN)/python -m tangle.sim.compile; wait

check: $(STAMP) ## format, lint, types, import rule, dead code
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/vulture

format: $(STAMP) ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP) ## the benchmark tables, small and large; keeps docs/benchmarks.md
	@$(BIN)/python -m tests.bench --write docs/benchmarks.md

bench-small: $(STAMP) ## the small table only
	@$(BIN)/python -m tests.bench --small

lock: $(STAMP) ## pin all dependencies with hashes
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --extra dev --python-version 3.11 pyproject.toml -o requirements.lock

clean: ## remove what the targets made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
