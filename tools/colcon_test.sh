#!/bin/bash
# colcon test of what colcon_build.sh built, against the ROS 2 in .venv. On a ROS 2 machine plain `colcon test` does.
# Usage: colcon_test.sh [BASE [PYTEST ARGUMENT…]]   without arguments the whole suite
set -euo pipefail
cd "$(dirname "$0")/.."
base="${1:-.}" venv="$PWD/${NEO_VENV:-.venv}"
shift || true
set +u # colcon's own script asks for unset variables
. "$base/install/local_setup.sh"
set -u
export PATH="$venv/bin:$PATH" AMENT_PREFIX_PATH="$AMENT_PREFIX_PATH:$venv" COLCON_HOME="$base/.colcon"
colcon --log-base "$base/log" test --build-base "$base/build" --install-base "$base/install" \
  --executor sequential --return-code-on-test-failure ${1:+--pytest-args "$@"}
colcon test-result --test-result-base "$base/build"
