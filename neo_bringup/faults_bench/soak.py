"""A whole robot for hours of plant time: does memory grow, does a process die, is shared memory left behind?

``neo up`` in lock-step, as fast as it goes, told to look about. The memory of all its processes together is
read once a plant minute; the slope is that of a line through what comes after the start-up.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from neo_bringup.bench.figures import Figure
from neo_bringup.bench.robot import robot, stand
from neo_bringup.faults_bench import bad_commands
from neo_bringup.shared_memory import ownerless, used_by
from neo_bringup.stack import PlantClock
from neo_ros import graph

PARTS = ("minutes-480",)
QUICK = ("minutes-1",)
EVERY = 60.0  # s of plant time between two readings
START_UP = 10  # readings that are left out, or a third when there are fewer
LOOK_EVERY = 2.0  # s of plant time
PATIENCE = 600.0  # s of wall time for a plant minute
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """``part``: ``minutes-N`` of plant time."""
    minutes = int(part.partition("-")[2])
    every = EVERY if minutes > 5 else 5.0 * minutes
    arguments = ["scene:=empty", f"seed:={seed}", "sync:=lockstep", "speed:=0.0", "cameras:=false"]
    with robot(arguments, folder / "soak.log") as (launched, stack):
        clock = PlantClock(stack)
        stand(launched, stack)
        publisher = graph.publisher(stack.node, "whole_body/command")
        processes = [p for p in psutil.Process(launched.process.pid).children(recursive=True)]
        rows: list[tuple[float, float]] = []
        begun = clock.now or 0.0
        look, due, wall = begun, begun, time.monotonic()
        while not rows or rows[-1][0] < 60.0 * minutes:
            now = clock.now or 0.0
            if time.monotonic() - wall > PATIENCE or not launched.alive:
                break
            if now >= look:
                look = now + LOOK_EVERY
                message = bad_commands.good("whole_body/command", 0)
                message.gaze.y = math.sin(0.1 * now)
                publisher.publish(message)
            if now >= due:
                due, wall = now + every, time.monotonic()
                rows.append((now - begun, _memory(processes)))
                progress(f"{rows[-1][0] / 60:.1f} plant minutes: {rows[-1][1]:.1f} MB")
            time.sleep(0.02)
        ours = set().union(*(used_by(p.pid) for p in processes if p.is_running()))
        died = [p.pid for p in processes if not p.is_running()]
        active = stack.safety is not None and stack.safety.state == 2
    left = sorted(ours & set(ownerless()))  # others on this machine leave theirs, too
    return {"rows": rows, "died": len(died), "active": active, "left": left}


def _memory(processes: list[psutil.Process]) -> float:
    """MB (10⁶ bytes) of private memory: shared segments count for nobody."""
    total = 0
    for process in processes:
        try:
            info = process.memory_info()
        except psutil.NoSuchProcess:
            continue
        total += info.rss - getattr(info, "shared", 0)
    return total / 1e6


def slope(rows: list[tuple[float, float]]) -> float:
    """MB an hour of plant time, the start-up left out; NaN of fewer than three readings.

    ``rows``: (s of plant time, MB).
    """
    kept = rows[min(START_UP, len(rows) // 3) :]
    if len(kept) < 3:
        return math.nan
    t, memory = np.array(kept).T
    return float(3600.0 * np.polyfit(t, memory, 1)[0])


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    rows = list(samples.values())
    slopes = [slope([(t, m) for t, m in row["rows"]]) for row in rows]
    hours = sum(row["rows"][-1][0] for row in rows if row["rows"]) / 3600.0
    left = [name for row in rows for name in row["left"]]
    return [
        Figure("faults.soak_mb_per_h", max(slopes, default=math.nan), sum(len(row["rows"]) for row in rows)),
        Figure("faults.soak_hours", hours, len(rows)),
        Figure("faults.soak_died", sum(row["died"] + (not row["active"]) for row in rows), len(rows)),
        Figure("faults.soak_shared_memory_left", len(left), len(rows), ", ".join(left[:4])),
    ]
