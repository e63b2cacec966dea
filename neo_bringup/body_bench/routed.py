"""The same robots with tendons through sites, whose moment arms change with posture: reaches, broken parts.

``unaware``: a controller that goes by the table's constant arms, its monitor off, which would stop it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.body_bench.lab import ERRORS, Robot
from neo_bringup.body_bench.reaching import reach
from neo_bringup.faults_bench import hardware
from neo_description.tables import BODY

PARTS = ("reach", "unaware", "struck")
QUICK = ("reach", "unaware")
ROUTED = {"tendon_routing": "routed"}
BROKEN = 4  # of each kind, a robot
Say = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, say: Say) -> dict[str, Any]:
    """One of ``PARTS``, with robot ``seed``."""
    if part == "struck":
        rng = np.random.default_rng((seed, 13))
        faults = [("cut", str(t)) for t in rng.choice(BODY.tendons, BROKEN, replace=False)]
        faults += [("lost", str(j)) for j in rng.choice(BODY.joints, BROKEN, replace=False)]
        return {"runs": hardware.struck(seed, faults, say, moving=False, sim=ERRORS | ROUTED)}
    believes = {"tendon_routing": "fixed", "monitor": False} if part == "unaware" else {}
    sample = reach(seed, say, Robot(seed, body=believes, routing="routed"))
    if part == "unaware":  # its tensions are no figure of the controller that is meant for it
        return {name: sample[name] for name in ("errors", "fell")}
    return sample


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """``body.routed_*``."""
    out = []
    for part, name in (("reach", "routed"), ("unaware", "routed_unaware")):
        mine = [s for key, s in samples.items() if key.endswith(f"/{part}")]
        errors = [e for s in mine for e in s["errors"]]
        mm = [1000 * e[0] for e in errors]
        out.append(Figure(f"body.{name}_reach_mm_p50", quantile(mm, 0.5), len(mm)))
        out.append(Figure(f"body.{name}_reach_mm_max", quantile(mm, 1.0), len(mm)))
        out.append(Figure(f"body.{name}_falls", sum(s["fell"] for s in mine), len(mine)))
        if part == "reach":
            deg = [math.degrees(e[1]) for e in errors]
            out.append(Figure(f"body.{name}_reach_deg_max", quantile(deg, 1.0), len(deg)))
    runs = [run for s in samples.values() for run in s.get("runs", ())]
    missed = [run["part"] for run in runs if not run["found"]]
    fell = [run["part"] for run in runs if run["fell"]]
    n = len(runs)
    out.append(Figure("body.routed_broken_found", 1.0 - len(missed) / max(n, 1), n, ", ".join(missed[:6])))
    out.append(Figure("body.routed_broken_standing", 1.0 - len(fell) / max(n, 1), n, ", ".join(fell[:6])))
    return out
