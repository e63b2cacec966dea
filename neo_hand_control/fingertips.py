"""Fingertips that follow positions: damped least squares on the fingers' own joints, within their limits.

A fingertip is the middle of the round end of its distal phalanx; positions are in the wrist's frame. Every
tick each finger that is asked for takes one step of

    min  ‖J dq - (x_want - x(q))‖² + damping² ‖dq - bias (q_rest - q)‖²
    s.t. q_min ≤ q + dq ≤ q_max, |dq| ≤ speed dt

on its reference ``q``, never on the measured joints, so encoder noise does not enter. A joint that meets a
limit is held there and the others are solved again. What is left over, the finger's spare joint, drifts to
``q_rest``. The velocities of the references follow from those of the tips with the same joints held;
:meth:`neo_hand_control.servo.Servo.torque` feeds them forward.

Steps are local: from a straight finger there may be no way to a point that a bent one reaches. Far targets
are found from ``q_rest`` (:meth:`FingertipFollower.find`), and the joints are moved there first.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neo_description.errors import NeoError
from neo_description.hand import hand_parts
from neo_description.tables import CONTROL_DT, HAND, TAXELS
from neo_hand_control.hand_kinematics import HandKinematics

FINGERS = ("thumb", "index", "middle", "ring", "little")
DAMPING = 1e-3  # m/rad
BIAS = 0.02  # share of the way to the rest posture that a tick asks for
SPEED = 8.0  # rad/s of a reference, at most
SEARCH = 0.2  # rad a step while searching
MARGIN = 0.01  # rad kept from the joints' ends
YZX, ZXY = [1, 2, 0], [2, 0, 1]
SOLVES = 4  # times that a step is solved again because joints met limits, at most


class FingertipFollower:
    """Joint references of hand ``side`` for fingertip positions.

    ``q`` (22,) rad: the references; ``rest`` (22,) rad: the posture that spare joints drift to.
    """

    def __init__(self, side: str, rest: np.ndarray | None = None):
        self._kinematics = HandKinematics(side)
        self._pads = np.array([TAXELS.index(f"{finger}_distal") for finger in FINGERS])
        own = [[i for i, name in enumerate(HAND.joints) if name.startswith(finger)] for finger in FINGERS]
        most = max(map(len, own))
        n = len(HAND.joints)
        # (5, most): joints of each finger, shorter ones filled up with a joint that moves nothing
        self._joints = np.array([joints + [n] * (most - len(joints)) for joints in own])
        self._real, self._is_real = np.minimum(self._joints, n - 1), (self._joints < n)[:, :, None]
        flesh = {pad.taxel: pad for pad in hand_parts(side)[1]}
        tips = [flesh[TAXELS[pad]] for pad in self._pads]
        # from a pad's frame, on its surface, to the middle of the tip
        half = [float(np.linalg.norm(pad.end - pad.start)) / 2 for pad in tips]
        self._offset = np.array([[-pad.radius, h, 0.0] for pad, h in zip(tips, half, strict=True)])
        self.rest = 0.5 * (HAND.q_min + HAND.q_max) if rest is None else np.array(rest, float)
        self._rest = np.append(self.rest, 0.0)
        self._low, self._high = np.append(HAND.q_min + MARGIN, 0.0), np.append(HAND.q_max - MARGIN, 0.0)
        self.reset(self.rest)

    def reset(self, q: np.ndarray) -> None:
        """Begin at joint angles ``q`` (22,) rad."""
        self._move(np.clip(np.asarray(q, float), HAND.q_min, HAND.q_max))

    def find(self, want: Mapping[str, np.ndarray], steps: int = 40) -> np.ndarray:
        """References (22,) rad that bring tips to ``want`` (finger → (3,) m), from the rest posture on."""
        self.reset(self.rest)
        for _ in range(steps):
            self.step(want, longest=SEARCH)
        return self.q.copy()

    def tip(self, finger: str) -> np.ndarray:
        """Where the tip of ``finger`` is (3,) m at the references."""
        return self._tips[_index(finger)].copy()

    def tip_jacobian(self, finger: str) -> np.ndarray:
        """(3, k) m/rad: how the joints of ``finger``, in the order of the tables, move its tip."""
        i = _index(finger)
        return self._jacobians(np.array([i]))[0][:, self._joints[i] < len(HAND.joints)]

    def step(
        self,
        want: Mapping[str, np.ndarray],
        velocity: Mapping[str, np.ndarray] | None = None,
        longest: float = SPEED * CONTROL_DT,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Joint references (22,) rad and their velocities (22,) rad/s for one tick.

        ``want``: finger → (3,) m; ``velocity``: finger → (3,) m/s, still where not given. Fingers that are
        not asked for stay where they are. ``longest`` rad: of any joint's step.
        """
        n = len(HAND.joints)
        qd = np.zeros(n + 1)
        if want:
            fingers = np.array([_index(finger) for finger in want])
            target = np.array([want[finger] for finger in want], float)
            given = velocity or {}
            speed = np.array([given.get(finger, np.zeros(3)) for finger in want], float)
            if not (np.isfinite(target).all() and np.isfinite(speed).all()):
                raise NeoError(f"tips shall go to {dict(want)} at {dict(given)}; finite m and m/s needed")
            joints = self._joints[fingers]
            q = np.append(self.q, 0.0)
            J = self._jacobians(fingers)
            way = np.stack([target - self._tips[fingers], speed], axis=2)
            low = np.maximum(self._low[joints] - q[joints], -longest)
            high = np.minimum(self._high[joints] - q[joints], longest)
            dq, qd[joints] = _least_squares(J, way, BIAS * (self._rest[joints] - q[joints]), low, high)
            q[joints] += dq
            self._move(q[:n])
        return self.q.copy(), qd[:n]

    def _move(self, q: np.ndarray) -> None:
        self.q = q
        self._kinematics.move(q)
        R, p = self._kinematics.R[self._pads], self._kinematics.p[self._pads]
        self._tips = p + (R @ self._offset[:, :, None])[:, :, 0]

    def _jacobians(self, fingers: np.ndarray) -> np.ndarray:
        """(k, 3, most) m/rad of the tips of ``fingers`` (k,)."""
        axis, anchor = self._kinematics.axes()
        joints = self._real[fingers]
        a, arm = axis[joints] * self._is_real[fingers], self._tips[fingers][:, None, :] - anchor[joints]
        moved = a[:, :, YZX] * arm[:, :, ZXY] - a[:, :, ZXY] * arm[:, :, YZX]  # a × arm
        return moved.transpose(0, 2, 1)


def _index(finger: str) -> int:
    if finger not in FINGERS:
        raise NeoError(f"no finger {finger!r}; one of {', '.join(FINGERS)}")
    return FINGERS.index(finger)


def _least_squares(
    J: np.ndarray, way: np.ndarray, drift: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Steps (k, j) of least ‖J dq - way‖² + damping² ‖dq - drift‖² from ``low`` to ``high``, and velocities.

    ``J`` (k, 3, j); ``way`` (k, 3, 2): what the steps and what the velocities shall bring. A joint that is
    held loses its column, and the damping alone puts it where it is held.
    """
    held = np.zeros(drift.shape, bool)
    at = np.zeros_like(drift)
    eye = DAMPING**2 * np.eye(drift.shape[1])
    for _ in range(SOLVES):
        free = J * ~held[:, None, :]
        Jt = free.transpose(0, 2, 1)
        left = way.copy()
        left[:, :, 0] -= (J @ at[:, :, None])[:, :, 0]
        g = Jt @ left
        g[:, :, 0] += DAMPING**2 * np.where(held, at, drift)
        x = np.linalg.solve(Jt @ free + eye, g)
        dq, over = x[:, :, 0], ~held & ((x[:, :, 0] < low) | (x[:, :, 0] > high))
        if not over.any():
            break
        held |= over
        at = np.where(over, np.minimum(np.maximum(dq, low), high), at)
    return np.minimum(np.maximum(dq, np.minimum(low, 0.0)), np.maximum(high, 0.0)), x[:, :, 1]
