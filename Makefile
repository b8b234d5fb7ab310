# Verbs for people; CI runs the same ones.
.DEFAULT_GOAL := help
.PHONY: help environment setup test soak check format docs grafana-types bench bench-quick demo stack clean

export PATH := $(CURDIR)/.venv/bin:$(PATH)
PYTHON ?= python3
WORKERS ?= 2

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 13

environment:
	@PYTHON=$(PYTHON) scripts/setup environment

setup: ## create .venv, install everything and build the backends
	@PYTHON=$(PYTHON) scripts/setup

test: setup ## run every check and every test
	@scripts/check
	@pytest -n $(WORKERS) --dist loadgroup

soak: setup ## the tests that have a long form, in that form: minutes of load, ten thousands of events
	@SOAK=1 pytest -m soak

check: ## formatting, lint, types, import direction
	@scripts/check

format: ## let ruff rewrite what it can
	@ruff format . && ruff check --fix .

docs: ## renew the generated pages and build the site into site/
	@python -m mita_otel.generate
	@zensical build --clean --strict

grafana-types: ## hold the dashboards against the types that Grafana publishes (needs npm)
	@. collector/versions.env && npm install --silent --no-save --ignore-scripts --prefix data/grafana-types \
	  @grafana/schema@$$GRAFANA_VERSION typescript@5.9.3
	@node scripts/grafana_types.mjs data/grafana-types collector/grafana/dashboards

PARTS := startup spans logging_cost log_storm redaction breakers breakers.scenarios retries ratelimit audit health_probes \
	degradation slo_events slo_status memory console console_queries

bench: environment ## every benchmark, side by side and interleaved
	@for part in $(PARTS); do echo "== $$part"; python -m benchmarks.$$part || exit; done
	@python -m benchmarks.overhead --json data/benchmarks/overhead.json \
	  --page docs/performance.md --chart docs/images/overhead.svg

bench-quick: environment ## ours against bare and vanilla, in under six minutes
	@python -m benchmarks.overhead --quick

demo: environment ## the console, the service, traffic, and where to look (ARGS=--stack: the real backends)
	@mita-otel demo $(ARGS)

stack: setup ## bring up the backends
	@mita-otel stack up

clean: ## remove .venv and every cache of the project
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .cache site data
