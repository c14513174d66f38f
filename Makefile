# Everything that a user or a contributor does with this checkout. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Without cached bytecode, each of hundreds of Python processes compiles the same modules again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell for found in $(wildcard $(HOME)/.pyenv/versions/3.12.*/bin/python3.12 $(HOME)/.pyenv/versions/3.13.*/bin/python3.13) python3.12 python3.13 python3; do \
	if $$found -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then echo $$found; break; fi; done)
BIN := .venv/bin
READY := .venv/.ready
# The collection by its full name, where mypy looks for it: it reads no types from site-packages
TYPED := .venv/typed/ansible_collections/dualstack/aks
# Other clients of Azure, each in a virtualenv of its own
READERS := .venv-az/.ready .venv-azcollection/.ready
INVENTORY ?= examples/demo

# Protects real subscriptions: commands run without any variable that leads to a real Azure.
ISOLATED := env $(shell env | sed -n 's/^\(\(AZURE\|ARM\)_[A-Z0-9_]*\)=.*/-u \1/p') PATH="$(CURDIR)/$(BIN):$$PATH"
LAB := $(ISOLATED) $(BIN)/python -m lab
DEMO := $(ISOLATED) $(BIN)/python -m lab.demo
# Three at a time, since tests wait as well as work: for Azure's operations, for drains, for renewals
END_TO_END := $(ISOLATED) $(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder --durations=20 --durations-min=30
PLAY := ansible-playbook -i $(INVENTORY)
# Each long step begins with the time, so that its duration can be read off a log
CLOCK := printf '%(%H:%M:%S)T %s\n' -1

.PHONY: help setup demo test lint unit lab-tests molecule e2e packets pages readers sweep bench docs clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(READY) $(TYPED) binaries ## create .venv and get the lab's programs (first time: about 2 minutes for .venv, 9 for the programs)

# rich comes first: it draws how far the rest is.
$(READY): requirements.txt requirements-dev.txt requirements.yml
	@test -n "$(PYTHON)" || { echo "make: Python 3.12 or newer is missing. Install it, or set its path: make PYTHON=/path/to/python3.12 setup"; exit 1; }
	@echo "setup: creating .venv with $(PYTHON) (about 2 minutes the first time)"
	@# Downloads the Go modules in the background. If this fails, the build downloads them and reports the error.
	@go -C lab/supplies mod download >/dev/null 2>&1 </dev/null &
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^rich' requirements-dev.txt)"
	@$(BIN)/python scripts/install_packages.py .venv requirements-dev.txt
	@$(BIN)/python scripts/install_collections.py .venv requirements.yml
	@$(BIN)/python -c 'import ansible_collections; print(list(ansible_collections.__path__)[0])' > .venv/collections
	@mkdir -p "$$(cat .venv/collections)/dualstack"
	@ln -sfn "$(CURDIR)" "$$(cat .venv/collections)/dualstack/aks"
	@touch $(READY)

$(TYPED): | $(READY)
	@mkdir -p $(@D)
	@ln -sfn "$(CURDIR)" $@

.PHONY: binaries
binaries: $(READY)
	@$(BIN)/python -m lab binaries

demo: $(READY) ## build the sample stamps in the lab, deploy an application, and show what each client gets (about 2 minutes on a prepared machine)
	@$(CLOCK) "demo 1 of 6: starting the lab"
	@$(LAB) up
	@$(CLOCK) "demo 2 of 6: creating the zones that the stamps share"
	@$(LAB) run $(PLAY) playbooks/shared.yml
	@$(CLOCK) "demo 3 of 6: building networks and clusters of $(INVENTORY) (about 40 seconds)"
	@$(LAB) run $(PLAY) playbooks/site.yml --tags network,aks
	@$(CLOCK) "demo 4 of 6: deploying an IPv4-only application"
	@$(DEMO) deploy
	@$(CLOCK) "demo 5 of 6: building the rest, with the entrances in front of the application (about 1 minute)"
	@$(LAB) run $(PLAY) playbooks/site.yml
	@$(CLOCK) "demo 6 of 6: showing what clients get"
	@$(DEMO) show
	@echo
	@$(DEMO) next

lint: $(READY) $(TYPED) ## run yamllint, ansible-lint, ruff and mypy, check the changelog (about 1 minute)
	$(BIN)/yamllint --strict .
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --no-error-summary
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ansible-lint --offline
	$(BIN)/antsibull-changelog lint

unit: $(READY) $(TYPED) ## test pure logic and the documentation's examples (about 2 minutes)
	$(ISOLATED) $(BIN)/pytest -q -n 2 tests/unit

.PHONY: schemas
schemas: $(READY) ## check that the compiled resource types are reproducible; needs LAB_AZURE_SCHEMAS, a checkout of Azure/bicep-types-az (about 10 seconds)
	$(ISOLATED) $(BIN)/pytest -q tests/schemas

.PHONY: package
package: $(READY) ## build the artefact, check it with galaxy-importer, ansible-test sanity and units, and build a stamp with it in empty environments (about 5 minutes; first time 5 more)
	$(ISOLATED) $(BIN)/python -m tests.package
	$(ISOLATED) $(BIN)/pytest -q tests/package

lab-tests: $(READY) ## test the lab's Azure (about 1 minute)
	$(ISOLATED) $(BIN)/pytest -q -n 2 tests/lab

.PHONY: recordings
recordings: $(READY) ## compare the engine and the lab with recorded answers of Azure, see docs/docsite/rst/recordings.rst (about 30 seconds; first time 44 MB)
	$(ISOLATED) $(BIN)/python -m tests.recordings

# A user's inotify instances are not enough for the nodes of a demo beside those of the tests (Linux allows 128 by default).
.PHONY: pause
pause: $(READY)
	@if $(LAB) status >/dev/null 2>&1; then \
	  echo "make: stopping this checkout's lab; it comes back with all that it stored by: .venv/bin/python -m lab up"; $(LAB) down; fi

molecule: $(READY) binaries pause ## run every scenario of molecule in one lab: each role, each mode, each playbook (about 10 minutes)
	@# A run that was killed leaves the note that its lab is up.
	PATH="$(CURDIR)/$(BIN):$$PATH" molecule reset
	PATH="$(CURDIR)/$(BIN):$$PATH" molecule test --all

e2e: $(READY) binaries pause ## test what roles and playbooks store in Azure and Kubernetes, each file against its own lab (about 10 minutes)
	$(END_TO_END) tests/e2e

packets: $(READY) binaries pause ## test what clients receive, with nodes and packets: in each mode, during an IPv6 switch, during failures (about 9 minutes)
	$(END_TO_END) tests/packets

# Where both are made, parity waits for package: else they take both places, and molecule runs alone after them.
.PHONY: parity
parity: $(READY) | $(filter package,$(MAKECMDGOALS)) ## compare the collection's rules with those of the lab's Azure: what one refuses, the other refuses too (about 4 minutes)
	$(ISOLATED) $(BIN)/pytest -q tests/parity

pages: $(READY) binaries docs pause ## build the documentation site, follow the README, the pages and the demo's tour, and check the examples (about 10 minutes)
	$(END_TO_END) tests/documentation

readers: $(READY) $(READERS) pause ## test az and azure.azcollection against the lab (about 7 minutes; first time 3 more, and 1 GB)
	$(END_TO_END) tests/readers

# Most modules of these clients are never imported; Python compiles those that are when it first does.
.venv-az/.ready: requirements-az.txt | $(READY)
	@echo "readers: creating .venv-az with $(PYTHON) (about 1 minute)"
	@$(PYTHON) -m venv .venv-az
	@$(BIN)/python scripts/install_packages.py .venv-az requirements-az.txt --no-compile
	@touch $@

.venv-azcollection/.ready: requirements-azcollection.txt tests/readers/requirements.yml | $(READY)
	@echo "readers: creating .venv-azcollection with $(PYTHON) (about 1 minute)"
	@$(PYTHON) -m venv .venv-azcollection
	@$(BIN)/python scripts/install_packages.py .venv-azcollection requirements-azcollection.txt --no-compile
	@$(BIN)/python scripts/install_collections.py .venv-azcollection tests/readers/requirements.yml
	@touch $@

.PHONY: quick
quick: ## run lint, and the tests of pure logic, of the lab and of recordings (about 3 minutes)
	@$(MAKE) --no-print-directory --output-sync=target --jobs=2 lint unit lab-tests recordings

test: setup pause ## run lint, and all tests but those with a target of their own (about 12 minutes on a prepared machine)
	@$(CLOCK) "test 1 of 2: lint, the lab and recordings (about 2 minutes)"
	@$(MAKE) --no-print-directory --output-sync=target --jobs=2 lint lab-tests recordings
	@$(CLOCK) "test 2 of 2: end-to-end tests, and units in the time that these leave (about 10 minutes)"
	$(END_TO_END) tests/e2e tests/unit
	@$(CLOCK) "test: passed"

sweep: $(READY) binaries ## inject each fault at each request while a stamp is built and changed, then run once more; make test runs a sample (about 45 minutes)
	$(ISOLATED) $(BIN)/python -m tests.sweep
	$(ISOLATED) $(BIN)/python -m tests.sweep.site

.PHONY: fleet
fleet: $(READY) ## measure runs with 1, 3, 10 and 50 stamps (about 10 minutes)
	$(ISOLATED) $(BIN)/python tests/bench/fleet.py

.venv/.bench: $(READY) requirements-bench.txt tests/bench/requirements.yml
	@$(BIN)/python scripts/install_packages.py .venv requirements-bench.txt
	@$(BIN)/python scripts/install_collections.py .venv tests/bench/requirements.yml
	@touch $@

bench: $(READY) .venv/.bench .venv-azcollection/.ready binaries pause ## measure runs, alone and compared with their peers, see docs/docsite/rst/benchmarks.rst (about 22 minutes)
	$(ISOLATED) $(BIN)/python tests/bench/stamp.py
	$(ISOLATED) $(BIN)/python tests/bench/entrances.py
	$(ISOLATED) $(BIN)/python tests/bench/proxies.py
	$(ISOLATED) $(BIN)/python tests/bench/critical_path.py
	$(ISOLATED) $(BIN)/python tests/bench/modules.py
	$(ISOLATED) $(BIN)/python tests/bench/plan.py
	$(ISOLATED) $(BIN)/python tests/bench/noop.py

docs: $(READY) ## check plugins' documentation, write the generated pages and build the documentation site in docs/build/html (about 1 minute)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/antsibull-docs lint-collection-docs --plugin-docs .
	$(BIN)/python -m scripts.rules_page
	$(BIN)/python -m scripts.subnets_page
	rm -rf docs/build
	mkdir -p docs/build/rst
	chmod go-w docs/build/rst
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/antsibull-docs --config-file docs/site/antsibull-docs.cfg collection \
	  --use-current --fail-on-error --squash-hierarchy --dest-dir docs/build/rst dualstack.aks
	$(BIN)/sphinx-build --builder html --conf-dir docs/site --fail-on-warning --keep-going --quiet docs/build/rst docs/build/html

clean: ## stop the lab and delete its files; keeps .venv and the lab's programs
	@for state in .cache/lab .cache/molecule; do if [ -x $(BIN)/python ] && [ -d $$state ]; then $(LAB) down --state $$state; fi; done
	rm -rf .cache docs/build .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible
