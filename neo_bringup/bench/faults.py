"""Faults put in on purpose, family by family: what reaches a drive, what is told, does the robot stay up?

Each family has a module in neo_bringup/faults_bench/, with its parts and what a quick run takes of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neo_bringup.bench.figures import Figure
from neo_bringup.bench.harness import Request
from neo_bringup.faults_bench import (
    clocks,
    commands,
    fuzz,
    hardware,
    killed,
    network,
    publishers,
    runstop,
    soak,
    stale,
)

SEEDS = (1, 1)
ROOMS: dict[str, Any] = {
    "commands": commands, "fuzz": fuzz, "runstop": runstop, "publishers": publishers, "clocks": clocks,
    "stale": stale, "network": network, "killed": killed, "hardware": hardware, "soak": soak,
}  # fmt: skip


def parts(request: Request) -> list[str]:
    return [
        f"{seed}/{name}/{part}"
        for seed in request.seeds
        for name, room in ROOMS.items()
        for part in (getattr(room, "QUICK", room.PARTS) if request.quick else room.PARTS)
    ]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    seed, name, rest = part.split("/", 2)
    sample: dict[str, Any] = ROOMS[name].measure(rest, int(seed), request.folder / part, progress)
    return sample


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    out = []
    for name, room in ROOMS.items():
        mine = {part: sample for part, sample in samples.items() if part.split("/")[1] == name}
        out += [figure for figure in room.figures(mine) if figure.n]  # of nothing there is none
    return out
