# One command each; `make help` lists them. Set PYTHON, CONSTRAINTS or TORCH_INDEX_URL to steer the installation
# (scripts/create-venv.sh). Virtual environments are made on first use and again when a pyproject.toml changes.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
DEMO := .venv-demo
PYPROJECTS := pyproject.toml clients/python/pyproject.toml
SETUP := scripts/create-venv.sh $(PYPROJECTS)
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'

# --- environments ---------------------------------------------------------------------------------------------------
$(VENV)/.ready: $(SETUP)
	@bash scripts/create-venv.sh $(VENV) -e clients/python -e '.[dev]'
	@touch $@

$(DEMO)/.ready: $(SETUP)
	@bash scripts/create-venv.sh $(DEMO) -e clients/python -e '.[server]'
	@touch $@

.PHONY: setup
setup: $(VENV)/.ready ## the development environment in .venv

# --- use it -----------------------------------------------------------------------------------------------------------
.PHONY: demo serve
demo: $(DEMO)/.ready ## a real server answers a clinic day (installs only the server and the client, no torch)
	@$(DEMO)/bin/python scripts/demo.py

serve: export QDISPATCH_SERVER_COMPANY_DEFAULT ?= enabled
serve: export QDISPATCH_SERVER_BUNDLE_DIR ?= models/default
serve: $(DEMO)/.ready ## a server with the shipped model on this machine, until Ctrl-C (settings: docs/operations.md)
	@$(DEMO)/bin/qdispatch-server serve

# --- check it ---------------------------------------------------------------------------------------------------------
.PHONY: test test-long lint format
test: lint ## everything a change must pass: lint, types, contracts, protocol, tests
	@echo "== pytest"
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile -m "not long"

test-long: $(VENV)/.ready ## the tests that take minutes
	@echo "== pytest (long)"
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile -m long

lint: $(VENV)/.ready ## style, types, import contracts, protocol, Dockerfiles
	@echo "== ruff" && ruff check --quiet . && ruff format --check --quiet .
	@echo "== mypy --strict" && mypy --no-error-summary
	@echo "== import contracts" && lint-imports --no-logo > .lint-imports.log || { cat .lint-imports.log; exit 1; }
	@echo "== protocol: lint, breaking, stubs" && bash scripts/proto.sh check
	@echo "== hadolint" && hadolint Dockerfile.server Dockerfile.trainer

format: $(VENV)/.ready ## rewrite the Python files in the house style
	@ruff check --quiet --fix . && ruff format --quiet .

# --- change it --------------------------------------------------------------------------------------------------------
.PHONY: proto proto-release train-default windows study measure quality bench bench-simulator bench-hindsight bench-scaling images-check
proto: $(VENV)/.ready ## regenerate the committed stubs from proto/
	@bash scripts/proto.sh generate

proto-release: $(VENV)/.ready ## accept today's protocol as the baseline of the breaking check (add a CHANGELOG line)
	@bash scripts/proto.sh release

train-default: $(VENV)/.ready ## train and export the shipped model again (under an hour on two cores)
	@bash scripts/train-default.sh

windows: $(VENV)/.ready ## tune the comparators' look-ahead windows on validation days (hours; what stands is kept)
	@qdispatch-trainer tune-windows --model models/default

study: $(VENV)/.ready ## tune the learner in 50 trials and write docs/benchmarks/tuning.md (an hour; continues where it was left)
	@qdispatch-trainer tune --study-name clinic-50 --scenario clinic-day --trials 50 --episodes 200 --eval-episodes 20 \
	  --output docs/benchmarks/tuning.json --page docs/benchmarks/tuning.md

measure: $(VENV)/.ready ## play every policy on the test days (hours; what stands in docs/benchmarks/quality is kept)
	@bash scripts/measure.sh

quality: $(VENV)/.ready ## docs/benchmarks/quality.md, its figure and the README's table, from the measured files
	@qdispatch-trainer quality && python scripts/readme_table.py

bench: $(VENV)/.ready ## measure this machine and write docs/benchmarks/latency.md
	@$(BIN)/python -m benchmarks.run

bench-simulator: $(VENV)/.ready ## measure the simulator and write docs/benchmarks/simulator.md
	@$(BIN)/python -m benchmarks.simulator

bench-scaling: $(VENV)/.ready ## time commands on one core and on all of them, and write docs/benchmarks/scaling.md
	@$(BIN)/python -m benchmarks.scaling

bench-hindsight: $(VENV)/.ready ## compare hindsight's two solvers and write docs/benchmarks/hindsight.md
	@$(BIN)/python -m benchmarks.hindsight

images-check: ## build both images in chroot isolation and ask the server image for a suggestion (needs root)
	@bash scripts/images-check.sh

.PHONY: clean
clean: ## remove environments and caches
	@rm -rf $(VENV) $(DEMO) .venv-proto build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .lint-imports.log
