#!/bin/bash
# Builds one interface package with CMake into .venv (or $NEO_VENV). Usage: build_interfaces.sh NAME SOURCE
# Does nothing where the ROS 2 that is sourced already has tf2_msgs.
set -euo pipefail
name="$1" source="$2"
root="$(cd "$(dirname "$0")/.." && pwd)"
venv="$root/${NEO_VENV:-.venv}" build="$root/${NEO_VENV:-.venv}/build/$name"

if [ "$name" = tf2_msgs ]; then
  IFS=: read -ra prefixes <<<"${AMENT_PREFIX_PATH:-}"
  for prefix in "${prefixes[@]}"; do
    if [ "$prefix" != "$venv" ] && [ -e "$prefix/share/ament_index/resource_index/packages/tf2_msgs" ]; then
      echo "setup: tf2_msgs is in $prefix"
      exit 0
    fi
  done
fi

echo "setup: building $name (about half a minute)"
export PATH="$venv/bin:$PATH"
export AMENT_PREFIX_PATH="$venv${AMENT_PREFIX_PATH:+:$AMENT_PREFIX_PATH}"
export CMAKE_PREFIX_PATH="$venv${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}"
mkdir -p "$build"
log="$build/build.log"
if ! {
  cmake -S "$root/$source" -B "$build" -G Ninja -DBUILD_TESTING=OFF -DCMAKE_BUILD_TYPE=Release \
    -DPython3_EXECUTABLE="$venv/bin/python" -DCMAKE_INSTALL_PREFIX="$venv" &&
    cmake --build "$build" && cmake --install "$build"
} >"$log" 2>&1; then
  grep -E -A8 'error|Error|FAILED' "$log" | tail -40 >&2 || tail -40 "$log" >&2
  echo "setup: building $name failed; all of it in $log" >&2
  exit 1
fi
