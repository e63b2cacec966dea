"""What it feels: pushes at torso and hands that no sensor there tells, and encoders that fall silent."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.body_bench.lab import ERRORS, Robot
from neo_bringup.faults_bench import hardware
from neo_description.tables import BODY

PARTS = ("forces", "encoders")
FORCE = 10.0  # N, level at the torso, in any direction at a hand
ENCODERS = 2  # a robot loses, one at a time
Say = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, say: Say) -> dict[str, Any]:
    """One of ``PARTS``, with robot ``seed``."""
    return forces(seed, say) if part == "forces" else encoders(seed, say)


def forces(seed: int, say: Say) -> dict[str, Any]:
    """N that the estimate of a steady push is off, against what was felt before it."""
    robot, rng = Robot(seed).stand(), np.random.default_rng((seed, 13))
    off: dict[str, list[float]] = {"torso": [], "hand": []}
    for place, link in (("torso", "torso"), ("hand", "l_wrist"), ("torso", "torso"), ("hand", "r_wrist")):
        force = rng.normal(size=3) * (1.0, 1.0, 0.0 if place == "torso" else 1.0)
        force *= FORCE / np.linalg.norm(force)
        robot.run(1.0)
        before = _felt(robot, link)
        robot.plant.push(link, force, 0.6)
        robot.run(0.5)
        off[place].append(float(np.linalg.norm(_felt(robot, link) - before - force)))
    say(f"of {FORCE:g} N off by {max(off['torso']):.1f} N at the torso, {max(off['hand']):.1f} N at a hand")
    return robot.sample() | off


def _felt(robot: Robot, link: str) -> np.ndarray:
    felt = robot.body.externals
    answer: np.ndarray = (felt.torso() if link == "torso" else felt.hand(link[0]))[:3]
    return answer


def encoders(seed: int, say: Say) -> dict[str, Any]:
    """Encoders of legs and spine drop out while the robot stands: their tendons tell the angles."""
    carry = [j for j in BODY.joints if any(part in j for part in ("hip", "knee", "ankle", "torso"))]
    chosen = np.random.default_rng((seed, 14)).choice(carry, ENCODERS, replace=False)
    runs = hardware.struck(seed, [("lost", str(j)) for j in chosen], say, moving=False, sim=ERRORS)
    return {"runs": runs}


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """``body.felt_*``, ``body.encoder_*``."""
    out = []
    for place in ("torso", "hand"):
        off = [n for s in samples.values() for n in s.get(place, [])]
        for word, q in (("p50", 0.5), ("max", 1.0)):
            out.append(Figure(f"body.felt_{place}_off_n_{word}", quantile(off, q), len(off)))
    runs = [run for s in samples.values() for run in s.get("runs", [])]
    stood = [not run["fell"] and bool(run["found"]) for run in runs]
    out.append(Figure("body.encoder_standing", sum(stood) / len(stood) if stood else math.nan, len(stood)))
    return out
