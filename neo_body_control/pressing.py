"""Hands that press on purpose: what is asked for comes on steadily and is fed forward.

What a hand presses against pushes back as hard. That reaction is put into the QP as a load, so joints and
balance bear it, and the pose of the hand stays a task of its own: where nothing is in the way the hand goes
no farther than the force over the stiffness of that task. Where on the hand it acts nobody needs to say: the
wrist's sensor feels the moment (:mod:`neo_body_control.load`).
"""

from __future__ import annotations

import numpy as np

from neo_description.tables import CONTROL_DT, SIDES

GONE = 1e-3  # N: less is none


class Pressing:
    """Of both hands. ``force[side]`` (3,) N in odom, of the hand on what is in its way; it follows what is
    asked for with time constant ``time`` (s)."""

    def __init__(self, time: float):
        self._follow = CONTROL_DT / max(time, CONTROL_DT)
        self.reset()

    def reset(self) -> None:
        """No hand presses."""
        self.force = {side: np.zeros(3) for side in SIDES}
        self._asked = dict(self.force)

    def ask(self, side: str, force: np.ndarray | None) -> None:
        """From now on with ``force`` (3,) N; ``None``: not at all."""
        self._asked[side] = np.zeros(3) if force is None else np.array(force, float)

    def step(self) -> None:
        """One tick towards what was asked for."""
        for side, asked in self._asked.items():
            if self.force[side] is asked:
                continue
            way = asked - self.force[side]
            near = float(np.abs(way).max()) < GONE
            self.force[side] = asked if near else self.force[side] + self._follow * way
