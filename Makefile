# Needs Python 3.11 or newer, and nothing else: everything is installed into $(VENV).
PYTHON ?= python3
VENV ?= .venv
DEMO_ARGS ?=
BENCH_ARGS ?=
TEST_ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
STAMPS := $(VENV)/.stamps
BUILT := pyproject.toml hatch_build.py src/watchkeep/stats/kernels.c

.DEFAULT_GOAL := help
.PHONY: help demo test check lint format bench bench-alarms bench-estimates bench-bias bench-attribution bench-causes bench-scale bench-capture bench-gateway browser clean
.DELETE_ON_ERROR:

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(STAMPS)/demo ## watch a real model through a real blizzard; DEMO_ARGS=... goes to `watchkeep demo`
	@$(BIN)/watchkeep demo $(DEMO_ARGS)

test: $(STAMPS)/develop browser ## run every test
	@$(BIN)/python -m pytest -n auto --dist loadgroup $(TEST_ARGS)

check: lint test ## what CI runs: format, lint, types, imports, tests, docs

lint: $(STAMPS)/develop ## formatting, lint, types and the floors
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports

format: $(STAMPS)/develop ## put the code into its standard form
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: $(STAMPS)/bench ## measure; writes bench/RESULTS.md; BENCH_ARGS=... goes to `python -m bench`
	@$(BIN)/python -m bench $(BENCH_ARGS)

bench-alarms: $(STAMPS)/bench ## measure the alarms, for hours; goes on where it was stopped; writes bench/ALARMS.md
	@$(BIN)/python -m bench.alarms $(BENCH_ARGS)

bench-estimates: $(STAMPS)/bench ## measure quality before labels, beside NannyML; writes bench/ESTIMATES.md
	@$(BIN)/python -m bench.estimates $(BENCH_ARGS)

bench-bias: $(STAMPS)/bench ## measure bias: its cost, and false alarms on real people; writes bench/BIAS.md
	@$(BIN)/python -m bench.bias $(BENCH_ARGS)

bench-attribution: $(STAMPS)/bench ## measure attribution: cost, exactness, alarms; writes bench/ATTRIBUTION.md
	@$(BIN)/python -m bench.attribution $(BENCH_ARGS)

bench-causes: $(STAMPS)/bench ## break features of real rows: which is told first, which bug is named; writes bench/CAUSES.md
	@$(BIN)/python -m bench.causes $(BENCH_ARGS)

bench-capture: $(STAMPS)/bench ## measure what capture costs a server, the store and the join of labels, with wrk; writes bench/CAPTURE.md
	@$(BIN)/python -m bench.capture $(BENCH_ARGS)

bench-gateway: $(STAMPS)/bench ## measure the gateway beside a bare proxy and nginx, with wrk; writes bench/GATEWAY.md
	@$(BIN)/python -m bench.gateway $(BENCH_ARGS)

bench-scale: $(STAMPS)/bench ## measure how cost grows, on 100 million rows and on a Spark cluster; writes bench/SCALE.md
	@$(BIN)/python -m bench.scale $(BENCH_ARGS)

# The tests of drawn pages need a browser. Without one they are skipped, except under CI=true.
browser:
	@if command -v chromium chromium-browser google-chrome >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "Installing chromium for the tests of drawn pages"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
			chromium; } >/dev/null 2>&1 </dev/null || echo "chromium could not be installed"; \
	else echo "No chromium here: the tests of drawn pages are skipped"; fi

clean: ## remove all that was made here
	rm -rf $(VENV) src/watchkeep/stats/kernels.so .watchkeep build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache \
		.coverage .coverage.* htmlcov bench/data bench/.envs
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp says that a set of packages is installed; it is made again when the list of packages changes, or what is
# compiled.
$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Watchkeep needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version 2>&1`." \
			"Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade 'pip>=25.1'
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/demo: $(STAMPS)/venv $(BUILT)
	@echo "Installing Watchkeep with what the demo needs"
	@$(PIP) install --editable '.[demo]'
	@touch $@

$(STAMPS)/develop: $(STAMPS)/venv $(BUILT)
	@echo "Installing Watchkeep with what its tests need"
	@$(PIP) install --editable '.[demo]' --group test --group lint
	@touch $@

$(STAMPS)/bench: $(STAMPS)/venv $(BUILT)
	@echo "Installing Watchkeep with what its benchmark needs"
	@$(PIP) install --editable . --group bench
	@touch $@
