# One verb per thing a person does; `make help` lists them.
PYTHON ?= python3
ENV ?= dev
WORKLOAD ?= bigmart
DATA ?=
PORT ?=
FOLDER ?=
COMMIT ?=
# Recipes take them from the environment, in quotes: their values may hold blanks, quotes and dollar signs.
override ENV := $(value ENV)
override WORKLOAD := $(value WORKLOAD)
override DATA := $(value DATA)
override PORT := $(value PORT)
override FOLDER := $(value FOLDER)
override COMMIT := $(value COMMIT)
export ENV WORKLOAD DATA PORT FOLDER COMMIT

VENV := .venv
BIN := $(VENV)/bin
# The CDK command line is found here, and it, jsii and `cdk.json` find this Python and its Node.
export PATH := $(CURDIR)/$(BIN):$(PATH)

LOCAL := headrace local $${FOLDER:+--folder "$$FOLDER"}

# Two verbs at once in one clone: the second waits while the first sets up, and then finds it done.
LOCK := $(PYTHON) -c 'import fcntl, os, subprocess, sys; \
	os.makedirs(".headrace", 0o700, exist_ok=True); lock = open(".headrace/setup.lock", "w"); \
	fcntl.flock(lock, fcntl.LOCK_EX); sys.exit(subprocess.call(sys.argv[1:]))'
# What takes long is reported on standard error, which is not the output of any verb.
TELL := @printf 'setting up: %s\n' >&2

# Where it is set, every process compiles thousands of modules again, and that takes longer than most tests.
unexport PYTHONDONTWRITEBYTECODE

UV_VERSION := 0.13.8
INSTALL := uv pip install --quiet --require-hashes
COMPILE := UV_CUSTOM_COMPILE_COMMAND='make lock' uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --fork-strategy fewest

# By file, because the tests of a file share what takes long to start; few of them do, so few processes are enough.
PYTEST := pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

STYLE := ruff format --check --quiet && ruff check --quiet
# Without mypy's cache, types take a minute of one processor, so they are checked while the tests run; the output is not mixed.
# dash runs no EXIT trap on a signal, so signals become exits.
define with_types
@$(STYLE)
@found=$$(mktemp); mypy --no-error-summary >"$$found" 2>&1 & types=$$!; trap 'exit 130' INT; trap 'exit 143' TERM; trap 'kill $$types 2>/dev/null; rm -f "$$found"' EXIT; \
	$(1); tests=$$?; wait $$types; types_too=$$?; cat "$$found"; exit $$((tests || types_too))
endef

.PHONY: help setup setup-dev run up down setup-torch test test-fast test-all table tables test-sdk bench check format synth doctor deploy deploy-account adopt-account teardown adopt lock snapshots drawings assemblies settings-table faults-table instance-types cost-table recipes-table clean
.DEFAULT_GOAL := help

help: ## list these verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: setup ## everything on this machine, data to endpoint (DATA=, WORKLOAD=images, ENV=prod, PORT=, FOLDER=)
	@$(LOCAL) run --env "$$ENV" --workload "$$WORKLOAD" $${PORT:+--port "$$PORT"} $${DATA:+--data "$$DATA"}

up: setup ## start the local cloud, deploy to it and leave it up
	@$(LOCAL) up --env "$$ENV" $${PORT:+--port "$$PORT"}

down: setup ## stop the local cloud
	@$(LOCAL) down

test: setup-dev ## every check and every test but the full matrices, as in CI
	$(call with_types,HEADRACE_EXAMPLES=some $(PYTEST) -m "not full" --durations 25 --durations-min 10)

test-fast: setup-dev ## the quick tests, which need neither the local cloud nor real processes
	@HEADRACE_EXAMPLES=few $(PYTEST) -m "not slow and not full"

test-all: setup-dev ## every check and every test; writes the tables of the full matrices
	@# Tests that ask it are skipped where the registry is out of reach.
	@npm ci --prefix tests/oracles/iam --no-audit --no-fund --silent || \
		{ echo "the IAM evaluator cannot be installed: its tests are skipped" >&2; rm -rf tests/oracles/iam/node_modules; }
	$(call with_types,HEADRACE_EXAMPLES=many HEADRACE_TABLES=all $(PYTEST))

table: setup-dev ## run one full matrix and write its table (NAME=)
	@# A matrix is one file: its tests are shared out one by one.
	@HEADRACE_TABLES="$(NAME)" $(PYTEST) --dist load -m full

tables: setup-dev ## see whether every table of the full matrices is of today, as for a release
	@HEADRACE_RELEASE=1 pytest -q tests/test_tables.py

test-sdk: setup-dev ## the SageMaker SDK's versions 2 and 3 on the local cloud, each with its own packages
	@HEADRACE_SDK_TESTS=1 pytest tests/end_to_end/test_sagemaker_sdk.py tests/test_examples.py

check: setup-dev ## format, lint and types
	@$(STYLE)
	@mypy --no-error-summary

format: setup-dev ## put the code into shape
	@ruff check --fix --quiet
	@ruff format --quiet

synth: setup ## synthesize the app: no account, no network, no Docker (ENV=dev)
	@cdk synth --quiet --context "env=$$ENV"

doctor: setup ## see what would make a deployment fail: this machine, the settings, the account (ENV=dev)
	@headrace doctor --env "$$ENV"

deploy: setup ## deploy to the AWS account of your credentials: repositories, container images, the rest (ENV=dev, COMMIT=)
	@# An endpoint or a job needs its container image as soon as the state machine stands.
	@cdk deploy Registry --exclusively --context "env=$$ENV"
	@headrace containers push --build --env "$$ENV"
	@headrace deploy --env "$$ENV" $${COMMIT:+-- --context "commit=$$COMMIT"}

deploy-account: setup ## deploy what an account has once in a Region: retention and key of SageMaker's logs
	@cdk deploy --all --app "python account.py"

adopt-account: setup ## find SageMaker's log groups that exist, and how the account's stack takes them over
	@cdk synth --quiet --app "python account.py" --output .headrace/account
	@headrace adopt --assembly .headrace/account --output .headrace/account-adoption

teardown: setup ## delete an environment with everything in it, from that account (ENV=)
	@headrace teardown --env "$$ENV"

adopt: setup ## find the data that deleted stacks have kept, and how new ones take them over (ENV=dev)
	@cdk synth --quiet --context "env=$$ENV"
	@headrace adopt

bench: setup ## measure the hot paths side by side with their peers (BENCH=name for one)
	@for script in benchmarks/bench_$(or $(BENCH),*).py; do uv run --quiet "$$script"; done

lock: $(VENV)/uv ## pin the requirements again
	$(COMPILE) --upgrade requirements-dev.in -o requirements-dev.txt
	$(COMPILE) -c requirements-dev.txt requirements.in -o requirements.txt
	for folder in $(patsubst %/requirements.in,%,$(wildcard containers/*/requirements.in containers/*/*/requirements.in headrace/transformations/*/requirements.in)); do \
		$(COMPILE) -c requirements-dev.txt $$folder/requirements.in -o $$folder/requirements.txt; \
	done

snapshots: setup-dev ## rewrite the template snapshots
	@HEADRACE_UPDATE_SNAPSHOTS=1 pytest -q tests/stacks/test_templates.py

drawings: setup-dev ## draw the state machines and executions of the documentation again
	@HEADRACE_UPDATE_DRAWINGS=1 pytest -q tests/end_to_end/test_recorded_executions.py
	@HEADRACE_UPDATE_DRAWINGS=1 pytest -q tests/headrace/pipeline/test_drawings_of_docs.py

assemblies: setup-dev ## keep the templates of dev and prod as what stands in accounts
	@HEADRACE_KEEP_ASSEMBLIES=1 pytest -q tests/stacks/test_kept_assemblies.py -k "over_what_stands or from_cfn_lint"

instance-types: setup-dev ## write down again which instance types SageMaker's API knows
	@HEADRACE_UPDATE_INSTANCE_TYPES=1 pytest -q tests/stacks/settings/test_instance_types.py

settings-table: setup ## rewrite docs/settings.md from the settings
	@python -m stacks.settings.table > docs/settings.md

faults-table: setup-dev ## rewrite the table of docs/pipeline-faults.md
	@HEADRACE_UPDATE_FAULTS=1 pytest -q tests/stacks/pipeline/test_fault_matrix.py tests/end_to_end/test_every_fault.py -k page

cost-table: setup-dev ## rewrite what docs/cost.md, the README and the chart say of cost
	@HEADRACE_UPDATE_COST=1 pytest -q tests/headrace/cost/test_page.py

recipes-table: setup-dev ## rewrite the table of docs/recipes.md
	@HEADRACE_UPDATE_RECIPES=1 pytest -q tests/stacks/test_recipes_page.py

setup:
	@$(LOCK) $(MAKE) --silent --no-print-directory $(VENV)/setup $(BIN)/cdk

setup-dev:
	@$(LOCK) $(MAKE) --silent --no-print-directory $(VENV)/setup-dev $(BIN)/cdk

$(VENV)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "headrace needs Python 3.11 or newer, found " + sys.version.split()[0] + "; choose one with make PYTHON=python3.12 …")'
	$(TELL) 'a Python environment in $(VENV)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV)/setup: $(VENV)/uv requirements.txt pyproject.toml package-lock.json $(wildcard lambdas/*/requirements.txt headrace/transformations/*/requirements.txt)
	$(TELL) 'Python packages, Node and jsii included (requirements.txt)'
	@$(INSTALL) -r requirements.txt
	@uv pip install --quiet --no-deps --editable .
	$(TELL) 'the CDK command line (package-lock.json)'
	@npm ci --no-audit --no-fund --silent
	$(TELL) "the functions' packages (headrace/transformations/)"
	@python -m stacks.constructs.lambda_bundle
	@touch $@

# Who activates the environment has it on PATH, and it finds the Node that is there.
$(BIN)/cdk: | $(VENV)/setup
	@ln -sf ../../node_modules/.bin/cdk $@

$(VENV)/setup-dev: $(VENV)/setup requirements-dev.txt
	$(TELL) 'what the tests need (requirements-dev.txt)'
	@# Compiled here, once: tests start hundreds of processes, some where no bytecode may be written.
	@$(INSTALL) --compile-bytecode -r requirements-dev.txt
	@touch $@

setup-torch: setup ## install PyTorch from your package index, for the workloads that need it
	$(TELL) 'PyTorch (containers/requirements-torch.txt): 1 GB for processors alone, several with those for GPUs'
	@$(PYTHON) -m venv --clear .headrace/torch
	@.headrace/torch/bin/python -m pip install --quiet --disable-pip-version-check --requirement containers/requirements-torch.txt

clean: ## remove everything that was made here
	@if [ -x $(BIN)/headrace ]; then $(LOCAL) down; fi
	rm -rf $(VENV) node_modules cdk.out .headrace .mypy_cache .pytest_cache .ruff_cache .hypothesis
