# make app    the app, on http://localhost:8501 (PORT=9000 for another port)
# make test   every check: style, types, lowest versions, tests, the app in a real browser
# make bench  the claims about speed, measured here
# Everything a fresh machine lacks is installed on the way, into .venv; it needs Python 3.11 or later and make.

WORKERS ?= 2
VENV    := .venv
LOWEST  := .venv-lowest
BIN     := $(VENV)/bin
PY      := $(BIN)/python

export LITELLM_LOCAL_MODEL_COST_MAP := True
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The first Python that is new enough and can make environments; PYTHON=... names another.
PYTHON := $(or $(PYTHON),$(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done))

.DEFAULT_GOAL := help
.PHONY: help app test check test-lowest test-app pytest bench recordings prices pins format clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
	@echo "also: check format test-lowest pytest (ARGS=...) recordings prices pins clean"

# ---- environments: made once, brought up to date when the pins change

$(PY):
	@test -n "$(PYTHON)" || { \
	  echo "CostLab needs Python 3.11 or later with its venv module; none was found." >&2; \
	  echo "On Debian or Ubuntu: sudo apt install python3 python3-venv. Or name one: make PYTHON=/path/to/python3.12" >&2; \
	  exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
	@"$(PYTHON)" -m venv $(VENV)

$(VENV)/.app: requirements.txt | $(PY)
	@echo "installing what the app needs"
	@$(PY) -m pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-local.txt requirements.txt | $(PY)
	@echo "installing what the checks need"
	@$(PY) -m pip install --quiet -r requirements-dev.txt
	@$(PY) -m pip install --quiet --no-deps -r requirements-local.txt
	@touch $@ $(VENV)/.app

# CostLab as a wheel with its lowest versions. Its own files are taken fresh at every run.
$(LOWEST)/.made: pyproject.toml scripts/lowest.py requirements-dev.txt | $(PY)
	@echo "installing the core's lowest versions"
	@rm -rf $(LOWEST)
	@$(PY) -m venv $(LOWEST)
	@$(PY) scripts/lowest.py >$(LOWEST)/lowest.txt
	@grep -E '^(pytest|hypothesis|hatchling)==' requirements-dev.txt >$(LOWEST)/tools.txt
	@$(LOWEST)/bin/python -m pip install --quiet -r $(LOWEST)/lowest.txt -r $(LOWEST)/tools.txt
	@touch $@

# ---- for users

app: $(VENV)/.app
	@$(PY) -m streamlit run app.py $(if $(PORT),--server.port $(PORT)) $(if $(ADDRESS),--server.address $(ADDRESS))

# ---- for developers

# The first two side by side: neither needs what the other makes.
test: | $(PY)
	@$(MAKE) --no-print-directory -j2 --output-sync=target check test-lowest
	@$(MAKE) --no-print-directory browser pytest

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: browser
browser: $(VENV)/.dev
	@$(PY) scripts/browser.py --install

test-lowest: $(LOWEST)/.made
	@$(LOWEST)/bin/python -m pip install --quiet --no-deps --no-build-isolation --force-reinstall .
	$(LOWEST)/bin/pytest --core-only -q -o pythonpath= $(ARGS)

# A file's tests stay together (they share a server), and files keep their order: those of the browser come last.
pytest: $(VENV)/.dev
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

bench: $(VENV)/.dev browser
	@for script in benchmarks/*.py; do echo "== $$script"; PYTHONPATH=. $(PY) "$$script" || exit 1; done

# Runs real agents on a local model; hours on a small machine. What it takes is said in the script's --help.
recordings: $(VENV)/.dev
	$(PY) scripts/record_runs.py $(ARGS)

prices: $(VENV)/.app
	$(PY) -m costlab prices refresh
	$(PY) -m costlab prices check

# Needs uv. ARGS=--upgrade takes the newest versions that the ranges allow.
pins:
	sh scripts/pins.sh $(ARGS)

clean:
	rm -rf $(VENV) $(LOWEST) build dist test-output .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
