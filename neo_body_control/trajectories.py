"""References that approach their targets smoothly: bounded speed, bounded acceleration, no jumps.

Each is a critically damped second-order filter of bandwidth ``w`` (rad/s) with saturations,

    v_want = sat(w/2 (target - x), v_max)        a = sat(2 w (v_want - v), a_max)

which is ``a = w² (target - x) - 2 w v`` near the target. A new target changes only ``v_want``, so position
and velocity never jump, however often targets come. Orientations do the same in the rotation vector from
the reference to the target, which is the slerp's great circle.
"""

from __future__ import annotations

import math

import numpy as np

from neo_body_control.rotations import exp, log


def _saturated(x: float, y: float, z: float, limit: float) -> tuple[float, float, float]:
    length = math.sqrt(x * x + y * y + z * z)
    if length <= limit:
        return x, y, z
    k = limit / length
    return x * k, y * k, z * k


def _acceleration(
    way: np.ndarray, v: np.ndarray, bandwidth: float, speed: float, acceleration: float
) -> np.ndarray:
    """(3,) of the filter: ``way`` (3,) to the target, ``v`` (3,) now. In floats: three numbers are few."""
    (x, y, z), (vx, vy, vz) = way.tolist(), v.tolist()
    k, d = 0.5 * bandwidth, 2.0 * bandwidth
    x, y, z = _saturated(k * x, k * y, k * z, speed)
    return np.array(_saturated(d * (x - vx), d * (y - vy), d * (z - vz), acceleration))


class PointReference:
    """A point (3,) m that follows ``target``; ``speed`` m/s, ``acceleration`` m/s², ``bandwidth`` rad/s."""

    def __init__(self, speed: float, acceleration: float, bandwidth: float):
        self.speed, self.acceleration, self.bandwidth = speed, acceleration, bandwidth
        self.p = np.zeros(3)
        self.v = np.zeros(3)
        self.a = np.zeros(3)
        self.target = np.zeros(3)

    def reset(self, p: np.ndarray) -> None:
        """Rest at ``p``."""
        self.p = np.array(p, float)
        self.target = self.p.copy()
        self.v = np.zeros(3)
        self.a = np.zeros(3)

    def step(self, dt: float) -> None:
        """Advance by ``dt`` s."""
        way = self.target - self.p
        self.a = _acceleration(way, self.v, self.bandwidth, self.speed, self.acceleration)
        self.v = self.v + dt * self.a
        self.p = self.p + dt * self.v

    def stop_here(self) -> None:
        """Come to rest where the present speed carries it."""
        self.target = self.p + (2.0 / self.bandwidth) * self.v


class PoseReference:
    """A pose that follows ``target`` (4, 4): :class:`PointReference` and the same on rotations.

    ``turn_speed`` rad/s and ``turn_acceleration`` rad/s² bound the rotation; ``w`` and ``alpha`` are
    angular velocity and acceleration in the frame of the pose.
    """

    def __init__(
        self, speed: float, acceleration: float, turn_speed: float, turn_acceleration: float, bandwidth: float
    ):
        self.point = PointReference(speed, acceleration, bandwidth)
        self.turn_speed, self.turn_acceleration = turn_speed, turn_acceleration
        self.R = np.eye(3)
        self.w = np.zeros(3)
        self.alpha = np.zeros(3)
        self.R_target = np.eye(3)

    @property
    def target(self) -> np.ndarray:
        """(4, 4)."""
        T = np.eye(4)
        T[:3, :3], T[:3, 3] = self.R_target, self.point.target
        return T

    @target.setter
    def target(self, T: np.ndarray) -> None:
        self.point.target = np.array(T[:3, 3], float)
        self.R_target = np.array(T[:3, :3], float)

    def reset(self, T: np.ndarray) -> None:
        """Rest at ``T`` (4, 4)."""
        self.point.reset(T[:3, 3])
        self.R = np.array(T[:3, :3], float)
        self.R_target = self.R.copy()
        self.w = np.zeros(3)
        self.alpha = np.zeros(3)

    def step(self, dt: float) -> None:
        """Advance by ``dt`` s."""
        self.point.step(dt)
        way, bandwidth = log(self.R.T @ self.R_target), self.point.bandwidth
        self.alpha = _acceleration(way, self.w, bandwidth, self.turn_speed, self.turn_acceleration)
        self.w = self.w + dt * self.alpha
        self.R = self.R @ exp(dt * self.w)

    def carry(self, T: np.ndarray) -> None:
        """Reference and target are moved by ``T`` (4, 4), as if fixed to a body that has moved so."""
        R, p = T[:3, :3], T[:3, 3]
        self.point.p, self.point.target = R @ self.point.p + p, R @ self.point.target + p
        self.point.v, self.point.a = R @ self.point.v, R @ self.point.a
        self.R, self.R_target = R @ self.R, R @ self.R_target

    def stop_here(self) -> None:
        """Come to rest where the present speed carries it."""
        self.point.stop_here()
        self.R_target = self.R @ exp((2.0 / self.point.bandwidth) * self.w)


class ArrayReference:
    """Numbers (n,) that follow ``target`` each for itself, such as a height or a posture."""

    def __init__(self, n: int, speed: float, acceleration: float, bandwidth: float):
        self.speed, self.acceleration, self.bandwidth = speed, acceleration, bandwidth
        self.x = np.zeros(n)
        self.v = np.zeros(n)
        self.a = np.zeros(n)
        self.target = np.zeros(n)

    def reset(self, x: np.ndarray) -> None:
        """Rest at ``x`` (n,)."""
        self.x = np.array(x, float)
        self.target = self.x.copy()
        self.v = np.zeros_like(self.x)
        self.a = np.zeros_like(self.x)

    def step(self, dt: float) -> None:
        """Advance by ``dt`` s."""
        w = self.bandwidth
        want = 0.5 * w * (self.target - self.x)
        np.minimum(np.maximum(want, -self.speed, out=want), self.speed, out=want)
        want -= self.v
        a = 2.0 * w * want
        self.a = np.minimum(np.maximum(a, -self.acceleration, out=a), self.acceleration, out=a)
        self.v = self.v + dt * self.a
        self.x = self.x + dt * self.v

    def stop_here(self) -> None:
        """Come to rest where the present speed carries it."""
        self.target = self.x + (2.0 / self.bandwidth) * self.v
