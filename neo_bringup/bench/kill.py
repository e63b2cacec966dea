"""``kill -9`` of each node of a standing robot: do the drives hold in time, does it stand, is it reported?"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neo_bringup.bench.figures import Figure
from neo_bringup.bench.harness import Request
from neo_bringup.bench.robot import robot, stand
from neo_bringup.faults_bench.lost_node import GROUP, STAYS_UP, DriveWatch, pid_of
from neo_description.errors import NeoError

SEEDS = (1, 1)
NODES = ("body_control", "l_hand_control", "camera", "sim", "r_hand_control", "proprioception", "tactile",
         "perception", "task", "recorder", "console")  # fmt: skip
QUICK = 4  # of them


def parts(request: Request) -> list[str]:
    nodes = NODES[:QUICK] if request.quick else NODES
    return [f"{seed}/{node}" for seed in request.seeds for node in nodes]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    seed, node = part.split("/")
    log = request.folder / f"{node}-{seed}.log"
    arguments = [f"scene:={request.scene}", f"seed:={seed}", "sync:=lockstep", "speed:=0.0", "record:=true"]
    arguments.append(f"objects_file:={request.objects}")
    arguments.append(f"record_path:={_fresh(request.folder / f'run-{node}-{seed}')}")
    if node == "console":
        arguments += ["console:=true", "console_port:=0"]
    with robot(arguments, log) as (launched, stack):
        stand(launched, stack)
        watch = DriveWatch(stack, GROUP.get(node, "body"))
        if not stack.wait(lambda: watch.ready, 10.0):
            raise NeoError("no state heard from the plant")
        before = watch.tick
        stack.wait(lambda: watch.tick >= before + 250, 20.0)  # half a second of standing
        os.kill(pid_of(node, launched.process.pid), signal.SIGKILL)
        watch.killed(answered=node in GROUP)
        code = launched.process.wait(timeout=60.0)
        launched.stop()
    sample = {
        "node": node,
        "exit_code": code,
        "named": f"{node} died: killed by SIGKILL" in log.read_text(),
        "hold_ms": watch.hold_ms if node != "sim" else None,
        "fell": watch.fell,
        "watched_s": watch.watched,
    }
    progress(f"{node}: {sample}")
    return sample


def _fresh(folder: Path) -> Path:
    """A run folder that is not there yet: a recording needs a new one."""
    return folder.with_name(f"{folder.name}-{time.time_ns()}")


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    rows = list(samples.values())
    driven = [row for row in rows if row["hold_ms"] is not None]
    worst = max(driven, key=lambda row: row["hold_ms"])
    fallen = [row["node"] for row in driven if row["fell"] or row["watched_s"] < STAYS_UP]
    silent = [row["node"] for row in rows if not row["named"] or row["exit_code"] == 0]
    return [
        Figure("kill.hold_ms_max", worst["hold_ms"], len(driven), worst["node"]),
        Figure("kill.falls", len(fallen), len(driven), ", ".join(fallen)),
        Figure("kill.unreported", len(silent), len(rows), ", ".join(silent)),
    ]
