# One word per task. A fresh clone needs python3 (3.11 to 3.13) with its venv module, make and git; the rest is installed
# into .venv from the hash-checked files in requirements/. A stamp inside .venv makes a second call quick.

SHELL := /bin/bash
# Where the environment forbids Python to keep what it compiled, each of a thousand processes compiles all of it again.
export PYTHONDONTWRITEBYTECODE :=
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.NOTPARALLEL:

VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed-run
TEST_STAMP := $(VENV)/.installed-test
LOCK_STAMP := $(VENV)/.installed-lock
BENCH := .benchmarks/venv
BENCH_STAMP := $(BENCH)/.installed
# The state of the program that waits are compared with, from this folder's own history.
EARLIER := .benchmarks/earlier
PEERS := .benchmarks/peers
PEERS_STAMP := $(PEERS)/.installed
CALIBRATION := .benchmarks/calibration
CALIBRATION_STAMP := $(CALIBRATION)/.installed
# Wheels only: no code of a source archive runs at installation, and every file is checked by its hash. The lists are
# complete, so nothing is resolved: a release of tomorrow cannot be asked for by an extra that a list does not name.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps
# The package itself comes from this folder, so it has no hash; its builder is in requirements/run.txt.
INSTALL_SELF := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
REPLICATES ?= 1000
PYTEST_ARGS ?=
# A process for each core; the tests of one file stay together, for they share what is slow to make.
SHAPED := tests/contract/test_shapes_are_checked.py tests/golden tests/unit/test_simulate.py tests/unit/test_trial_analyses.py \
	tests/unit/test_planner.py
CORE := src/remission/records/*,src/remission/protocol/*,src/remission/numerics/*,src/remission/units.py,src/remission/streams.py,src/remission/provenance.py,src/remission/analyses/*
SPREAD := --numprocesses auto --dist loadfile

.PHONY: help run install test browser check format-check lint types layers docs unit coverage quick format golden \
	lock pages bench waits calibrate wide ranks second inference torture realism endpoints mmrm double effects rpact estimands facts medicines therapies blinding operating fuzz abuse bench-load laws shapes \
	static processes thorough kernels processors picture worlds forecasts explanations credibility dist dist-check clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

run: $(RUN_STAMP) ## install, then simulate the two published trials and say where their reports are
	@$(BIN)/remission run dakwar-2019 kare --replicates $(REPLICATES)

install: $(RUN_STAMP) ## install only, into .venv

test: $(TEST_STAMP) browser check ## install what the checks need, a browser too, then run them all

check: format-check lint layers static unit processes ## every check, as in CI

# ------------------------------------------------------------------------------------------------------- installation

# .venv itself is no target: its time changes with every file put into it, and it may have been made by somebody else.
$(VENV)/bin/python:
	@python=""; \
	for candidate in $${PYTHON:-python3 python3.13 python3.12 python3.11}; do \
	  if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then \
	    python="$$candidate"; break; \
	  fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "make: found no Python 3.11, 3.12 or 3.13. Install python3 and python3-venv, or name one: make PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "make: $$python has no venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv $(VENV)

# Some tools make a .venv without pip.
ENSURE_PIP := $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --default-pip >/dev/null

$(RUN_STAMP) $(TEST_STAMP) $(LOCK_STAMP): | $(VENV)/bin/python

$(RUN_STAMP): requirements/run.txt pyproject.toml
	@echo "Installing what remission needs"
	@$(ENSURE_PIP)
	@$(PIP_INSTALL) --requirement requirements/run.txt
	@$(INSTALL_SELF)
	@touch $@

$(TEST_STAMP): requirements/test.txt pyproject.toml
	@echo "Installing what remission and its checks need"
	@$(ENSURE_PIP)
	@$(PIP_INSTALL) --no-compile --requirement requirements/test.txt
	@$(INSTALL_SELF)
	@touch $@ $(RUN_STAMP)

$(LOCK_STAMP): requirements/lock.txt
	@$(ENSURE_PIP)
	@$(PIP_INSTALL) --requirement requirements/lock.txt
	@touch $@

browser:
	@tools/install-chromium

# -------------------------------------------------------------------------------------------------------------- checks

format-check: $(TEST_STAMP)
	$(BIN)/ruff format --check .

lint: $(TEST_STAMP) ## style and likely errors
	$(BIN)/ruff check .

types: $(TEST_STAMP) ## strict types
	$(BIN)/mypy

layers: $(TEST_STAMP) ## imports go downward only
	$(BIN)/lint-imports --no-cache

# Types and documents keep one core busy each; then the equations are compiled once, not by each process of the tests.
static: $(TEST_STAMP)
	@{ $(BIN)/mypy && place=$$(mktemp -d) && $(BIN)/remission run kare --replicates 2 --out "$$place" >/dev/null && rm -rf "$$place"; } & \
	types=$$!; $(MAKE) --no-print-directory docs || { kill $$types; exit 1; }; wait $$types

docs: $(TEST_STAMP) ## build the documents into docs/_build/html; a warning is an error
	$(BIN)/sphinx-build --no-color -W --keep-going -q -j auto -b html docs docs/_build/html

unit: $(TEST_STAMP)
	$(BIN)/python -m pytest $(SPREAD) $(PYTEST_ARGS)

# The core carries every other result, so no line of it goes unrun. Counting doubles the time of the core's tests: it has
# a task of its own, to be run before a release and where the core changes.
coverage: $(TEST_STAMP) ## every test while the lines that run are counted: all of the core, most of the rest
	$(BIN)/python -m pytest $(SPREAD) --cov --cov-report=term --cov-fail-under=85 $(PYTEST_ARGS)
	$(BIN)/coverage report --fail-under=100 --include='$(CORE)'

# Shape hints are checked at run time in the tests that meet most of the chain; in all of them by make thorough.
shapes: $(TEST_STAMP) ## shape hints of arrays, checked while a part of the tests runs
	REMISSION_SHAPES=on $(BIN)/python -m pytest -q $(SHAPED)

thorough: $(TEST_STAMP) ## every test in full, shape hints checked, 1,000 cases of each law: an hour or more
	REMISSION_THOROUGH=1 REMISSION_LAWS=$${REMISSION_LAWS:-1000} OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest $(SPREAD) $(PYTEST_ARGS)

quick: $(TEST_STAMP) ## the fast tests only, without coverage
	$(BIN)/python -m pytest $(SPREAD) -m "not slow and not stat and not browser" $(PYTEST_ARGS)

# --------------------------------------------------------------------------------------------------------------- chores

format: $(TEST_STAMP) ## rewrite the code in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The page of facts and those that torture, abuse and studies write have targets of their own: they take long.
pages: $(TEST_STAMP) ## every page that is written from the library, again; and the schema of protocol files
	@for page in parameter_page routes_page endpoint_page plan_page pharmacology_page pharmacology_rows read_protocols kept_pictures; do \
	  echo "== $$page"; $(BIN)/python -m "validation.$$page"; \
	done
	@$(BIN)/python -c "from pathlib import Path; from remission.protocol.json_schema import schema_text; text = schema_text(); \
	  [Path(name).write_text(text, 'utf-8') for name in ('docs/reference/protocol.schema.json', 'src/remission/library/protocol.schema.json')]"

golden: $(TEST_STAMP) ## rewrite the golden numbers; asks for a changelog fragment of kind "numbers"
	REMISSION_GOLDEN=rewrite $(BIN)/python -m pytest tests/golden tests/unit/test_doctor.py::test_the_stored_answers_are_those_of_this_code $(PYTEST_ARGS)
	@if ! git diff --quiet -- tests/golden && ! git status --porcelain changelog.d | grep -q '\.numbers\.md$$'; then \
	  echo "make: golden numbers moved. Say which, how much and why in changelog.d/<id>.numbers.md" >&2; exit 1; \
	fi

lock: $(LOCK_STAMP) ## resolve requirements/*.in again; UPGRADE=1 takes newer versions
	@for name in lock run core test bench peers calibrate; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links --only-binary :all: --override requirements/overrides.in $(if $(UPGRADE),--upgrade) \
	    $$([[ "$$name" = core || "$$name" = test || "$$name" = bench || "$$name" = calibrate ]] && echo --constraint requirements/run.txt) \
	    --output-file requirements/$$name.txt requirements/$$name.in; \
	done
	@if grep -n '://' requirements/*.txt; then echo "make: an address got into a lock file" >&2; exit 1; fi

# The engines we are measured against have their own environment: nothing of them belongs into the program's.
$(BENCH_STAMP): requirements/bench.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the benchmarks compare with, into $(BENCH)"
	@$(VENV)/bin/python -m venv $(BENCH)
	@$(subst $(BIN),$(BENCH)/bin,$(PIP_INSTALL)) --requirement requirements/bench.txt
	@$(subst $(BIN),$(BENCH)/bin,$(INSTALL_SELF))
	@touch $@

$(CALIBRATION_STAMP): requirements/calibrate.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the calibration needs, into $(CALIBRATION)"
	@$(VENV)/bin/python -m venv $(CALIBRATION)
	@$(subst $(BIN),$(CALIBRATION)/bin,$(PIP_INSTALL)) --requirement requirements/calibrate.txt
	@$(subst $(BIN),$(CALIBRATION)/bin,$(INSTALL_SELF))
	@touch $@

calibrate: $(CALIBRATION_STAMP) ## the registered fit to published trials; into the library and docs/validation/posterior.md
	@OPENBLAS_NUM_THREADS=1 $(CALIBRATION)/bin/python -m validation.posterior_page .benchmarks/points

wide: $(CALIBRATION_STAMP) ## the registered fit with the shape of use free; into docs/validation/posterior-wide.md
	@OPENBLAS_NUM_THREADS=1 $(CALIBRATION)/bin/python -m validation.wide_page .benchmarks/points

ranks: $(CALIBRATION_STAMP) ## 200 fits of data sets of the exact simulator, by chains and by weights: are their ranks uniform?; into validation/inference/results.json
	@for table in ranks ranks_counts ranks_chains; do \
	  OPENBLAS_NUM_THREADS=1 $(CALIBRATION)/bin/python -m validation.inference.ranks .benchmarks/points $$table; \
	done

second: $(CALIBRATION_STAMP) ## a flow that learns the posterior without a likelihood, beside it; into validation/inference/results.json
	@OPENBLAS_NUM_THREADS=1 $(CALIBRATION)/bin/python -m validation.inference.second .benchmarks/points

inference: $(CALIBRATION_STAMP) ## the fit checked without sampling, after make calibrate: predictive, identified, Sobol, influence, arms left out
	@OPENBLAS_NUM_THREADS=1 $(CALIBRATION)/bin/python -m validation.inference.checks .benchmarks/points

$(PEERS_STAMP): requirements/peers.txt | $(VENV)/bin/python
	@echo "Installing the trial simulator that the benchmarks compare with, into $(PEERS)"
	@$(VENV)/bin/python -m venv $(PEERS)
	@$(subst $(BIN),$(PEERS)/bin,$(PIP_INSTALL)) --requirement requirements/peers.txt
	@touch $@

$(EARLIER):
	@rm -rf "$@.part"; git clone --quiet . "$@.part" && git -C "$@.part" checkout --quiet 2bcf5bc && mv "$@.part" "$@"

# Each part is a process of its own, which writes its figures itself. One that fails, or takes longer than the limit, is
# said at the end, and the others go on.
BENCH_LIMIT ?= 90m
LIMITED := $(if $(shell command -v timeout),timeout --foreground $(BENCH_LIMIT))
bench: $(BENCH_STAMP) $(PEERS_STAMP) $(EARLIER) ## speed and memory on this machine, against other engines; into benchmarks/results.json
	@failed=""; \
	for part in "waits $(EARLIER) --page" "trials $(EARLIER)" design course commands scale streamed dask_workers pk curves mmrm "simulators $(PEERS)/bin/python" page; do \
	  echo "== $$part"; started=$$SECONDS; \
	  OPENBLAS_NUM_THREADS=1 $(LIMITED) $(BENCH)/bin/python -m benchmarks.$$part || failed="$$failed; $$part"; \
	  echo "== $$part: $$((SECONDS - started)) s"; \
	done; \
	[ -z "$$failed" ] || { echo "make: these parts of bench failed$$failed. The others' figures are in benchmarks/results.json" >&2; exit 1; }

waits: $(BENCH_STAMP) $(EARLIER) ## seconds that people wait, and what they go into, beside an earlier state; into docs/explanation/waits.md
	@OPENBLAS_NUM_THREADS=1 $(BENCH)/bin/python -m benchmarks.waits $(EARLIER) --page

torture: $(TEST_STAMP) ## 200 kills, full disks, jumping clocks: runs must end with the same bytes; into docs/validation/torture.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -u -m validation.torture --write

realism: $(TEST_STAMP) ## simulated diaries beside those in DIARIES=folder (CTN-0094 tables); into docs/validation/realism.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.realism.fit "$(DIARIES)"
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.realism "$(DIARIES)"

endpoints: $(TEST_STAMP) ## endpoints of the people in DIARIES=folder (CTN-0094 tables), computed twice; into docs/validation/endpoints.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.endpoint_check "$(DIARIES)"

effects: $(TEST_STAMP) ## closed forms of stated effects beside base R (needs Rscript); into docs/validation/closed-forms.md
	@$(BIN)/python -m validation.closed_forms
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.looks

rpact: $(TEST_STAMP) ## sequential designs beside rpact (needs Rscript and r-cran-rpact); into docs/validation/rpact.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.rpact_looks

mmrm: $(TEST_STAMP) ## mixed models beside printed output of SAS (../shared/data/mmrm); into docs/validation/mmrm.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.mmrm_references

double: $(TEST_STAMP) ## second programs of all methods of analyze beside the first; into docs/validation/double-programming.md and the library
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.second.compare

estimands: $(TEST_STAMP) ## analyses held to the true value of their estimand; into docs/validation/estimands.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.estimand_study

facts: $(TEST_STAMP) ## every registered fact computed; into docs/validation/facts.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.facts_page

forecast: $(TEST_STAMP) ## the forecast of more_kare once more, into FOLDER; the one on record is never written again
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.forecast "$(FOLDER)"

forecasts: $(TEST_STAMP) ## register the forecasts of docs/forecasts/trials.toml that are not there yet, and list all of them
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.forecast_register

explanations: $(TEST_STAMP) ## what carries each published trial in the model, for the pages; into the library
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.explain_pages

credibility: $(TEST_STAMP) ## the credibility file, from its words and the records; into docs/validation/credibility.md
	@$(BIN)/python -m validation.credibility_page

worlds: $(TEST_STAMP) ## possible worlds of the first page and the closed links of /learn, from the model as it is now; into the library
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.front_pages

medicines: $(TEST_STAMP) ## standard medicines beside what was read of them; into docs/validation/medicines.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.medicine_study

therapies: $(TEST_STAMP) ## kinds of therapy beside what was read of them; into docs/validation/therapies.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.therapy_study

blinding: $(TEST_STAMP) ## the bench of blinding beside worked numbers, public guesses and published effects; into docs/validation/blinding-bench.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.blinding_bench

kinetics: $(TEST_STAMP) ## every kinetic model against a second integration, 500 random regimens each
	@$(BIN)/python -m validation.kinetics_independent

fuzz: $(TEST_STAMP) ## 100,000 mutated diary files: each is read, or refused with a typed error
	@$(BIN)/python -m validation.import_fuzz

abuse: $(TEST_STAMP) ## 3,000 mutated files, 350 damaged runs, 500 random command lines, 60 kills; into docs/validation/abuse.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -u -m validation.abuse --write

# Each of the two is one process.
processes: $(TEST_STAMP)
	@$(MAKE) --no-print-directory kernels & kernels=$$!; $(MAKE) --no-print-directory shapes || { kill $$kernels; exit 1; }; wait $$kernels

# The tests that a processor once turned red, under kernels that this machine would not choose by itself.
kernels: $(TEST_STAMP) ## golden numbers and analyses as if on two other processors, one of them an old one
	@$(BIN)/python -m validation.processors --quick

picture: $(RUN_STAMP) ## draw the picture of README.md again, from a thousand simulated trials; into docs/pictures/
	@place=$$(mktemp -d); $(BIN)/remission run kare --replicates 1000 --out "$$place" >/dev/null; \
	mkdir -p docs/pictures; cp "$$place"/*/figures/results.svg docs/pictures/kare.svg; rm -rf "$$place"

dist: $(RUN_STAMP) ## the wheel and the source archive, into dist/
	@rm -rf dist
	@$(BIN)/python -m hatchling build -d dist

# Installs away from this folder; PYTHONS may be names or paths.
dist-check: $(RUN_STAMP) ## the wheel installed and used away from here, for each of PYTHONS="python3.11 ..."
	@$(BIN)/python -u -m validation.installed $(foreach python,$(PYTHONS),"$(if $(findstring /,$(python)),$(abspath $(python)),$(python))")

# An environment for each Python, with the very files of requirements/run.txt.
PYTHONS ?= $(BIN)/python
processors: $(TEST_STAMP) ## three runs under five kernels and each of PYTHONS="python3.11 ...": the same bytes; into docs/validation/processors.md
	@found=""; \
	for python in $(PYTHONS); do \
	  place=".benchmarks/processors-$$("$$python" -c 'import platform; print(platform.python_version())')"; \
	  [ -x "$$place/bin/python" ] || "$$python" -m venv "$$place"; \
	  $(subst $(BIN)/,"$$place"/bin/,$(PIP_INSTALL)) --requirement requirements/run.txt; \
	  $(subst $(BIN)/,"$$place"/bin/,$(INSTALL_SELF)); \
	  found="$$found $$place/bin/python"; \
	done; \
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -u -m validation.processors --write $$found

laws: $(TEST_STAMP) ## every law of tests/laws over 1,000 random cases (the suite tries 50)
	@REMISSION_LAWS=$${REMISSION_LAWS:-1000} REMISSION_SHAPES=off $(BIN)/python -m pytest --numprocesses auto tests/laws $(PYTEST_ARGS)

clean: ## remove what the checks and builds leave behind; .venv and runs/ stay
	rm -rf build dist docs/_build docs/reference/api .coverage coverage.xml .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find src tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

bench-load: $(TEST_STAMP) ## five runs and fifty readers of one workbench together
	@$(BIN)/python -u -m validation.bench_load

operating: $(TEST_STAMP) ## type I error and power against their references, a registered list; into docs/validation/operating.md
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.operating_study
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m validation.operating_laws
