"""How well perception sees: rendered stereo pairs against the simulator's truth (privileged: score only)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neo_bringup.bench.figures import Figure
from neo_bringup.bench.harness import Request

SEEDS = (40, 8)  # full, quick


def parts(request: Request) -> list[str]:
    return [f"seeds {request.seeds[0]} to {request.seeds[-1]}"]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    """All seeds at once: the quantiles are over every report of every seed."""
    from neo_perception import bench

    def after(done: int, of: int) -> None:
        progress(f"{done} of {of} seeds")

    return bench.measure(request.seeds, request.objects or None, request.scene, after)


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    (rows,) = samples.values()
    return [Figure(name, row["value"], row["n"]) for name, row in rows.items()]
