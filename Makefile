# Everything a user or a contributor does with this checkout. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell for found in $(wildcard $(HOME)/.pyenv/versions/3.12.*/bin/python3.12 $(HOME)/.pyenv/versions/3.13.*/bin/python3.13) python3.12 python3.13 python3; do \
	if $$found -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then echo $$found; break; fi; done)
BIN := .venv/bin
READY := .venv/.ready
INVENTORY ?= inventories/westeurope.yml

# Nobody's subscription is touched: what runs here never sees a variable that leads to a real Azure.
ISOLATED := env $(shell env | sed -n 's/^\(\(AZURE\|ARM\)_[A-Z0-9_]*\)=.*/-u \1/p') PATH="$(CURDIR)/$(BIN):$$PATH"
LAB := $(ISOLATED) $(BIN)/python -m lab

.PHONY: help setup demo test lint unit lab-tests e2e bench docs clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(READY) ## make .venv and get the lab's binaries (first time: about 5 minutes for .venv, up to 15 for Kubernetes)

$(READY): requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "make: Python 3.12 or newer is missing. Install it, or say where it is: make PYTHON=/path/to/python3.12 setup"; exit 1; }
	@echo "setup: making .venv with $(PYTHON) (about 4 minutes the first time)"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -c 'import ansible_collections; print(list(ansible_collections.__path__)[0])' > .venv/collections
	@mkdir -p "$$(cat .venv/collections)/dualstack"
	ln -sfn "$(CURDIR)" "$$(cat .venv/collections)/dualstack/aks"
	@touch $(READY)

.PHONY: binaries
binaries: $(READY)
	@$(BIN)/python -m lab.kubernetes.binaries

demo: $(READY) ## bring up the lab and build the sample stamp in it (about 2 minutes on a prepared machine)
	@echo "demo: starting the lab"
	@$(LAB) up
	@echo "demo: making what the stamps share"
	@$(LAB) run ansible-playbook -i $(INVENTORY) playbooks/shared.yml
	@echo "demo: building the stamp of $(INVENTORY) (about 1 minute)"
	@$(LAB) run ansible-playbook -i $(INVENTORY) playbooks/site.yml
	@echo "demo: the lab stays up; look around with: eval \"\$$($(BIN)/python -m lab env)\"; end it with: make clean"

lint: $(READY) ## yamllint, ansible-lint, ruff, mypy, changelog (about 1 minute)
	$(BIN)/yamllint --strict .
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --no-error-summary plugins lab scripts tests
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ansible-lint --offline
	$(BIN)/antsibull-changelog lint

unit: $(READY) ## the tests of pure logic (about 1 minute)
	$(ISOLATED) $(BIN)/pytest -q -n 2 tests/unit

lab-tests: $(READY) ## the tests of the lab's Azure (about 15 seconds)
	$(ISOLATED) $(BIN)/pytest -q -n 2 tests/lab

e2e: $(READY) binaries ## the roles and playbooks against labs of their own (about 10 minutes)
	$(ISOLATED) $(BIN)/pytest -q tests/e2e

test: setup lint binaries unit lab-tests e2e ## everything; what CI runs
	@echo "test: passed"

bench: $(READY) binaries ## time create, no-op and check of one stamp (about 3 minutes)
	$(ISOLATED) $(BIN)/python tests/bench/stamp.py

clean: ## end the lab and remove what it made; .venv and the binaries stay
	@if [ -x $(BIN)/python ] && [ -d .cache/lab ]; then $(LAB) down; fi
	rm -rf .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible
