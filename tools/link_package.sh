#!/bin/bash
# Makes .venv an ament prefix of this checkout too, as colcon's install folder is one: `ros2 launch neo_humanoid …`,
# `ros2 run` and $(find-pkg-share neo_humanoid) work from it, and edits count at once.
set -euo pipefail
cd "$(dirname "$0")/.."
venv="${NEO_VENV:-.venv}"
mkdir -p "$venv/share/ament_index/resource_index/packages" "$venv/share/neo_humanoid" "$venv/lib/neo_humanoid"
touch "$venv/share/ament_index/resource_index/packages/neo_humanoid"
ln -sfn ../../../package.xml "$venv/share/neo_humanoid/package.xml"
for folder in launch config rviz models benchmarks; do
  ln -sfn "../../../$folder" "$venv/share/neo_humanoid/$folder"
done
find "$venv/lib/neo_humanoid" -type l -delete
for script in "$venv"/bin/neo "$venv"/bin/*_node; do
  ln -sfn "../../bin/$(basename "$script")" "$venv/lib/neo_humanoid/$(basename "$script")"
done
