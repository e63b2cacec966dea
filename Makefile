# Everything lands in .venv. Steps leave a stamp there and run again only when what they depend on changes.
#   PYTHON=python3.12       the Python to build .venv with
#   ROS=jazzy               ROS 2 Jazzy instead of Kilted, in .venv-jazzy; Python 3.12 only (make test-jazzy)
#   JOBS=4                  tests that run side by side (2); PYTEST_ARGS=…: one pytest with these words instead
#   PIP_EXTRA_INDEX_URL     where pip also looks, for example PyTorch's index of CPU builds (docs/install.md)
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

ROS ?= kilted
ifeq ($(ROS),jazzy)
VENV := .venv-jazzy
# pyenv's own `python3.12` works only where it was made global
PYTHON := $(shell for p in python3.12 $(HOME)/.pyenv/versions/3.12.*/bin/python3.12; do \
	if "$$p" -c '' 2>/dev/null; then echo "$$p"; exit; fi; done; echo python3.12)
ROS_FILES := ros-jazzy
CONSTRAINTS := $(VENV)/constraints.txt
else ifeq ($(ROS),kilted)
VENV := .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3 || echo python3)
ROS_FILES := ros
CONSTRAINTS := requirements/constraints.txt
else
$(error ROS=$(ROS): kilted or jazzy)
endif
export NEO_VENV := $(VENV)
STAMPS := $(VENV)/.stamps
PY := $(VENV)/bin/python
# what is imported is compiled then; all of it at once took half a minute more
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(PY) -m pip install -qq --no-input --no-compile --constraint $(CONSTRAINTS)
INTERFACES := $(wildcard neo_msgs/msg/*.msg neo_msgs/srv/*.srv neo_msgs/action/*.action)
BUILD_FILES := neo_msgs/CMakeLists.txt neo_msgs/package.xml neo_msgs/cmake/drop_missing_includes.cmake
TF2 := $(shell find neo_msgs/tf2_msgs_fallback -type f 2>/dev/null)
# set by the ROS wheels in a Python that may have started us; another environment must not inherit it
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE
JOBS ?= 2
# whole robots and browsers, which wait for one another on busy cores: after the others, one at a time
ALONE := test/integration test/rviz test/neo_bringup/test_console_browser.py test/neo_bringup/test_teleop_page.py \
	test/neo_bringup/test_teleop_bench.py
ROOMS := $(patsubst %/__init__.py,%,$(wildcard neo_*/__init__.py))

.PHONY: help setup test test-jazzy demo lint build docs docs-serve pictures audit clean

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1	\2/' | expand -t 22

setup: $(STAMPS)/packages ## put everything into .venv (incremental)
	@$(MAKE) --no-print-directory -j3 $(addprefix $(STAMPS)/,tf2_msgs neo_msgs neo_humanoid)

demo: setup ## run the robot in simulation: "pick up the red bottle"
	@$(VENV)/bin/neo demo

test: lint ## set up, lint, types, import contracts, every test
ifdef PYTEST_ARGS
	@$(PY) -m pytest $(PYTEST_ARGS)
else
	@$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(addprefix --ignore=,$(ALONE))
	@$(PY) -m pytest $(ALONE)
endif

test-jazzy: ## the same tests on ROS 2 Jazzy with Python 3.12, in .venv-jazzy
	@$(MAKE) --no-print-directory ROS=jazzy setup
	@.venv-jazzy/bin/python -m pytest $(PYTEST_ARGS)

lint: setup ## ruff, mypy, import contracts
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy $(ROOMS)
	@$(VENV)/bin/lint-imports

build: setup ## both packages with colcon, into build/ and install/, as on a ROS 2 machine
	@bash tools/colcon_build.sh

docs: setup ## the documentation as a site, into runs/site; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo "docs: runs/site/index.html (make docs-serve: with search)"

docs-serve: docs ## the same, served on port 8000 of this machine alone
	@$(PY) -m http.server --bind 127.0.0.1 --directory runs/site 8000

pictures: setup ## every picture of README and docs anew, out of the running system
	@bash tools/pictures.sh

audit: $(STAMPS)/audit ## known vulnerabilities of every pinned package (asks a public service), licences
	@$(PY) tools/licences.py --check || { echo "audit: docs/reference/licences.md is out of date: $(PY) tools/licences.py" >&2; exit 1; }
	@$(PY) tools/audit.py $(VENV)/audit/bin/pip-audit

clean: ## remove .venv, .venv-jazzy and everything built; runs/ stays
	rm -rf .venv .venv-jazzy build install log dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/venv:
	@bash tools/check_system.sh "$(PYTHON)"
	@echo "setup: virtual environment in $(VENV)"
	@"$(PYTHON)" -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/packages: $(STAMPS)/venv $(filter-out requirements/audit.txt,$(wildcard requirements/*.txt))
	@echo "setup: Python packages, pinned (about 2 GB with torch; some minutes the first time)"
	@if [ $(ROS) = jazzy ]; then \
	  grep -vE '^(ros-|rclpy|rcutils)' requirements/constraints.txt | cat - requirements/constraints-jazzy.txt >$(CONSTRAINTS); fi
	@$(PIP) $(patsubst %,-r requirements/%.txt,runtime $(ROS_FILES) dev ray)
	@touch $@

$(STAMPS)/audit: $(STAMPS)/packages requirements/audit.txt
	@$(PY) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install -qq --no-input --disable-pip-version-check -r requirements/audit.txt
	@touch $@

$(STAMPS)/tf2_msgs: $(STAMPS)/packages $(TF2) tools/build_interfaces.sh
	@bash tools/build_interfaces.sh tf2_msgs neo_msgs/tf2_msgs_fallback
	@touch $@

$(STAMPS)/neo_msgs: $(STAMPS)/packages $(INTERFACES) $(BUILD_FILES)
	@bash tools/build_interfaces.sh neo_msgs neo_msgs
	@touch $@

$(STAMPS)/neo_humanoid: $(STAMPS)/packages setup.py setup.cfg pyproject.toml package.xml tools/link_package.sh
	@echo "setup: neo_humanoid"
	@$(PIP) --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@bash tools/link_package.sh
	@$(PY) -m compileall -q $(ROOMS)
	@touch $@
