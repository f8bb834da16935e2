# Everything that a person or a machine does with this repository. Needs make, sh and a Python
# 3.11 or later (PYTHON=/path/to/python chooses one); the rest is installed from requirements/,
# into .venv and its siblings, with every artifact checked against its hash.

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types imports house cover format test-all test-3.11 test-3.12 test-3.13 test-ib-async \
        test-clients bench soak torture mutants docs screenshots lock clean env

# What to test (make test T=tests/core; the rules of the house are in make check), how widely, which benchmark (make bench B=bus).
T ?= tests
B ?=
# How many days to soak, and from which seed on (make soak N=10000 FROM=5000 JOBS=2).
N ?= 1000
FROM ?= 0
M ?=
PYTHON ?=
export PYTHON

ENV    := sh requirements/env.sh
BIN    := .venv/bin
# Much of a scenario is waiting, so there are more workers than cores; what pytest makes of a test
# file is kept, whatever the environment says of byte code: that is half of a start.
JOBS   ?= $(shell expr 5 \* $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) / 2)
# What tests write is thrown away, so it goes into memory where there is a gigabyte of it: a journal
# syncs with every record, and a disk takes a third of some tests' time for that.
MEMORY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 1000000 { print "TMPDIR=/dev/shm" }')
KEPT   := PYTHONDONTWRITEBYTECODE= $(MEMORY)
PYTEST := python -m pytest --quiet -n $(JOBS) --dist worksteal
SUITE  = $(if $(filter tests,$(T)),tests --ignore=tests/house,$(T))
PURE   := ibkr_trader/core/*,ibkr_trader/orders/*,ibkr_trader/portfolio/*,ibkr_trader/risk/*,ibkr_trader/rules/*,ibkr_trader/sim/matching*
PURE_TESTS = $(wildcard tests/core tests/orders tests/portfolio tests/risk tests/rules tests/sim/matching tests/sim/test_matching*.py)
# What reaches the client library; the tests take it from the fixture `client_library`.
IB_TESTS = tests/adapters/ibkr $(wildcard tests/contract)

help: ## show this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9.-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: ## place a bracket order on the bundled gateway simulator, and show what becomes of it
	@$(ENV) .venv runtime
	@$(BIN)/ibkr-trader demo

env: ## make .venv for development, and nothing else
	@$(ENV) .venv dev

test: env ## run the tests (T=tests/core for a part, JOBS=1 in one process)
	@command -v redis-server >/dev/null || echo "redis-server is not here, so its tests are skipped: apt-get install redis-server"
	$(KEPT) $(BIN)/$(PYTEST) -m "not clients" $(SUITE)

check: lint types imports house cover ## everything that is judged without the whole test suite

lint: env ## style and likely mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: env ## mypy, strict
	$(BIN)/mypy

imports: env ## which way imports point
	$(BIN)/lint-imports

house: env ## the house rules (tests/house)
	$(BIN)/python -m pytest --quiet tests/house

cover: env ## every branch of the pure packages is tested by their own tests
	$(KEPT) $(BIN)/$(PYTEST) --cov=ibkr_trader --cov-branch --cov-report= $(PURE_TESTS)
	$(BIN)/coverage report --include="$(PURE)" --fail-under=100

format: env ## put the code into its form, and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test-all: test-3.11 test-3.12 test-3.13 ## run the tests on every supported Python

test-3.11 test-3.12 test-3.13: test-%:
	@$(ENV) .venv-$* dev $*
	$(KEPT) .venv-$*/bin/$(PYTEST) -m "not clients" $(SUITE)

test-ib-async: ## run the broker's contract through ib_async, in an environment of its own
	@$(ENV) .venv-ib_async ib_async
	IBKR_CLIENT_LIBRARY=ib_async .venv-ib_async/bin/$(PYTEST) -m "not ib_insync and not clients" $(IB_TESTS)

test-clients: env ## drive the gateway simulator with foreign clients, and feed it real prices
	@$(ENV) .venv-client_ibapi_9 client_ibapi_9
	@$(ENV) .venv-client_ibapi_10 client_ibapi_10
	@$(ENV) .venv-client_tools client_tools
	@$(ENV) .venv-data_prices data_prices
	$(BIN)/$(PYTEST) -m clients tests

bench: env ## measure beside peers and physical limits (B=NAME for one area)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks $(B)

soak: env ## days at random with every fault, by seed: the whole desk and gateway on virtual time (N=10000 FROM=0 JOBS=2)
	$(BIN)/python -m tests.invariants.soak $(N) $(FROM) $(if $(filter auto,$(JOBS)),0,$(JOBS))

mutants: ## plant bugs in the guard and count those that its tests catch (M='*position_size*' for some)
	@$(ENV) .venv-mutants mutants
	.venv-mutants/bin/python -m tests.mutation $(M)

torture: env ## kill real traders by the hundred, and judge what is left (N=1000, SEED=1)
	$(BIN)/python -m tests.torture $(or $(N),1000) $(or $(SEED),1)

docs: env ## write the pages' diagrams, tables and transcripts again
	$(BIN)/python -m docs.make_diagrams
	$(BIN)/python -m docs.make_schemas
	$(BIN)/python -m docs.run_transcripts

lock: ## write requirements/*.txt again (UPGRADE=1 moves to the newest releases)
	@$(ENV) .venv-lock lock
	.venv-lock/bin/python requirements/lock.py $(if $(UPGRADE),--upgrade)

screenshots: env ## draw the pages' pictures again, from the dashboard on a seeded simulator
	$(BIN)/python -m docs.make_screenshots

clean: ## remove environments, caches and what the tools left
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
	    .coverage .coverage.* htmlcov build dist benchmarks-out mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
