# make demo | test | test-kills | ui | docs | bench-pit | bench-weekly | bench-training | lock | clean. Any Python from 3.11: make demo PYTHON=python3.12
PYTHON ?= python3
VENV ?= .venv
VENV_BENCH ?= .venv-bench
VENV_TRAINING ?= .venv-bench-training
PROJECT ?= retail
PYTEST_ARGS ?= -n auto --dist loadfile --no-loadscope-reorder
TORCH ?= 2.13.0
BENCH_ARGS ?=
QUALITY_ARGS ?=

BIN := $(VENV)/bin
# Python compiles what is used when it is used first; all of it would take pip a minute.
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
export DAGSTER_HOME := $(CURDIR)
# Every process would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-kills ui docs bench-pit bench-weekly bench-training lock clean
.DELETE_ON_ERROR:

demo: $(VENV)/$(if $(filter athlete,$(PROJECT)),.deep,.base) ## data, features, model, gates and card of one project, start to end
	@$(BIN)/platform-ml demo --project $(PROJECT)

ui: $(VENV)/.base ## Dagster's web page and daemon
	@$(BIN)/platform-ml ui

docs: $(VENV)/.docs ## the documentation as pages in site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir site
	@echo "site/index.html"

# There is a worker for each core already: threads of xgboost and torch would only wait for each other.
test: $(VENV)/.dev ## everything that CI checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_ARGS)

# The suite has six kills each, the faults of a deployment on PostgreSQL and its flow on SQLite. Here: forty kills, and
# both on both.
test-kills: $(VENV)/.dev ## kill -9 at many random points, where the suite has a few, and deployments on both databases: ten minutes
	PLATFORM_ML_KILLS=40 $(BIN)/python -m pytest -q platform_ml_tests/orchestration/test_kill.py platform_ml_tests/adapters/test_delta_kill.py platform_ml_tests/deployment

bench-pit: $(VENV)/.base $(VENV_BENCH)/.done ## the point-in-time join beside its peers: an hour; BENCH_ARGS="--scale small --rounds 1": a minute
	$(BIN)/python benchmarks/point_in_time/run.py --peers-python $(VENV_BENCH)/bin/python $(BENCH_ARGS)

bench-weekly: $(VENV)/.base ## what the 52nd weekly dataset costs beside building it from scratch
	$(BIN)/python benchmarks/weekly_datasets.py $(BENCH_ARGS)

bench-training: $(VENV)/.base $(VENV_TRAINING)/.done ## memory and quality of training beside peers: some minutes, and as many again for the first datasets
	$(BIN)/python benchmarks/training_memory.py $(BENCH_ARGS)
	$(BIN)/python benchmarks/quality/run.py --peers-python $(VENV_TRAINING)/bin/python $(QUALITY_ARGS)

# A torch for GPUs brings a driver stack of its own, which a CPU build must not be held to: those are left out.
lock: ## newest versions that pyproject.toml allows, tried in an environment of their own
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	echo "Resolving; this takes some minutes" && \
	$(PYTHON) -m venv "$$scratch" && \
	"$$scratch/bin/python" -m pip -qq --disable-pip-version-check --no-input install -e '.[deep,dev]' 'torch==$(TORCH)' && \
	{ sed '/^#/!d' requirements.lock; \
	  "$$scratch/bin/python" -m pip freeze --exclude-editable | \
	  sed -E -e '/^nvidia-nccl-cu12==/!{/^(cuda|nvidia|triton)\b/d}' -e 's/\+[A-Za-z0-9.]+$$//'; } > "$$scratch/lock" && \
	! grep -nE '@|/' "$$scratch/lock" | grep -v '^[0-9]*:#' && \
	cp "$$scratch/lock" requirements.lock && \
	echo "requirements.lock: $$(grep -c == requirements.lock) packages"

clean: ## the environment and all caches; data/ stays
	rm -rf $(VENV) $(VENV_BENCH) $(VENV_TRAINING) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build site *.egg-info
	find platform_ml platform_ml_tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=...")'
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Installing platform_ml into $(VENV): 2 GB, a minute or two"
	@$(PIP) install --no-compile -c requirements.lock -e .
	@touch $@

$(VENV)/.dev: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Installing platform_ml with [deep,dev] into $(VENV): 3.5 GB, three minutes"
	@$(PIP) install --no-compile -c requirements.lock -e '.[deep,dev]'
	@touch $(VENV)/.base $(VENV)/.deep $(VENV)/.docs $@

$(VENV)/.deep: $(VENV)/.base
	@echo "Installing torch into $(VENV): 1.5 GB, a minute"
	@$(PIP) install --no-compile -c requirements.lock -e '.[deep]'
	@touch $@

$(VENV)/.docs: $(VENV)/.base
	@echo "Installing MkDocs into $(VENV): 40 MB, some seconds"
	@$(PIP) install -c requirements.lock -e '.[docs]'
	@touch $@

# Feast on its own: where it does not install, the others are measured, and the table says that it is not there.
$(VENV_BENCH)/.done: benchmarks/requirements-bench.txt benchmarks/requirements-feast.txt requirements.lock
	@$(PYTHON) -m venv $(VENV_BENCH)
	@echo "Installing the peers into $(VENV_BENCH): 1 GB, half a minute"
	@$(VENV_BENCH)/bin/python -m pip -qq --disable-pip-version-check --no-input install -c requirements.lock -r benchmarks/requirements-bench.txt
	@$(VENV_BENCH)/bin/python -m pip -qq --disable-pip-version-check --no-input install -c requirements.lock -r benchmarks/requirements-feast.txt || \
	echo "Feast cannot be installed here; it will be missing from the table"
	@touch $@

$(VENV_TRAINING)/.done: benchmarks/requirements-training.txt
	@$(PYTHON) -m venv $(VENV_TRAINING)
	@echo "Installing FLAML and the mortgage data into $(VENV_TRAINING): half a minute"
	@$(VENV_TRAINING)/bin/python -m pip -qq --disable-pip-version-check --no-input install -r benchmarks/requirements-training.txt
	@touch $@
