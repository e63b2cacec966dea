"""The operator's button for walking: a velocity counts only while it is down, and pressed on purpose.

What lets go of a hand lets go of this, too: a lost link, a robot that is not active, numbers that are none.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from neo_description.signals import BodyEstimate, Safety
from neo_teleop.frames import OperatorFrame

EPSILON = 1e-9  # s


class Walk:
    """``engaged``, and ``reason``: why it is not."""

    def __init__(self, params: SimpleNamespace):
        self._p = params
        self.reason = "never engaged"
        self.engaged = False
        self.ready = False  # the button was seen released
        self._heard: float | None = None  # plant time

    def step(self, frame: OperatorFrame | None, estimate: BodyEstimate) -> np.ndarray | None:
        """Forward, left (m/s) and turn (rad/s) to ask for, now that ``frame`` came or none did."""
        if frame is None:
            if self._heard is None or estimate.time - self._heard >= self._p.link_timeout - EPSILON:
                self.release(f"nothing heard of the operator for {self._p.link_timeout:g} s")
                self._heard = None
            return None
        self._heard = estimate.time
        if estimate.safety != Safety.ACTIVE:
            self.release("the robot is not active")
            return None
        if frame.walk is None:
            self.release("the operator let go")
            self.ready = True
            return None
        if np.shape(frame.walk) != (3,) or not np.isfinite(frame.walk).all():
            self.release("the velocity is none: 3 finite numbers needed")
            return None
        if not self.ready:
            return None
        self.engaged, self.reason = True, ""
        most = np.array([self._p.walk_speed, self._p.walk_speed, self._p.walk_turn_speed])
        return np.clip(frame.walk, -most, most)

    def release(self, reason: str) -> None:
        """Let go now: ``reason``."""
        if self.engaged:
            self.reason = reason
        self.engaged = self.ready = False
