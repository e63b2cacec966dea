"""Tendons cut one by one while the robot stands: as ``neo bench faults``, on robots with errors of model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.body_bench.lab import ERRORS
from neo_bringup.faults_bench import hardware
from neo_description.tables import BODY

GROUPS = 16  # a robot gets every 16th tendon cut, so that 16 robots have had them all
PARTS = ("cuts",)


def measure(part: str, seed: int, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """The cuts that fall to ``seed``."""
    mine = BODY.tendons[seed % GROUPS :: GROUPS]
    return {"runs": hardware.struck(seed, [("cut", t) for t in mine], say, moving=False, sim=ERRORS)}


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """``body.cut_*``."""
    runs = [run for sample in samples.values() for run in sample["runs"]]
    if not runs:
        return []
    missed = [run["part"] for run in runs if not run["found"]]
    fell = [run["part"] for run in runs if run["fell"]]
    ms = [run["ms"] for run in runs if run["found"]]
    n = len(runs)
    return [
        Figure("body.cut_detected", 1.0 - len(missed) / n, n, ", ".join(missed[:6])),
        Figure("body.cut_ms_max", quantile(ms, 1.0), len(ms)),
        Figure("body.cut_standing", 1.0 - len(fell) / n, n, ", ".join(fell[:6])),
    ]
