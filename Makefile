# Two commands on a fresh machine: `make reconstruct SCENE=...` and `make test`.
# Each makes .venv on its first run and uses it from then on.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

SCENE ?= courtyard
FEATURES ?= dad-nano+rootsift
MATCHER ?= NN-mutual
PAIRS ?= exhaustive
MAPPER ?=
OUT ?=
EXPORT ?=
SHARED ?= ../shared

# Names of the user's reach the command through the environment, as they are: a quote or a dollar
# sign in them means nothing, neither to make nor to the shell.
override SCENE := $(value SCENE)
override OUT := $(value OUT)
override PAIRS := $(value PAIRS)
override MAPPER := $(value MAPPER)
export SCENE FEATURES MATCHER PAIRS MAPPER OUT EXPORT

.PHONY: help install reconstruct test test-fast lint typecheck docs faults table repeatability benchmark bench bench-gpu figures screenshots notebook train-dad clean

help:
	@echo "make reconstruct SCENE=<folder | name under datasets/>  photos -> model + report"
	@echo "                 [FEATURES=$(FEATURES)] [MATCHER=$(MATCHER)] [PAIRS=$(PAIRS)] [MAPPER=...] [OUT=...] [EXPORT='gs nerfstudio'] [ENGINE=ray]"
	@echo "make test                                               the test suite"
	@echo "make test-fast                                          without the slow ones: a minute or two"
	@echo "make faults                                             docs/reliability.md: an hour of faults (root, cc)"
	@echo "make lint typecheck                                     ruff, mypy"
	@echo "make docs                                               the site, in build/docs; warnings are errors"
	@echo "make table SCENES='<folders with images/ and gt/>'      the table of docs/results/accuracy.md"
	@echo "make repeatability PHOTOS='<folders>'                   its table of detectors"
	@echo "make benchmark [SHARED=<folder with scenes/, weights/>] docs/results: tables, plots, JSON"
	@echo "make bench [PHOTOS=<folder>] [ARGS=...]                 speed beside peers and plain loops"
	@echo "make bench-gpu [PHOTOS=<folder>] [ARGS=...]             the same on a GPU"
	@echo "make train-dad PHOTOS='<folders>' [ARGS=...]            the whole recipe; the same command resumes"
	@echo "make figures screenshots notebook                       pictures of README and docs, docs/courtyard.ipynb"

install: $(INSTALLED)

$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,docs]'
	@touch $@

reconstruct: $(INSTALLED)
	@$(BIN)/python -m dad_sfm reconstruct "$$SCENE" --features "$$FEATURES" --matcher "$$MATCHER" \
		--pairs "$$PAIRS" $${MAPPER:+--mapper "$$MAPPER"} $${OUT:+--out "$$OUT"} $${EXPORT:+--export $$EXPORT}

# A process per core, each with one thread: threads of two processes would wait for each other.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

test: $(INSTALLED)
	$(PYTEST)

test-fast: $(INSTALLED)
	$(PYTEST) -m 'not slow'

faults: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/campaign.py $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(INSTALLED)
	$(BIN)/mypy

docs: $(INSTALLED)
	$(BIN)/python -m sphinx -q -W --keep-going -c docs . build/docs
	@echo build/docs/index.html

table: $(INSTALLED)
	$(BIN)/python -m dad_sfm benchmark strecha --data $(SCENES) --budgets 2048 \
		--features dad-nano+rootsift dad-nano-x4+rootsift dad-nano+aliked-n16 \
		sift:NN-ratio aliked-n16

repeatability: $(INSTALLED)
	$(BIN)/python -m dad_sfm benchmark homographies --data $(PHOTOS) --linker truth \
		--budgets 512 1024 2048 \
		--features dad-nano dad-nano-x4 dad-nano-light dad-nano-dark sift aliked-n16

train-dad: $(INSTALLED)
	$(BIN)/python pipelines/train_dad.py $(if $(PHOTOS),--photos $(PHOTOS)) $(if $(OUT),--out '$(OUT)') $(ARGS)

benchmark: $(INSTALLED)
	DAD_SFM_WEIGHTS='$(or $(DAD_SFM_WEIGHTS),$(wildcard $(SHARED)/weights))' \
		$(BIN)/python pipelines/benchmark.py --scenes '$(SHARED)/scenes'

bench: $(INSTALLED)
	DAD_SFM_WEIGHTS='$(or $(DAD_SFM_WEIGHTS),$(wildcard $(SHARED)/weights))' \
		$(BIN)/python pipelines/bench.py $(or $(PHOTOS),'$(SHARED)/scenes/fountain-P11/images') $(ARGS)

bench-gpu: $(INSTALLED)
	DAD_SFM_WEIGHTS='$(or $(DAD_SFM_WEIGHTS),$(wildcard $(SHARED)/weights))' \
		$(BIN)/python pipelines/bench.py $(or $(PHOTOS),'$(SHARED)/scenes/fountain-P11/images') \
		--sections networks extraction full curves --device cuda $(ARGS)

figures: $(INSTALLED)
	$(BIN)/python pipelines/readme_figures.py

screenshots: $(INSTALLED)
	$(BIN)/python pipelines/screenshots.py

notebook: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[notebook]'
	$(BIN)/python pipelines/run_notebook.py

clean:
	rm -rf $(VENV) build dist *.egg-info
