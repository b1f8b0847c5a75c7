# Two commands do everything on a fresh machine: `make demo` and `make test`. Both may be run again at any time.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint types unit down clean lock bench-planner soak-kill soak-signer attack attack-coordinator setup browser screenshots soak soak-crash

demo: setup  ## the main job on a local network of real contracts
	@$(BIN)/python -m deploy.demo

test: setup lint types unit  ## every check and every test

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@echo "setting up .venv (Python packages pinned by hash; about a minute the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 2; }
	@test -d .venv || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "this Python has no venv module: apt-get install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lint: setup
	@echo "lint: ruff, import layers"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/lint-imports --no-logo

types: setup
	@echo "types: mypy --strict"
	@$(BIN)/mypy

unit: setup
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

down: setup  ## stop the demo's local network
	@$(BIN)/python -m deploy.localnet down

soak-kill: setup  ## kill -9 `apply` KILLS times on a local network of its own, then ask the chains
	@$(BIN)/python -m tests.soak.kills --kills $(or $(KILLS),100)

soak: setup  ## SEEDS drawn schedules of the simulated coordinator, from seed SEED_BASE on, on every core
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),20000) --seed-base $(or $(SEED_BASE),0)

soak-crash: setup  ## every crash point of every arrangement, alone and in ordered pairs within a step
	@$(BIN)/python -m tests.simulation --crash-points

attack: setup  ## MUTANTS changed transactions, of every class and rail, through the signer's gate
	@$(BIN)/python -m tests.coordinator.signer.campaign --mutants $(or $(MUTANTS),100000) --seed-base $(or $(SEED_BASE),1)

attack-coordinator: setup  ## REQUESTS questions of a hostile coordinator to the signer
	@$(BIN)/python -m tests.coordinator.signer.hostile --requests $(or $(REQUESTS),100000) --seed-base $(or $(SEED_BASE),1)

soak-signer: setup  ## the same, a million of them
	@$(BIN)/python -m tests.coordinator.signer.campaign --mutants $(or $(MUTANTS),1000000) --seed-base $(or $(SEED_BASE),1)

bench-planner: setup
	@$(BIN)/python tests/benchmarks/planner/run.py --sizes 5x5,8x6,12x8,20x12 --seeds $(or $(SEEDS),3) --first $(or $(FIRST),0) --bands 5,8,12

browser: setup  ## every page of the dashboard over the finished demo, in a real browser (needs Playwright and Chromium)
	@$(BIN)/python -m tests.browser.walk

screenshots: browser

bench-policies: setup  ## policies against other libraries (about 1 GB of them, in .venv-bench); add SLOW=--slow for bt on long panels
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r tests/benchmarks/policies/requirements.txt
	@OMP_NUM_THREADS=1 .venv-bench/bin/python -m tests.benchmarks.policies $(SLOW)

lock:  ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev pyproject.toml -o requirements.lock --custom-compile-command "make lock"

clean: down
	@rm -rf .venv .localnet .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache demo-report.json
