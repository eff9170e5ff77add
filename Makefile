# Two commands do everything: `make run` and `make test`. Each makes its own .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Where this is set, every process compiles the same code anew: a sixth of the time that it takes to start.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test chromium fresh soak faults databases connector guards audit lint format pins screenshots clean

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/run.stamp ## Start everything: a demo without credentials, the backend with them
	$(BIN)/python -m demo

# The tests' databases lie in memory where there is such a place: a disk that syncs slowly doubles their time. Many tests
# wait for a browser or a process, so three of them share two processors.
WORKERS = $$(( ($$(nproc) * 3 + 1) / 2 ))
test: lint chromium ## Run all checks and tests
	@scratch=$$(mktemp -d /dev/shm/sync-tests.XXXXXX 2>/dev/null || mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	  TMPDIR="$$scratch" $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

fresh: $(VENV)/dev.stamp ## Follow the README on a fresh clone, in an environment of its own
	$(BIN)/python -m pytest -n 0 tests/end_to_end/test_fresh_clone.py

soak: $(VENV)/dev.stamp ## Play many stories of people and faults: make soak SEEDS=1000 (FROM=5000)
	PYTHONPATH=.:tests $(BIN)/python -m world.soak $(or $(SEEDS),1000) --from $(or $(FROM),0)

faults: $(VENV)/dev.stamp ## Play every fault at every step of every chapter
	EVERY_FAULT=1 $(BIN)/python -m pytest -n auto --dist worksteal tests/faults

databases: $(VENV)/dev.stamp ## Run all that touches a database on SQLite and on Postgres, the whole engine suite too
	EVERY_DATABASE=1 $(BIN)/python -m pytest -n auto --dist worksteal tests/store tests/engine tests/jobs tests/web tests/actions tests/cli

connector: $(VENV)/dev.stamp ## Run all of the engine suite over the Grist connector, too: make connector STORIES=50
	EVERY_CONNECTOR=1 STORIES=$(or $(STORIES),10) $(BIN)/python -m pytest -n auto --dist worksteal tests/engine

guards: $(VENV)/dev.stamp ## Switch off each guard of a promise and see which test notices
	PYTHONPATH=.:tests $(BIN)/python -m guards

lint: $(VENV)/dev.stamp ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/dev.stamp chromium ## Measure speed and scale against their targets
	$(BIN)/python -m benchmarks

format: $(VENV)/dev.stamp ## Mend what can be mended by itself
	$(BIN)/ruff check --fix .

screenshots: $(VENV)/dev.stamp chromium ## Take pictures of every screen into screenshots/
	$(BIN)/python -m pytest -q -n auto tests/widget/test_pictures.py tests/end_to_end --screenshots screenshots

# A browser for the tests: Debian's own, installed where we may. The one without a window is the quicker one.
chromium: $(VENV)/chromium.stamp
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null \
	  || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || echo "CHROMIUM IS MISSING and could not be installed: the browser tests will fail. Run: apt-get install chromium"

APT := apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20
$(VENV)/chromium.stamp: $(VENV)/dev.stamp
	@command -v chromium-headless-shell >/dev/null || { \
	  if [ "$$(id -u)" = 0 ]; then SUDO=""; else SUDO="sudo -n"; fi; \
	  echo "The browser tests are quickest with chromium-headless-shell; trying to install it."; \
	  { $$SUDO $(APT) update && $$SUDO $(APT) install -y --no-install-recommends chromium-headless-shell >/dev/null; } \
	  || command -v chromium >/dev/null || $$SUDO $(APT) install -y --no-install-recommends chromium >/dev/null || true; }
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; $$($(PYTHON) --version) was found. Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp

audit: ## Look what we depend on up among known weaknesses (asks the package registry)
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-audit.txt
	$(VENV)/audit/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.txt

pins: requirements.in requirements-dev.in requirements-audit.in ## Pin the newest versions of what we depend on
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make pins" requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make pins" requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make pins" requirements-audit.in -o requirements-audit.txt

clean: ## Remove what was made
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis screenshots
