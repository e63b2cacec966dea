"""What the springs of a hand's task leave, taken back: errors of model, load and friction.

A gripper near its reference adds what it is off to an integral, which moves the reference on; farther away it
is still on its way.
"""

from __future__ import annotations

import numpy as np

from neo_body_control.dynamics import Frame
from neo_body_control.rotations import exp, log
from neo_body_control.tasks import HandReference, saturated
from neo_description.tables import CONTROL_DT

RANGE, MOST = 0.02, 0.03  # m: nearer counts; the integral's greatest
TURN_RANGE, TURN_MOST = 0.15, 0.15  # rad: the same for the orientation


class LastingErrors:
    """Of one gripper."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nothing was learnt yet."""
        self._place, self._turn = np.zeros((2, 3))  # m; rad, in odom

    def take_back(self, frame: Frame, ref: HandReference, rate: float) -> None:
        """One tick: learn with ``rate`` (1/s), and move ``ref`` on."""
        error, turn = ref.p - frame.p, frame.R @ log(frame.R.T @ ref.R)
        if float(error @ error) < RANGE**2:
            self._place = saturated(self._place + CONTROL_DT * rate * error, MOST)
        if float(turn @ turn) < TURN_RANGE**2:
            self._turn = saturated(self._turn + CONTROL_DT * rate * turn, TURN_MOST)
        ref.p = ref.p + self._place
        ref.R = exp(self._turn) @ ref.R
