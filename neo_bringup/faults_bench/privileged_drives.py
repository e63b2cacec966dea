"""What the drives of a simulated robot took, and whether it fell or jerked: the plant's own truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from neo_description.signals import DriveMode, TendonCommand
from neo_description.tables import BODY, CONTROL_DT, HAND

TABLES = {"body": BODY, "l_hand": HAND, "r_hand": HAND}
FALLEN_HEIGHT = 0.75  # of the pelvis, relative to standing
SLACK = 2e-3  # N beyond the table that still counts as inside


class Drives:
    """Watches every command that a plant takes.

    ``unsafe``: those taken that are not finite, of the wrong length or outside [pretension, limit]; ``taken``
    counts all. ``on_taken``: called with (group, command) for each that is taken.
    """

    def __init__(self, plant: Any):
        self.plant = plant
        self.taken: Counter[str] = Counter()
        self.unsafe: list[str] = []
        self.on_taken: list[Callable[[str, TendonCommand], None]] = []
        self._command = plant.command
        plant.command = self._watched
        self.begin()

    def begin(self) -> None:
        """A new run starts: the present height is that of standing."""
        self.height = float(self.plant.data.qpos[2])
        self.lowest = self.height

    def _watched(self, group: str, command: TendonCommand) -> str | None:
        self.lowest = min(self.lowest, float(self.plant.data.qpos[2]))
        reason: str | None = self._command(group, command)
        if reason is None:
            self.taken[group] += 1
            problem = unsafe(group, command)
            if problem is not None:
                self.unsafe.append(f"{group}: {problem}")
            for call in self.on_taken:
                call(group, command)
        return reason

    @property
    def fell(self) -> bool:
        """Whether the pelvis came down since :meth:`begin`."""
        return self.lowest < FALLEN_HEIGHT * self.height

    @property
    def time(self) -> float:
        """Plant time, s."""
        return CONTROL_DT * self.plant.tick

    def mode(self, group: str) -> DriveMode:
        """What a group does now."""
        mode: DriveMode = self.plant.drives[group].mode
        return mode

    def fastest(self) -> float:
        """Greatest joint speed now, rad/s; the floating base and loose objects left out."""
        speed: float = float(np.abs(self.plant.body_state().joint_velocity).max())
        return speed


def unsafe(group: str, command: TendonCommand) -> str | None:
    """What is wrong with a command that a drive shall follow, told apart from the gate's own check."""
    if command.mode != DriveMode.TENSION:
        return None
    table, tension = TABLES[group], np.asarray(command.tension, float)
    if tension.shape != (len(table.tendons),):
        return f"{tension.size} tensions"
    if not np.isfinite(tension).all():
        return "a tension that is not finite"
    if (tension < table.pretension - SLACK).any() or (tension > table.tension_max + SLACK).any():
        return "a tension outside its limits"
    return None
