"""A node is killed or stopped: which process it is, and what drives, pelvis and grip do from then on."""

from __future__ import annotations

import math
from typing import Any

import psutil

from neo_description.errors import NeoError
from neo_description.signals import DriveMode
from neo_description.tables import CONTROL_DT
from neo_ros import graph

GROUP = {"body_control": "body", "l_hand_control": "l_hand", "r_hand_control": "r_hand"}
STAYS_UP = 2.0  # s of plant time after the loss
FALLEN_HEIGHT = 0.75  # of the pelvis, relative to standing


def pid_of(node: str, parent: int) -> int:
    """The process of ``node`` among the children of ``parent``; NeoError when there is none."""
    for child in psutil.Process(parent).children(recursive=True):
        if f"__node:={node}" in child.cmdline():
            return child.pid
    raise NeoError(f"no process of node {node}")


class DriveWatch:
    """Follows one drive group's mode tick by tick, and the pelvis by the truth (privileged)."""

    def __init__(self, stack: Any, group: str):
        self.tick = 0
        self.answered = -1
        self.fell = False
        self.watched = 0.0
        self.peak_grip = 0.0  # N: of both hands, the largest true force from the loss on
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
        self.peak_grip = max(self.peak_grip, *message.grip_force)
        if self.watched <= STAYS_UP:
            self.fell = self.fell or message.qpos[2] < FALLEN_HEIGHT * self._height
