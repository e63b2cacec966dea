"""Faults put in on purpose, family by family: what reaches a drive, what is told, does the robot stay up?

Each family has a module in neo_bringup/faults_bench/, with its parts and what a quick run takes of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neo_bringup.bench import rooms
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
    silent,
    soak,
    stale,
    starved,
)

SEEDS = (1, 1)
ROOMS: rooms.Rooms = {
    "commands": commands, "fuzz": fuzz, "runstop": runstop, "publishers": publishers, "clocks": clocks,
    "stale": stale, "silent": silent, "network": network, "killed": killed,
    "hardware": hardware, "starved": starved, "soak": soak,
}  # fmt: skip


def parts(request: Request) -> list[str]:
    return rooms.parts(ROOMS, request)


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    return rooms.measure(ROOMS, part, request, progress)


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    return rooms.figures(ROOMS, samples)
