"""An operator's fingers work a hand joint by joint, as long as its clutch is engaged.

Taking over changes nothing at once: from where the joints are they follow at ``finger_speed``. A hand that
holds or shapes something is only taken over by fingers that are about where its own are, so that an open hand
of the operator drops nothing.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from neo_description.signals import GraspPhase, GraspStatus, HandAction, HandCommand
from neo_description.tables import HAND

LONGEST = 0.1  # s between two frames over which joints follow


class Fingers:
    """Of one hand; :meth:`take_over` when its clutch engages, then :meth:`step` for every frame."""

    def __init__(self, params: SimpleNamespace):
        self._p = params
        self._at: np.ndarray | None = None  # (22,) rad, what was asked for last
        self._met = False
        self._time: float | None = None  # plant time

    def take_over(self, status: GraspStatus, measured: np.ndarray | None) -> None:
        """The hand is as ``status`` and ``measured`` (22,) rad say; None: not known, nothing will move."""
        self._at = None if measured is None else np.clip(measured, HAND.q_min, HAND.q_max)
        self._met, self._time = status.phase == GraspPhase.IDLE, None

    def step(self, joints: np.ndarray, time: float) -> HandCommand | None:
        """The command at plant time ``time`` for fingers at ``joints`` (22,) rad; None: they do not count."""
        if self._at is None:
            return None
        wanted = np.clip(joints, HAND.q_min, HAND.q_max)
        self._met = self._met or float(np.abs(wanted - self._at).mean()) <= self._p.finger_near
        if not self._met:
            return None
        dt = 0.0 if self._time is None else min(max(time - self._time, 0.0), LONGEST)
        self._time = time
        most = self._p.finger_speed * dt
        self._at = self._at + np.clip(wanted - self._at, -most, most)
        return HandCommand(HandAction.JOINTS, joint_position=self._at.copy())
