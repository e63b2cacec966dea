"""Which IMU to believe: one that repeats itself to the last digit has died; the head's stands in.

Noise of many steps makes equal readings of all six channels a rarity, so a few in a row prove that nothing is
measured any more; one reading that is no number does so at once. The head's gyro, less what spine and neck
turn it, is that of the pelvis:

    w_pelvis = R_pelvis_head w_head - Σ_j axis_j qd_j        j: spine and neck, axes in base_link

Of the acceleration only the direction is turned; that head and pelvis are apart is left out.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from neo_body_control.dynamics import body_model
from neo_description.signals import BodyState
from neo_description.tables import BODY

PLACES = ("pelvis", "head")
BETWEEN = np.array([i for i, name in enumerate(BODY.joints) if name.startswith(("torso", "neck"))])


class Imus:
    """``failed``: places (``pelvis``, ``head``) whose IMU is not believed, in order. ``patience`` ticks."""

    def __init__(self, patience: int):
        self._patience = patience
        self._model = body_model()
        self._data = mujoco.MjData(self._model)
        self._data.qpos[:7] = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
        self._head = self._model.body("head").id
        self.reset()

    def reset(self) -> None:
        """Both are believed."""
        self.failed: list[str] = []
        self._last = [[math.nan] * 6, [math.nan] * 6]
        self._same = [0, 0]

    def update(self, state: BodyState) -> None:
        """One tick's measurements."""
        pelvis = state.pelvis_angular_velocity.tolist() + state.pelvis_linear_acceleration.tolist()
        head = state.head_angular_velocity.tolist() + state.head_linear_acceleration.tolist()
        for i, now in enumerate((pelvis, head)):
            moves = any(was != is_ for was, is_ in zip(self._last[i], now, strict=True))
            self._same[i] = 0 if moves else self._same[i] + 1
            self._last[i] = now
            silent = not math.isfinite(sum(now))
            if (silent or self._same[i] >= self._patience) and PLACES[i] not in self.failed:
                self.failed.append(PLACES[i])

    def pelvis(self, state: BodyState, q: np.ndarray, qd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Angular velocity (3,) rad/s and acceleration (3,) m/s² of the pelvis, as the head tells them."""
        d = self._data
        d.qpos[7:] = q
        mujoco.mj_kinematics(self._model, d)
        R_pelvis_head = d.xmat[self._head].reshape(3, 3)
        turned = qd[BETWEEN] @ d.xaxis[1 + BETWEEN]
        return (
            R_pelvis_head @ state.head_angular_velocity - turned,
            R_pelvis_head @ state.head_linear_acceleration,
        )
