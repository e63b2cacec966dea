"""``kill -9`` of each node of a standing robot: do the drives hold in time, does it stand, is it reported?"""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from neo_bringup.bench.figures import Figure
from neo_bringup.bench.harness import Request
from neo_bringup.bench.robot import robot, stand
from neo_description.errors import NeoError
from neo_description.signals import DriveMode
from neo_description.tables import CONTROL_DT
from neo_ros import graph

SEEDS = (1, 1)
NODES = ("body_control", "l_hand_control", "camera", "sim", "r_hand_control", "proprioception", "tactile",
         "perception", "task", "recorder", "console")  # fmt: skip
QUICK = 4  # of them
GROUP = {"body_control": "body", "l_hand_control": "l_hand", "r_hand_control": "r_hand"}
STAYS_UP = 2.0  # s of plant time after the death
FALLEN_HEIGHT = 0.75  # of the pelvis, relative to standing


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
        watch = _Watch(stack, GROUP.get(node, "body"))
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


def pid_of(node: str, parent: int) -> int:
    """The process of ``node`` among the children of ``parent``; NeoError when there is none."""
    for child in psutil.Process(parent).children(recursive=True):
        if f"__node:={node}" in child.cmdline():
            return child.pid
    raise NeoError(f"no process of node {node}")


class _Watch:
    """Follows one drive group's mode tick by tick, and the pelvis by the truth (privileged)."""

    def __init__(self, stack: Any, group: str):
        self.tick = 0
        self.answered = -1
        self.fell = False
        self.watched = 0.0
        self._height = math.nan
        self._from: int | None = None
        self._held: int | None = None
        self._counts_answers = False
        graph.subscription(stack.node, f"{group}/state", self._on_state)
        graph.subscription(stack.node, f"{group}/tendon_command", self._on_command)
        graph.subscription(stack.node, "sim/privileged_state", self._on_privileged_state)

    @property
    def ready(self) -> bool:
        return self.tick > 0 and not math.isnan(self._height)

    @property
    def hold_ms(self) -> float:
        """Plant time (ms) from the last answered tick, or from the kill, to the first state in hold."""
        if self._held is None or self._from is None:
            return math.inf
        return 1e3 * CONTROL_DT * max(0, self._held - self._from)

    def killed(self, answered: bool) -> None:
        """Called at the kill. ``answered``: count from the last answer of the dead node."""
        self._counts_answers = answered
        self._from = self.answered if answered else self.tick

    def _on_command(self, message: Any) -> None:
        self.answered = message.tick
        if self._counts_answers and self._held is None:  # sent before the kill, heard after it
            self._from = message.tick

    def _on_state(self, message: Any) -> None:
        self.tick = message.tick
        if self._from is not None and self._held is None and message.drive_mode == DriveMode.HOLD:
            self._held = message.tick

    def _on_privileged_state(self, message: Any) -> None:
        if self._from is None:
            self._height = message.qpos[2]
            return
        self.watched = CONTROL_DT * (message.tick - self._from)
        if self.watched <= STAYS_UP:
            self.fell = self.fell or message.qpos[2] < FALLEN_HEIGHT * self._height


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
