# The one door to the repository. `make` lists the targets. On a fresh machine `make demo` and `make test` do all
# set-up by themselves; they need Python 3.11 or newer and, for the Rust kernel, a Rust compiler.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
# Tests run on this many processes, two for each core: half of what a test does is wait for processes of its own.
WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
# What goes wrong on purpose in `make demo PLANT=…`; empty for an honest run.
PLANT ?=
# Seconds per target of `make fuzz`.
FUZZ_SECONDS ?= 60
# Kills of `make test-faults`.
KILLS ?= 10
PYTHON_SOURCES := $(wildcard cambist gateway matching wallets control runtime venue benchmarks tools tests deploy)
# Suites with targets of their own.
APART := not faults and not chains and not cluster and not plants and not foreign
# Of `make test-cluster`, as pytest's -k; empty for all.
CLUSTER_TESTS ?=
# Commands that `make test-differential` gives to both engines.
COMMANDS ?= 1000000

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Build
.PHONY: setup kernel protos pins migrate clean
setup: ## Make .venv from the pinned requirements (quick when nothing changed)
	@tools/setup.sh

kernel: setup ## Build the Rust kernel into .venv (without a compiler: use the reference engine)
	@tools/kernel.sh

protos: setup ## Generate the Python of the contract from protos/
	@$(PY) -m tools.protos

pins: ## Compile pyproject.toml into requirements/ (needs uv)
	@python3 -m tools.pins

migrate: setup ## Bring the database named by the environment up to date
	@$(PY) -m matching migrate
	@$(PY) -m gateway migrate

clean: ## Remove what was built (not .venv)
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache kernel/target
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

##@ Check
.PHONY: check static format format-check lint lint-chart types contracts protos-check kernel-check test-unit
check: static test-unit ## All that must be green before a commit

static: format-check lint types contracts protos-check kernel-check ## The part of check that runs no Python tests

format: setup ## Format Python and Rust
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix-only --quiet .
	@if [ -f kernel/Cargo.toml ] && command -v cargo >/dev/null; then cargo fmt --manifest-path kernel/Cargo.toml --all; fi

format-check: setup
	@$(VENV)/bin/ruff format --check .

lint: setup ## Lint Python
	@$(VENV)/bin/ruff check .

lint-chart: setup ## Lint the chart: helm lint and unit tests, schemas, kube-score, checkov, helm 4 (needs helm, and Go)
	@tools/lint_chart.sh

types: setup ## Check types, strictly
	@$(VENV)/bin/mypy $(PYTHON_SOURCES)

contracts: setup ## Check which package may import which
	@$(VENV)/bin/lint-imports

protos-check: setup ## Check generated code, lint of the contract, and compatibility with main
	@$(PY) -m tools.protos --check

kernel-check: setup
	@tools/kernel.sh check

test-unit: kernel
	@$(PY) -m pytest -n $(WORKERS) -m "not slow and $(APART)" -q

##@ Test
.PHONY: test test-differential test-plants test-faults test-foreign test-chains test-cluster fuzz
test: kernel ## Unit, property, differential and real-Postgres tests
	@tools/kernel.sh test
	@$(PY) -m pytest -n $(WORKERS) -m "$(APART)"

test-differential: kernel ## Kernel against reference engine on many random commands (COMMANDS=1000000)
	@CAMBIST_TEST_COMMANDS=$(COMMANDS) $(PY) -m pytest -n $(WORKERS) -m "not plants" --timeout=1800 tests/differential

test-plants: kernel ## Kernels with planted bugs: each must be found
	@$(PY) -m pytest -n 0 -m plants --timeout=1800

test-faults: kernel ## Kill, freeze and cut things under load, and die at every point of custody (KILLS=10)
	@CAMBIST_TEST_KILLS=$(KILLS) $(PY) -m pytest -n 2 --dist loadfile -m "faults and not cluster" --timeout=1800

test-foreign: kernel ## Order sessions by grpcurl and ghz, telemetry to a collector (needs Go)
	@tools/foreign_clients.sh
	@$(PY) -m pytest -m foreign --timeout=600

test-chains: kernel ## Wallets against local development chains
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m chains --timeout=600

test-cluster: kernel ## Charts and operator against a local cluster
	@$(PY) -m pytest -m cluster -k "$(CLUSTER_TESTS)" --timeout=1800

fuzz: kernel ## Fuzz codec and RPCs (FUZZ_SECONDS=60 each)
	@CAMBIST_FUZZ_SECONDS=$(FUZZ_SECONDS) $(PY) -m tests.abuse.fuzz

##@ Measure
.PHONY: bench bench-kernel bench-kernel-instructions bench-scale bench-venue bench-wallets
bench: bench-kernel bench-scale bench-venue bench-wallets ## All benchmarks

bench-kernel: kernel ## Book, typed and bytes rates of the kernel (build/bench/kernel.json)
	@$(PY) -m benchmarks.kernel $(ARGS)

bench-kernel-instructions: setup ## Instructions of the kernel per message (build/bench/instructions.json, needs valgrind)
	@$(PY) -m benchmarks.instructions $(ARGS)

bench-scale: kernel ## Cost of a command and weight of an order as books grow (build/bench/scale.json)
	@$(PY) -m benchmarks.scale $(ARGS)

bench-venue: kernel ## Durable orders per second and latency (build/bench/venue.json)
	@$(PY) -m benchmarks.venue $(ARGS)

bench-wallets: kernel ## Custody: coin selection, derivation, blocks, payouts (build/bench/wallets.json)
	@$(PY) -m benchmarks.wallets $(ARGS)

##@ Run
.PHONY: demo run
demo: kernel ## A whole venue on this machine with crashes, checked at the end (PLANT=lost_event must fail)
	@$(PY) -m venue.demo $(if $(PLANT),--plant $(PLANT)) $(ARGS)

run: kernel ## Keep a venue up and print how to talk to it
	@$(PY) -m venue.run $(ARGS)
