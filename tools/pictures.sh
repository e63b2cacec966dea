#!/usr/bin/env bash
# Every picture of README and docs anew, out of the running system: `make pictures`. Some minutes on two cores; needs
# chromium for the console and the pads.
#   pictures.sh [NAME …]    only these, such as `pads console`
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1 MUJOCO_GL=${MUJOCO_GL:-egl}
if (($# == 0)); then
    set -- $(cd docs/pictures && ls -- *.py | sed 's/\.py$//')
fi
missed=()
for name; do
    echo "pictures: $name"
    "${NEO_VENV:-.venv}/bin/python" "docs/pictures/$name.py" || missed+=("$name")
done
if ((${#missed[@]})); then
    echo "pictures: not made: ${missed[*]}" >&2
    exit 1
fi
