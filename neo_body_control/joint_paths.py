"""Joints along a path in time, as a ``trajectory_msgs/JointTrajectory`` says, each as stiff as is asked.

    path = JointPath(names, times, positions, velocities)     # RefusedError says what is wrong with it
    path.at(t)                                                # q, v, a of its joints

Between points the path is a cubic (Hermite) in each joint; where no velocities are given they are those of a
shape-preserving interpolation (Fritsch and Carlson 1980), at rest at the end. Legs take no paths: balance
decides about them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

from neo_description.errors import RefusedError
from neo_description.tables import BODY, CONTROL_DT

FREE = tuple(j for j in BODY.joints if not any(part in j for part in ("hip", "knee", "ankle")))
FASTEST = 120.0  # s: longest path
BRAKING = 10.0  # rad/s² with which a joint that has left its path comes to rest
MOST = 200.0  # 1/s²: stiffness over inertia beyond which delay and lag of the drives make joints swing


class JointPath:
    """``index`` (n,) of its joints in ``BODY.joints``; ``duration`` s.

    ``times`` (k,) s from the start, growing; ``positions`` (k, n) rad; ``velocities`` (k, n) rad/s or none.
    It begins at ``start`` (31,) rad with ``speed`` (31,) rad/s (none: at rest), where the joints are, unless
    its first time is zero.
    """

    def __init__(
        self,
        names: Sequence[str],
        times: np.ndarray,
        positions: np.ndarray,
        velocities: np.ndarray | None = None,
        start: np.ndarray | None = None,
        speed: np.ndarray | None = None,
    ):
        self.index = indices(names)
        t, q = np.asarray(times, float), np.asarray(positions, float)
        v = None if velocities is None else np.asarray(velocities, float)
        if t.ndim != 1 or not len(t) or q.shape != (len(t), len(names)):
            raise RefusedError(f"{t.shape} times, {q.shape} positions; k and (k, {len(names)}) needed")
        if v is not None and v.shape != q.shape:
            raise RefusedError(f"{v.shape} velocities; {q.shape} or none needed")
        if not all(np.isfinite(a).all() for a in (t, q, *(() if v is None else (v,)))):
            raise RefusedError("times, positions and velocities must be finite")
        if t[0] < 0.0 or (np.diff(t) <= 0.0).any() or t[-1] > FASTEST:
            raise RefusedError(f"times must grow, from 0 to at most {FASTEST:g} s; given {t.tolist()[:5]} …")
        begins = np.zeros(len(names))
        if start is not None and t[0] > 0.0:
            t, q = np.insert(t, 0, 0.0), np.vstack([start[self.index], q])
            begins = begins if speed is None else speed[self.index]
            v = None if v is None else np.vstack([begins, v])
        if len(t) < 2:
            raise RefusedError("one point at time 0 is no path; a time later than 0 needed")
        low, high = BODY.q_min[self.index], BODY.q_max[self.index]
        out = (q[1:] < low) | (q[1:] > high)
        if out.any():
            k, i = np.argwhere(out)[0]
            raise RefusedError(
                f"{names[i]} to {q[k + 1, i]:.3f} rad at {t[k + 1]:g} s;"
                f" {low[i]:g} to {high[i]:g} rad allowed"
            )
        self.duration = float(t[-1])
        self._q = PchipInterpolator(t, q) if v is None else CubicHermiteSpline(t, q, v)
        if v is None:
            slope = self._q.derivative()(t)
            slope[0], slope[-1] = begins, 0.0
            self._q = CubicHermiteSpline(t, q, slope)
        self._v, self._a = self._q.derivative(), self._q.derivative(2)
        fastest = np.abs(self._v(np.linspace(0.0, self.duration, 500))).max(axis=0)
        if (fastest > BODY.velocity[self.index]).any():
            i = int(np.argmax(fastest / BODY.velocity[self.index]))
            raise RefusedError(
                f"{names[i]} with {fastest[i]:.1f} rad/s; {BODY.velocity[self.index][i]:g} rad/s allowed"
            )

    def at(self, t: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``q``, ``v``, ``a`` (n,) at ``t`` s; after the end at rest there."""
        if t >= self.duration:
            return self._q(self.duration), np.zeros(len(self.index)), np.zeros(len(self.index))
        t = max(t, 0.0)
        return self._q(t), self._v(t), self._a(t)


class JointGoals:
    """What joints follow, and how stiff each is: references for the posture task.

    ``active`` (31,) bool; ``q``, ``v``, ``a`` (31,) where active. A joint that is active and on no path comes
    to rest and holds.
    """

    def __init__(self) -> None:
        n = len(BODY.joints)
        self.active = np.zeros(n, bool)
        self.q, self.v, self.a = np.zeros((3, n))
        self._stiffness, self._damping = np.full((2, n), np.nan)
        self._path: JointPath | None = None
        self._began = self._time = 0.0

    def follow(self, path: JointPath, time: float, q: np.ndarray, v: np.ndarray) -> None:
        """From plant ``time`` (s) on, joints measured at ``q`` rad, ``v`` rad/s (31,); another path under way
        ends, and what of it is not on this one comes to rest. Joints stay at the end until released."""
        if self._path is not None and self.elapsed < self._path.duration:
            self.halt(q, v)
        self._path, self._began, self._time = path, time, time
        self.active[path.index] = True

    def halt(self, q: np.ndarray, v: np.ndarray) -> None:
        """Joints of the path come to rest from where they are, ``q`` rad and ``v`` rad/s (31,), and hold."""
        if self._path is not None:
            i = self._path.index
            self.q[i], self.v[i] = q[i], v[i]
            self._path = None

    def release(self) -> None:
        """All joints go back to the posture, as stiff as it is."""
        self._path = None
        self.active[:] = False
        self.v[:] = 0.0
        self._stiffness[:], self._damping[:] = np.nan, np.nan

    def drop(self, index: np.ndarray) -> None:
        """Joints ``index`` no longer follow: something else moves them."""
        self.active[index] = False
        self.v[index] = 0.0

    @property
    def path(self) -> JointPath | None:
        """What was to be followed last, also when its end is reached or joints of it were dropped."""
        return self._path

    @property
    def elapsed(self) -> float:
        """s since the path began, at the last :meth:`step`."""
        return self._time - self._began

    def impedance(self, names: Sequence[str], stiffness: Sequence[float], damping: Sequence[float]) -> None:
        """N m/rad and N m s/rad with which joints ``names`` hold their reference, from now on; NaN: as the
        posture is. RefusedError says what is wrong; then nothing changes."""
        index = indices(names)
        k, d = np.asarray(stiffness, float), np.asarray(damping, float)
        if k.shape != index.shape or d.shape != index.shape:
            raise RefusedError(f"{len(names)} joints, {k.shape} stiffnesses and {d.shape} dampings")
        if not ((k >= 0.0) | np.isnan(k)).all() or not ((d >= 0.0) | np.isnan(d)).all():
            raise RefusedError("stiffness and damping must not be negative")
        if not (np.isinf(k) | np.isinf(d)).any():
            self._stiffness[index], self._damping[index] = k, d
        else:
            raise RefusedError("stiffness and damping must be finite, or NaN for the posture's own")

    def step(self, time: float) -> None:
        """References at plant ``time`` (s)."""
        dt, self._time = max(time - self._time, 0.0), time
        self.a = -np.sign(self.v) * np.minimum(BRAKING, np.abs(self.v) / max(dt, CONTROL_DT))
        self.q = np.clip(self.q + dt * self.v + 0.5 * dt * dt * self.a, BODY.q_min, BODY.q_max)
        self.v = self.v + dt * self.a
        if self._path is not None:
            i = self._path.index
            self.q[i], self.v[i], self.a[i] = self._path.at(time - self._began)

    @property
    def set(self) -> bool:
        """Whether anything differs from the plain posture."""
        asked = np.isfinite(self._stiffness) | np.isfinite(self._damping)
        return bool((self.active | asked).any())

    def gains(
        self, kp: np.ndarray | float, kd: np.ndarray | float, inertia: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(31,) 1/s² and 1/s of the posture task: ``kp``, ``kd``, or what impedance says over ``inertia``
        (31,) kg m², never more than the drives can follow."""
        stiff = np.where(np.isfinite(self._stiffness), self._stiffness / inertia, kp)
        damp = np.where(np.isfinite(self._damping), self._damping / inertia, kd)
        return np.minimum(stiff, MOST), np.minimum(damp, 4.0 * np.sqrt(MOST))


def indices(names: Sequence[str]) -> np.ndarray:
    """(n,) of ``names`` in ``BODY.joints``; RefusedError: not among :data:`FREE`, none, or one twice."""
    unknown = [name for name in names if name not in FREE]
    if unknown or not names:
        raise RefusedError(f"no joint {', '.join(unknown) or 'named'}; one of {', '.join(FREE)}")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise RefusedError(f"joints named twice: {', '.join(twice)}")
    return np.array([BODY.index(name) for name in names])
