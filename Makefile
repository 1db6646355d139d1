# Everything a fresh clone needs: `make` lists the targets.
PROFILE ?= default
DATASET ?=
PYTHON  ?=
ARGS    ?=

VENV := .venv
BIN  := $(VENV)/bin
PYTEST = $(BIN)/python -m pytest -q -n auto --dist worksteal
SPHINX = $(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -c docs -d build/doctrees
# The benchmark's peers need other versions of NumPy and JAX.
PEERS := .venv-bench
# The layers' tests run there again: on PyTorch without TensorFlow, and on the newest Python.
TORCH := .venv-torch
NEWEST := .venv-313
ON_BACKENDS := tests/backends tests/layers/test_circuit_layer.py
# A version manager's shim can exist and fail, and a system Python can lack venv: only one that runs counts.
RUNS := import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))

.DEFAULT_GOAL := help
.PHONY: help install test test-slow test-nightly test-backends test-wheel test-report lint bench soak compare report \
	data docs docs-links clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9%-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/installed ## Build the environment in .venv (the other targets do it when needed)

$(VENV)/installed: setup.cfg setup.py constraints.txt
	@set -e; rm -rf $(VENV); \
	for python in "$(PYTHON)" python3.11 python3.12 python3.10 python3 python; do \
		if [ -n "$$python" ] && "$$python" -c '$(RUNS)' >/dev/null 2>&1; then found="$$python"; break; fi; \
	done; \
	if [ -n "$$found" ]; then \
		echo "Building $(VENV) with $$("$$found" --version) ..."; \
		"$$found" -m venv $(VENV); \
	elif command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --seed --python 3.11 $(VENV); \
	else \
		echo "No usable Python: install Python 3.10, 3.11 or 3.12 with venv and pip (Debian: python3-venv), or uv." >&2; \
		exit 1; \
	fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

test: install ## Run the tests that are not slow, under Keras 3 and the Keras ones again under legacy Keras
	$(PYTEST) -m "not slow and not browser"
	TF_USE_LEGACY_KERAS=1 $(PYTEST) -m "keras and not slow"

test-slow: install ## Run the slow tests: whole commands, real trainings, kills, long comparisons
	$(PYTEST) -m slow
	TF_USE_LEGACY_KERAS=1 $(PYTEST) -m "keras and slow"

test-nightly: install ## Run the engine on 10,000 random circuits, other ones every time
	$(PYTEST) --hypothesis-profile=nightly tests/engines/test_random_circuits.py

test-backends: install $(TORCH)/installed $(NEWEST)/installed ## Run the layers' and the engine's tests on JAX, on PyTorch, and on Python 3.13 where it is
	$(PYTEST) tests/backends/test_exchange.py
	KERAS_BACKEND=jax $(PYTEST) $(ON_BACKENDS)
	KERAS_BACKEND=torch $(TORCH)/bin/python -m pytest -q -n auto $(ON_BACKENDS)
	if [ -x $(NEWEST)/bin/python ]; then \
		KERAS_BACKEND=jax $(NEWEST)/bin/python -m pytest -q -n auto $(ON_BACKENDS) && \
		KERAS_BACKEND=tensorflow $(NEWEST)/bin/python -m pytest -q -n auto $(ON_BACKENDS); \
	fi

$(TORCH)/installed: tests/backends/requirements-torch.txt
	rm -rf $(TORCH)
	$(BIN)/python -m venv $(TORCH)
	$(TORCH)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	$(TORCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(NEWEST)/installed: setup.cfg setup.py
	@set -e; rm -rf $(NEWEST); mkdir $(NEWEST); \
	for python in python3.13 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13*/bin/python3.13; do \
		if "$$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then \
			"$$python" -m venv $(NEWEST); \
			$(NEWEST)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' 'tensorflow>=2.20'; \
			break; \
		fi; \
	done; \
	if [ ! -x $(NEWEST)/bin/python ]; then echo "No Python 3.13: its tests are left out."; fi
	@touch $@

test-wheel: install ## Build a wheel and a source distribution, install the wheel into an empty environment, and try it there
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(BIN)/python -m build --outdir "$$folder/dist" . >"$$folder/log" 2>&1 || { cat "$$folder/log"; exit 1; }; \
	$(BIN)/python -m venv "$$folder/venv"; \
	"$$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		"$$folder"/dist/*.whl mypy pandas-stubs pytest types-PyYAML; \
	cd "$$folder"; PYTHONNOUSERSITE=1 venv/bin/python -m pytest -q -rs -p no:cacheprovider --noconftest --rootdir . \
		-c /dev/null --import-mode=importlib "$(CURDIR)/tests/installed/checks.py"

test-report: install $(VENV)/browser ## Run the tests of the report in headless Chromium
	$(BIN)/python -m pytest -q -m browser tests/reproduce/report

$(VENV)/browser: tests/reproduce/report/requirements-browser.txt constraints.txt
	@command -v chromium >/dev/null 2>&1 || { echo "No Chromium: install it (Debian: apt-get install chromium)." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r $<
	@touch $@

lint: install ## Check style, types, and that no conflict of a merge is left
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@! git grep -nE '^(<<<<<<<|>>>>>>>) '

reproduce-%: install ## Train what a table is made of and write results/<table>.{csv,md,png}: table1 ... (PROFILE=smoke|default|paper)
	$(BIN)/python -m reproduce $* --profile $(PROFILE) $(ARGS)

bench: install $(PEERS)/installed $(TORCH)/installed ## Time the engine, layers, the training of many models, tutorials, noise and shots beside their peers: results/bench*.{csv,md,png}
	$(BIN)/python -m bench $(ARGS)
	$(BIN)/python -m bench.xla
	$(BIN)/python -m bench.layers
	$(BIN)/python -m bench.training
	$(BIN)/python -m bench.tutorials
	$(BIN)/python -m bench.noise

$(PEERS)/installed: bench/requirements.txt
	rm -rf $(PEERS)
	$(BIN)/python -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

soak: install ## Kill a sweep of tiny runs 200 times at random moments: nothing may be lost, repeated or changed
	$(BIN)/python scripts/soak.py $(ARGS)

compare: install ## Hold the results against what is published, and write a verdict per claim to results/claims.md
	$(BIN)/python -m reproduce compare

report: install ## Write results/report.html: tables, figures, claims and their runs, in one file that any browser opens
	$(BIN)/python -m reproduce report

data: install ## List the data sets; with DATASET=name or all: fetch, check and prepare
	$(BIN)/python -m reproduce data $(if $(DATASET),fetch $(DATASET))

docs: $(VENV)/installed-docs ## Build the site in build/site, with the API reference, the report and the notebooks executed
	$(BIN)/python -m reproduce report
	rm -rf docs/reference/api
	$(SPHINX) $(ARGS) . build/site
	@echo "The site begins at build/site/index.html"

docs-links: $(VENV)/installed-docs ## Follow the documents' links to other hosts (the build checks all others)
	$(SPHINX) -b linkcheck . build/links

$(VENV)/installed-docs: $(VENV)/installed
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "The site is built with Python 3.11 or 3.12: make clean docs PYTHON=python3.11" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

clean: ## Remove the environment, the caches and the raw runs
	rm -rf $(VENV) $(PEERS) $(TORCH) $(NEWEST) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		results/runs.sqlite* results/checkpoints docs/reference/api
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
