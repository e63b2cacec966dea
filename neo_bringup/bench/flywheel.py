"""The flywheel, room by room: recorder, store, gate and updates, then whether the whole turns: a fleet.

Real processes are killed, real servers asked. A quick run leaves out what takes hours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neo_bringup.bench import rooms
from neo_bringup.bench.figures import Figure
from neo_bringup.bench.harness import Request
from neo_bringup.flywheel_bench import fleet, gate, recorder, store, update

SEEDS = (1, 1)
ROOMS: rooms.Rooms = {
    "recorder": recorder, "store": store, "gate": gate, "update": update, "fleet": fleet,
}  # fmt: skip


def parts(request: Request) -> list[str]:
    return rooms.parts(ROOMS, request)


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    return rooms.measure(ROOMS, part, request, progress)


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    return rooms.figures(ROOMS, samples)
