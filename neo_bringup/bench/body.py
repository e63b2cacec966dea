"""What the body can do: standing, pushes, squats, reaching, floor picks, loads, boxes, cut tendons, walking;
what a tick costs.

Every robot differs from the tables its controller believes: masses by 10 %, moment arms by 5 %, drawn by the
seed. Parts are rooms in neo_bringup/body_bench/.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neo_bringup.bench import rooms
from neo_bringup.bench.figures import Figure
from neo_bringup.bench.harness import Request
from neo_bringup.body_bench import (
    balance,
    box_lift,
    cost,
    floor_pick,
    reaching,
    routed,
    senses,
    tendons,
    walk,
)

SEEDS = (20, 2)
ROOMS: rooms.Rooms = {
    "balance": balance, "reaching": reaching, "tendons": tendons, "senses": senses, "cost": cost,
    "walk": walk, "floor_pick": floor_pick, "box_lift": box_lift, "routed": routed,
}  # fmt: skip


def parts(request: Request) -> list[str]:
    return rooms.parts(ROOMS, request)


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    return rooms.measure(ROOMS, part, request, progress)


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    return [*rooms.figures(ROOMS, samples), *_limits(samples)]


def _limits(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """Tensions within their limits, over everything that was run."""
    counted = [s for s in samples.values() if "ticks" in s]
    total = sum(s["ticks"] for s in counted)
    bad = sum(s["outside"] + s["refused"] for s in counted)
    return [Figure("body.tensions_inside", 1.0 - bad / total, total)] if total else []
