# Everything from a bare Debian 12: `make demo` and `make test` do all the set-up.
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .uv/bin/uv
BIN := .venv/bin

.PHONY: demo test test-slow test-soak lint setup vicon-sdk requirements clean

demo: setup
	$(BIN)/kinemuse demo $(ARGS)

test: setup lint
	sh tools/vicon_sdk.sh --optional $(UV) $(PYTHON) .venv
	$(BIN)/pytest -n 2 -m "not slow and not hardware"

test-slow: setup
	$(BIN)/pytest -n 0 -m "slow and not soak and not hardware"

test-soak: setup
	$(BIN)/pytest -n 0 -m "soak and not hardware"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# The vendor's SDK, built once and kept in the user's cache; setup alone never builds it.
vicon-sdk: setup
	sh tools/vicon_sdk.sh $(UV) $(PYTHON) .venv

setup: .venv/.ready

.venv/.ready: requirements.txt pyproject.toml tools/system_packages.sh
	sh tools/system_packages.sh
	test -x $(UV) || $(PYTHON) -m pip install --quiet --target .uv uv==$(UV_VERSION)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --python .venv --require-hashes requirements.txt
	$(UV) pip install --quiet --python .venv --no-deps --editable .
	touch $@

requirements:
	$(UV) pip compile --universal --generate-hashes --no-emit-index-url --no-header \
		--group dev pyproject.toml --output-file requirements.txt

clean:
	rm -rf .venv .uv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
