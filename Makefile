# `make` alone lists what there is. Everything lives in .venv; nothing is installed outside it.

UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
VENV_STAMP := $(VENV)/.made
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev

# `python3` when it is new enough, else the newest one that answers. PYTHON=... chooses another.
PYTHON ?= $(shell for name in python3 python3.15 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$name" && break; done)

# uv must use the Python of .venv, never fetch one of its own.
export UV_PYTHON_DOWNLOADS := never
# Compiled modules are kept: without them each start of the service compiles for seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-full quick check migration bench torture lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(RUN_STAMP) ## install, migrate, load the sample service, serve http://127.0.0.1:8000
	@$(BIN)/rapid-response serve --evaluation

test: $(DEV_STAMP) ## run the tests, on SQLite and on a real PostgreSQL, but long ones and repetitions
	@$(BIN)/pytest -n 2 --dist worksteal

test-full: $(DEV_STAMP) ## run every test, on SQLite and again on PostgreSQL: before a release
	@RAPID_RESPONSE_TEST_PROFILE=full $(BIN)/pytest -n 2 --dist worksteal

quick: $(DEV_STAMP) ## run the rules' and the shape's tests only, in seconds
	@$(BIN)/pytest -q --disable-plugin-autoload -p pytest_asyncio.plugin -m 'not slow and not long' tests/rules tests/shape

check: $(DEV_STAMP) ## lint, formatting, types, who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

migration: $(DEV_STAMP) ## draft a migration from the models: make migration m="what changes"
	@test -n '$(value m)' || { echo 'Say what changes: make migration m="add the ward to incidents"' >&2; exit 2; }
	@$(BIN)/alembic revision --autogenerate -m '$(value m)'
	@$(BIN)/ruff format --quiet rapid_response/storage/migrations/versions

bench: $(DEV_STAMP) ## measure lateness and report-to-text, on SQLite and PostgreSQL
	@$(BIN)/python -m bench

torture: $(DEV_STAMP) ## kill serving processes at named moments: make torture ARGS="--seed 7 --rounds 1"
	@$(BIN)/python -m bench.torture $(ARGS)

# No addresses are written into the locks: they hold whatever index they are installed from.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

lock: $(DEV_STAMP) ## make both lock files again; `make lock LOCK_FLAGS=--upgrade` takes newer releases
	@$(LOCK) $(LOCK_FLAGS) pyproject.toml -o requirements.lock
	@$(LOCK) $(LOCK_FLAGS) --extra dev --constraints requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove .venv, caches and build leftovers; databases stay
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage htmlcov build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- installing; a stamp makes every later run instant

$(VENV_STAMP):
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed and none was found. Install one, or name it: make PYTHON=/path/to/python3' >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo '$(PYTHON) is older than Python 3.11, or does not run. Name a newer one: make PYTHON=/path/to/python3' >&2; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { echo 'This Python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@'$(PYTHON)' -m venv --clear $(VENV)
	@$(PIP) install --only-binary :all: uv==$(UV_VERSION) || echo 'uv is not to be had for this machine: pip does its work, more slowly.'
	@touch $@

# $(1): a lock file. The package itself is linked, not copied, so that edits count at once.
define install
	@echo 'Installing from $(1) ...'
	@if [ -x $(BIN)/uv ]; then \
		$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(1) && \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .; \
	else \
		$(PIP) install --require-hashes -r $(1) && $(PIP) install --no-deps -e .; \
	fi
endef

$(RUN_STAMP): requirements.lock pyproject.toml | $(VENV_STAMP)
	$(call install,requirements.lock)
	@touch $@

$(DEV_STAMP): requirements-dev.lock pyproject.toml | $(VENV_STAMP)
	$(call install,requirements-dev.lock)
	@touch $(RUN_STAMP) $@
