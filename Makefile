# Everything lands in .venv. Steps leave a stamp there and run again only when what they depend on changes.
#   PYTHON=python3.12       the Python to build .venv with
#   PIP_EXTRA_INDEX_URL     where pip also looks, for example PyTorch's index of CPU builds (docs/install.md)
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3 || echo python3)
STAMPS := .venv/.stamps
PY := .venv/bin/python
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(PY) -m pip install -qq --no-input --constraint requirements/constraints.txt
INTERFACES := $(wildcard neo_msgs/msg/*.msg neo_msgs/srv/*.srv neo_msgs/action/*.action)
BUILD_FILES := neo_msgs/CMakeLists.txt neo_msgs/package.xml neo_msgs/cmake/drop_missing_includes.cmake
TF2 := $(shell find neo_msgs/tf2_msgs_fallback -type f 2>/dev/null)
# set by the ROS wheels in a Python that may have started us; another environment must not inherit it
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE
ROOMS := $(patsubst %/__init__.py,%,$(wildcard neo_*/__init__.py))

.PHONY: help setup test demo lint build clean

help: ## show this
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1	\2/' | expand -t 16

setup: $(STAMPS)/packages $(STAMPS)/neo_msgs $(STAMPS)/neo_humanoid ## put everything into .venv (incremental)
	@:

demo: setup ## run the robot in simulation: "pick up the red bottle"
	@.venv/bin/neo demo

test: lint ## set up, lint, types, import contracts, every test
	@$(PY) -m pytest $(PYTEST_ARGS)

lint: setup ## ruff, mypy, import contracts
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy $(ROOMS)
	@.venv/bin/lint-imports

build: setup ## both packages with colcon, into build/ and install/, as on a ROS 2 machine
	@bash tools/colcon_build.sh

clean: ## remove .venv and everything built; runs/ stays
	rm -rf .venv build install log dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/venv:
	@bash tools/check_system.sh "$(PYTHON)"
	@echo "setup: virtual environment in .venv"
	@"$(PYTHON)" -m venv .venv
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/packages: $(STAMPS)/venv $(wildcard requirements/*.txt)
	@echo "setup: Python packages, pinned (about 2 GB with torch; some minutes the first time)"
	@$(PIP) -r requirements/runtime.txt -r requirements/ros.txt -r requirements/dev.txt -r requirements/ray.txt
	@touch $@

$(STAMPS)/tf2_msgs: $(STAMPS)/packages $(TF2) tools/build_interfaces.sh
	@bash tools/build_interfaces.sh tf2_msgs neo_msgs/tf2_msgs_fallback
	@touch $@

$(STAMPS)/neo_msgs: $(STAMPS)/tf2_msgs $(INTERFACES) $(BUILD_FILES)
	@bash tools/build_interfaces.sh neo_msgs neo_msgs
	@touch $@

$(STAMPS)/neo_humanoid: $(STAMPS)/packages setup.py setup.cfg pyproject.toml package.xml tools/link_package.sh
	@echo "setup: neo_humanoid"
	@$(PIP) --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@bash tools/link_package.sh
	@$(PY) -m compileall -q $(ROOMS)
	@touch $@
