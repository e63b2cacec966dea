"""What the springs of a task leave, taken back: errors of model, load and friction.

A gripper near its reference adds what it is off to an integral, which moves the reference on; farther away it
is still on its way. The pelvis does so while the body bends: it weighs little between hips and spine, so some
3 N m that either pulls amiss tilt it by 0.2 rad.
"""

from __future__ import annotations

import numpy as np

from neo_body_control.dynamics import Frame
from neo_body_control.rotations import exp, log
from neo_body_control.tasks import HandReference, saturated
from neo_body_control.yielding import Yielding
from neo_description.tables import CONTROL_DT

RANGE, MOST = 0.02, 0.03  # m: nearer counts; the integral's greatest
TURN_RANGE, TURN_MOST = 0.15, 0.15  # rad: the same for the orientation

PRESSED_TURN_MOST = 0.6  # rad: of a hand that presses on purpose
PELVIS_MOST, PELVIS_TURN_MOST = 0.05, 0.35  # m, rad: the greatest of the pelvis' integrals
FORGET, NOTHING = 0.5, 1e-6  # s; rad


class LastingErrors:
    """Of one gripper."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nothing was learnt yet."""
        self._place, self._turn = np.zeros((2, 3))  # m; rad, in odom

    def take_back(self, frame: Frame, ref: HandReference, rate: float, yielding: Yielding) -> None:
        """One tick: learn with ``rate`` (1/s), and move ``ref`` on.

        Nothing is learnt while something is in the way, but for the turn of a hand that presses on purpose,
        which the least moment amiss turns far.
        """
        error, turn = ref.p - frame.p, frame.R @ log(frame.R.T @ ref.R)
        learns, on_purpose = not yielding.presses, yielding.on_purpose
        if learns and float(error @ error) < RANGE**2:
            self._place = saturated(self._place + CONTROL_DT * rate * error, MOST)
        if on_purpose or (learns and float(turn @ turn) < TURN_RANGE**2):
            most = PRESSED_TURN_MOST if on_purpose else TURN_MOST
            self._turn = saturated(self._turn + CONTROL_DT * rate * turn, most)
        elif float(self._turn @ self._turn) > TURN_MOST**2:  # of a press that is over
            self._turn = self._turn * (1.0 - CONTROL_DT / FORGET)
        ref.p = ref.p + self._place
        ref.R = exp(self._turn) @ ref.R


class LastingBend:
    """Of the pelvis while the body bends, forgotten with ``FORGET`` s once it does not."""

    def __init__(self) -> None:
        self._turn = np.zeros(3)  # rad, in odom
        self._height = 0.0  # m

    def upright(self, R: np.ndarray, R_ref: np.ndarray, rate: float) -> np.ndarray:
        """One tick: the axes (3, 3) to ask for where ``R`` (3, 3) shall be ``R_ref``.

        ``rate`` 1/s, 0: not bent.
        """
        if rate > 0.0:
            turn = R @ log(R.T @ R_ref)
            self._turn = saturated(self._turn + CONTROL_DT * rate * turn, PELVIS_TURN_MOST)
        elif float(self._turn @ self._turn) < NOTHING**2:
            self._turn = np.zeros(3)
            return R_ref
        else:
            self._turn = self._turn * (1.0 - CONTROL_DT / FORGET)
        answer: np.ndarray = exp(self._turn) @ R_ref
        return answer

    def height(self, z: float, z_ref: float, rate: float) -> float:
        """The same of the height (m)."""
        if rate > 0.0:
            learnt = self._height + CONTROL_DT * rate * (z_ref - z)
            self._height = min(max(learnt, -PELVIS_MOST), PELVIS_MOST)
        else:
            self._height *= 1.0 - CONTROL_DT / FORGET
        return z_ref + self._height
