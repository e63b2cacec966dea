"""Benchmarks of several rooms: modules with ``PARTS``, ``measure(part, seed, folder, say)``, ``figures``.

``QUICK``, where a room has it, are the parts of a quick run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neo_bringup.bench.figures import Figure
from neo_bringup.bench.harness import Request

Rooms = dict[str, Any]  # name → module


def parts(rooms: Rooms, request: Request) -> list[str]:
    """``SEED/ROOM/PART OF THE ROOM`` of all that is asked for."""
    return [
        f"{seed}/{name}/{part}"
        for seed in request.seeds
        for name, room in rooms.items()
        for part in (getattr(room, "QUICK", room.PARTS) if request.quick else room.PARTS)
    ]


def measure(rooms: Rooms, part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    """The sample of ``part``, ``SEED/ROOM/PART OF THE ROOM``."""
    seed, name, rest = part.split("/", 2)
    sample: dict[str, Any] = rooms[name].measure(rest, int(seed), request.folder / part, progress)
    return sample


def figures(rooms: Rooms, samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """Of every room, of what was measured: of nothing there is none."""
    out = []
    for name, room in rooms.items():
        mine = {part: sample for part, sample in samples.items() if part.split("/")[1] == name}
        out += [figure for figure in room.figures(mine) if figure.n]
    return out
