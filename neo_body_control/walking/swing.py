"""The way of a swinging foot: from where it stood to a goal that may move on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_body_control.rotations import about_z
from neo_body_control.walking.stance import wrapped
from neo_description.tables import BODY, SIDES

LEG = {
    s: np.array(
        [i for i, j in enumerate(BODY.joints) if j[0] == s and j[2:].startswith(("hip", "knee", "ankle"))]
    )
    for s in SIDES
}
FROZEN = 0.05  # s before the end from which on the goal no longer moves


@dataclass(slots=True)
class FootReference:
    """Where a sole shall be now in odom: ``p``, ``v``, ``a`` (3,), heading and its two derivatives."""

    p: np.ndarray
    v: np.ndarray
    a: np.ndarray
    turn: np.ndarray

    @property
    def R(self) -> np.ndarray:
        """(3, 3): level."""
        return about_z(float(self.turn[0]))


def joint_rates(foot: FootReference, J: np.ndarray, qvel: np.ndarray, leg: np.ndarray) -> np.ndarray:
    """Speeds (6,) rad/s of the joints ``leg`` that move the sole, Jacobian ``J`` (6, 37), as ``foot`` says.

    The pelvis moves as it does in ``qvel`` (37,). Damped, for a straight leg.
    """
    wanted = np.array([*foot.v, 0.0, 0.0, foot.turn[1]]) - J[:, :6] @ qvel[:6]
    own = J[:, 6 + leg]
    rates = own.T @ np.linalg.solve(own @ own.T + 1e-4 * np.eye(6), wanted)
    most = 0.8 * BODY.velocity[leg]
    return np.asarray(np.clip(rates, -most, most))


class Swing:
    """Moves one sole. ``p`` (3,) m of its frame where it lifts, ``heading`` rad; ``height`` m it rises.

    Horizontally and in heading, each tick takes the quintic of least jerk from where the reference is now to
    rest at the goal in the time that is left (Flash and Hogan 1985), so the goal may move; upwards a fixed
    bump over the share of the swing that has passed. After the end the sole goes on down until it is felt,
    with ``down`` m/s.
    """

    def __init__(self, p: np.ndarray, heading: float, height: float, down: float):
        self._x = np.array([[p[0], p[1], heading], [0.0] * 3, [0.0] * 3])  # place, speed, acceleration
        self._from, self._height, self._down = float(p[2]), height, down
        self._goal = self._x[0].copy()
        self._below = 0.0
        self._z = (self._from, 0.0, 0.0)
        self.share = 0.0  # of the swing that has passed

    def step(self, goal: np.ndarray, heading: float, left: float, dt: float) -> FootReference:
        """``dt`` s on: to rest on the ground at ``goal`` (2,) m with ``heading`` rad in ``left`` s."""
        if left > FROZEN:
            self._goal[:2] = goal
            self._goal[2] = self._x[0, 2] + wrapped(heading - float(self._x[0, 2]))
        if left > dt and self.share < 1.0:
            self._least_jerk(left, dt)
            rate = (1.0 - self.share) / left
            self.share = min(self.share + dt * rate, 1.0)
            self._rise(rate)
        else:
            self.share = 1.0
            self._x[0] += dt * self._x[1]
            self._x[1:] = 0.0
            self._below += dt * self._down
            self._z = (self._z[0] - dt * self._down, -self._down, 0.0)
        x, z = self._x, self._z
        return FootReference(
            p=np.array([x[0, 0], x[0, 1], z[0]]),
            v=np.array([x[1, 0], x[1, 1], z[1]]),
            a=np.array([x[2, 0], x[2, 1], z[2]]),
            turn=x[:, 2].copy(),
        )

    def _least_jerk(self, left: float, dt: float) -> None:
        """The optimal feedback to rest at the goal in ``left`` s: jerk 60 e/T³ - 36 v/T² - 9 a/T."""
        T = max(left, 0.03)
        e = self._goal - self._x[0]
        jerk = 60.0 * e / T**3 - 36.0 * self._x[1] / T**2 - 9.0 * self._x[2] / T
        self._x[0] += dt * (self._x[1] + 0.5 * dt * self._x[2])
        self._x[1] += dt * self._x[2]
        self._x[2] += dt * jerk

    def _rise(self, rate: float) -> None:
        """Height ``16 h s² (1 - s)²`` over the share ``s``, and back to the ground at zero from ``_from``."""
        s, h = self.share, self._height
        q = s * (1.0 - s)
        slope, bend = 1.0 - 2.0 * s, -2.0
        ground = self._from * (1.0 - s)
        self._z = (
            ground + 16.0 * h * q * q,
            rate * (-self._from + 32.0 * h * q * slope),
            rate * rate * 32.0 * h * (slope * slope + q * bend),
        )
