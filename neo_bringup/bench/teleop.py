"""Demonstrations by a scripted person at the real teleoperation page: does what they want come about?

A real headless browser and the simulated robot in lock-step; the teacher that the person imitates says
whether the task was done, as when episodes are collected. Seeds begin at ``FIRST``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.bench.harness import Request
from neo_world_model.modalities import PROVENANCE

SEEDS = (20, 2)  # full, quick
FIRST = 500_000
KIND = "pick_and_place"


def parts(request: Request) -> list[str]:
    return [str(seed) for seed in request.seeds]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    """One demonstration, with a browser of its own."""
    # imported here: they need a browser and the simulator
    from neo_bringup.collect import collect
    from neo_bringup.teleop_bench.browser import BrowserPerson

    began = time.monotonic()
    with BrowserPerson() as person:
        episode = collect.collect(KIND, FIRST + int(part), request.scene, through=person.through)
    sample = {
        "prompt": episode.prompt,
        "success": bool(episode.success),
        "plant_s": len(episode) / 10.0,
        "operated": float(np.mean(episode.provenance == PROVENANCE.index("teleop"))),
        "wall_s": time.monotonic() - began,
    }
    progress(f"seed {part}: {sample}")
    return sample


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    rows = list(samples.values())
    failed = "; ".join(f"seed {part}: {s['prompt']}" for part, s in samples.items() if not s["success"])
    made = [Figure("teleop.success_rate", sum(s["success"] for s in rows) / len(rows), len(rows), failed)]
    for name, field in (("operated_p50", "operated"), ("plant_p50", "plant_s"), ("wall_p50", "wall_s")):
        made.append(Figure(f"teleop.{name}", quantile([s[field] for s in rows], 0.5), len(rows)))
    return made
