# Monitum's commands; `make` lists them. The only requirement is Python 3.11 to 3.14.

PYTHON ?= $(shell for p in .venv/bin/python python3 python3.14 python3.13 python3.12 python3.11 python; do \
  command -v $$p >/dev/null 2>&1 && \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null && \
  { echo $$p; break; }; done)
VENV := .venv/bin/python
STAGE ?= local
export MONITUM_PORT MONITUM_LOCAL

.DEFAULT_GOAL := help
.PHONY: help backup restore repair up down reset logs mail test test-contract lint openapi format e2e browser scrape user redrive deploy plan smoke destroy \
  not-local dev package python run-venv dev-venv environments

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

up: python  ## start the local stack, deploy the code to it, print URL and token
	@$(PYTHON) -m ops.bootstrap run ministack
	@$(VENV) -m ops up

down: run-venv  ## stop the local stack, keep its data
	@$(VENV) -m ops down

reset: run-venv  ## stop the local stack and delete its data
	@$(VENV) -m ops reset

logs: run-venv  ## follow the functions' logs; ONCE=1 shows the last minutes (STAGE=local)
	@$(VENV) -m ops logs --stage $(STAGE) $(if $(ONCE),--once)

mail: run-venv  ## print the emails that the local stack sent
	@$(VENV) -m ops mail

test: dev-venv  ## run the tests (ARGS="-k name")
	@$(VENV) -m pytest $(ARGS)

test-contract: dev-venv  ## test the API against its OpenAPI document, with 300 calls of each operation
	@CONTRACT_CASES=300 $(VENV) -m pytest tests/api/test_contract.py tests/api/test_contract_of_writes.py $(ARGS)

lint: dev-venv  ## check formatting, lint, types and import layers
	$(VENV) -m ruff format --check .
	$(VENV) -m ruff check .
	$(VENV) -m mypy
	.venv/bin/lint-imports

.PHONY: record-clients
record-clients: dev-venv  ## record what curl and Chromium say of the quirks in tests/probes/quirks (ARGS="part of a name")
	@$(VENV) -m tests.probes.quirks.record $(ARGS)

openapi: dev-venv  ## generate docs/openapi.json and the route index
	@$(VENV) -m ops openapi

format: dev-venv  ## format the code
	@$(VENV) -m ruff format .
	@$(VENV) -m ruff check --fix .

e2e: dev-venv  ## run the end-to-end tests against AWS_ENDPOINT_URL or the local stack
	@$(VENV) -m pytest -o addopts="" -ra tests/e2e $(ARGS)

browser: dev-venv  ## attack the running stack from a web page (needs chromium)
	@$(VENV) -m pytest -o addopts="" -ra tests/browser $(ARGS)

scrape: dev-venv  ## scrape the running stack with Prometheus (needs prometheus and promtool)
	@$(VENV) -m pytest -o addopts="" -ra tests/scrape $(ARGS)

user: run-venv  ## create a user: NAME=name [ADMIN=1] [STAGE=local]
	@test -n "$(NAME)" || { echo "error: NAME is required: make user NAME=someone" >&2; exit 1; }
	@$(VENV) -m ops user --name "$(NAME)" $(if $(ADMIN),--admin) --stage $(STAGE)

backup: run-venv  ## back up a STAGE's data to FILE (RESULTS=no: without single checks)
	@test -n "$(FILE)" || { echo "error: FILE is required: make backup FILE=monitum.jsonl.gz" >&2; exit 1; }
	@$(VENV) -m ops backup --stage $(STAGE) --file "$(FILE)" $(if $(filter no,$(RESULTS)),--without-results)

restore: run-venv  ## add the data of FILE to a STAGE, wait until its targets are checked
	@test -n "$(FILE)" || { echo "error: FILE is required: make restore FILE=monitum.jsonl.gz" >&2; exit 1; }
	@$(VENV) -m ops restore --stage $(STAGE) --file "$(FILE)"

repair: run-venv  ## rebuild the schedule of a STAGE from its targets; deploy and restore do it too
	@$(VENV) -m ops repair --stage $(STAGE)

redrive: run-venv  ## retry dead letters: alerts, checks, rollups (STAGE=local)
	@$(VENV) -m ops redrive --stage $(STAGE)

deploy: run-venv not-local  ## deploy to STAGE=prod or dev (AWS) or localstack, run the smoke test, roll back if it fails
	@$(VENV) -m ops deploy --stage $(STAGE) $(foreach name,$(REPLACE),--replace $(name))

plan: run-venv not-local  ## show what deploy would change, and changes made by hand
	@$(VENV) -m ops plan --stage $(STAGE)

smoke: run-venv  ## run the smoke test on a STAGE: create a target, wait for its check, delete it
	@$(VENV) -m ops smoke --stage $(STAGE)

destroy: run-venv not-local  ## delete a STAGE (YES=1: without asking; on AWS the tables are kept, DATA=1: deleted)
	@$(VENV) -m ops destroy --stage $(STAGE) $(if $(YES),--yes) $(if $(DATA),--data)

not-local:
	@test "$(STAGE)" != local || { echo "error: STAGE must be prod, dev or localstack; for local use make up and make reset" >&2; exit 1; }

dev: dev-venv  ## run everything in one process on moto and reload changed code
	@$(VENV) -m ops dev

package: run-venv  ## build the template and zip of a STAGE without deploying
	@$(VENV) -m ops package --stage $(STAGE) $(ARGS)

run-venv: python
	@$(PYTHON) -m ops.bootstrap run

environments: python
	@$(PYTHON) -m ops.bootstrap dev ministack

dev-venv: python
	@$(PYTHON) -m ops.bootstrap dev

python:
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 to 3.14 found: install one, or set PYTHON: make PYTHON=/path/to/python3.13 up" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null || { echo "error: $(PYTHON) is not Python 3.11 to 3.14" >&2; exit 1; }
