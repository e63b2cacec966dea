#!/bin/bash
# colcon build of both packages against the ROS 2 in .venv. On a ROS 2 machine plain `colcon build` does.
# Usage: colcon_build.sh [BASE]   build, install and log folders go to BASE (default: this checkout)
set -euo pipefail
cd "$(dirname "$0")/.."
base="${1:-.}" venv="$PWD/${NEO_VENV:-.venv}"
export PATH="$venv/bin:$PATH" AMENT_PREFIX_PATH="$venv" CMAKE_PREFIX_PATH="$venv"
export COLCON_HOME="$base/.colcon"
colcon --log-base "$base/log" build --build-base "$base/build" --install-base "$base/install" \
  --executor sequential --cmake-args -G Ninja -DBUILD_TESTING=OFF \
  -DPython3_EXECUTABLE="$venv/bin/python"
