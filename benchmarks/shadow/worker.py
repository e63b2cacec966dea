"""Runs trials on the Shadow hand, a JSON line for each; ``neo bench shadow`` starts it in its own venv.

python -m benchmarks.shadow.worker touch 1000 1001 1002
"""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

import numpy as np

from benchmarks.shadow import fit
from benchmarks.shadow.plant import Block, Plant

# What is tried: how it senses, and the fixed force (N), if any.
WAYS: dict[str, tuple[str, float | None]] = {
    "touch": ("pads", None),
    "flat": ("flat", None),
    "normals": ("normals", None),
    "fixed_4": ("pads", 4.0),
    "fixed_12": ("pads", 12.0),
}
LEAST, MOST, HALVINGS = 0.5, 14.0, 5  # N: where the smallest force that holds is looked for, to 11 %


def least(seed: int) -> dict[str, Any]:
    """The trial with touch, and the smallest fixed force that holds the same (privileged: score only)."""
    from benchmarks.shadow import trial

    case = trial.Case.draw(seed)
    result = trial.run(case, "pads")
    low, high, found = LEAST, MOST, None
    for i in range(HALVINGS + 1):
        force = high if i == 0 else math.sqrt(low * high)
        tried = trial.run(case, "pads", force)
        if tried["held"]:
            high, found = force, tried["mean"]
        elif i == 0:
            break
        else:
            low = force
    return result | {"least": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=[*WAYS, "least"])
    parser.add_argument("seeds", type=int, nargs="+")
    args = parser.parse_args()
    fit.fit(Plant(Block("box", 0.04, 0.06, 0.1, 0.7), np.zeros(2), 0.0, 0).model)
    from benchmarks.shadow import trial

    for seed in args.seeds:
        if args.way == "least":
            result = least(seed)
        else:
            sensing, fixed = WAYS[args.way]
            result = trial.run(trial.Case.draw(seed), sensing, fixed)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
