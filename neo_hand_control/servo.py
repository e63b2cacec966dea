"""Joint impedance through tendons: positions, damping and closing torques to tensions.

    tau = (1 - push) Kp (q_ref - q) + i - Kd qd + tau_close
    i  <- i + Ki (1 - push) (q_ref - q) dt, |i| <= i_max

Where a joint pushes (``push`` in 0..1, see :mod:`neo_hand_control.fingers`) the position part fades out and
the closing torque stays, so contact forces are what was asked and not what a spring makes of a wrong
reference; joints across the closing motion keep their place. Tensions by
:mod:`neo_description.tension_distribution`.

The drive answers with delay and lag of about 10 ms in all, so the crossover stays below 60 rad/s:
``Kp <= inertia * crossover^2``; the tendon's own series stiffness adds damping. The integral carries gravity,
friction and the sideways weight of a held object; the hand has no sensor of gravity's direction.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from neo_description.tables import HAND
from neo_description.tension_distribution import TensionDistribution


class Servo:
    """Torques and tensions of one hand. ``params``: the room's parameters beginning with ``servo_``."""

    def __init__(self, params: SimpleNamespace):
        self._p = params
        self._distribute = TensionDistribution(HAND)
        # Stiffness in proportion to what the joint can do: small joints move small inertias.
        self.stiffness = params.servo_stiffness * HAND.effort
        self.damping = params.servo_damping * HAND.effort
        self._integral_gain = params.servo_integral * HAND.effort
        self._integral_max = params.servo_integral_max * HAND.effort
        self._torque_max = params.servo_torque_max * HAND.effort
        self.reset()

    def reset(self) -> None:
        """Forget the integral."""
        self._integral = np.zeros(len(HAND.joints))

    def torque(
        self,
        q: np.ndarray,
        qd: np.ndarray,
        q_ref: np.ndarray,
        closing: np.ndarray,
        push: np.ndarray,
        dt: float,
    ) -> np.ndarray:
        """Joint torques (22,) N m.

        ``q``, ``qd``, ``q_ref`` (22,) rad, rad/s; ``closing`` (22,) N m; ``push`` (22,) in 0..1: share by
        which the position loop gives way.
        """
        error = q_ref - q
        hold = 1.0 - push
        self._integral += self._integral_gain * error * hold * dt
        self._integral *= 1.0 - push * min(dt / self._p.servo_integral_leak, 1.0)
        np.clip(self._integral, -self._integral_max, self._integral_max, out=self._integral)
        torque = hold * self.stiffness * error + self._integral - self.damping * qd + closing
        return np.clip(torque, -self._torque_max, self._torque_max)

    def tensions(self, torque: np.ndarray) -> np.ndarray:
        """Tendon tensions (44,) N for ``torque`` (22,) N m."""
        return self._distribute(torque)
