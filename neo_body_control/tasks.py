"""Tasks of the whole-body QP: wanted accelerations, each with a weight, stacked into one least squares.

A task is a few rows of ``sqrt(weight) (J qacc + drift - a)``, with the wanted acceleration

    a = a_ref + kd (v_ref - v) + kp e        kd = 2 ζ sqrt(kp)

``kp`` 1/s², ``kd`` 1/s, ``e`` m or rad (its length saturated, so a far target pulls no harder than a near
one). Rotational errors are rotation vectors in odom. All rows live in one preallocated stack.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from neo_body_control.dynamics import NV, Dynamics, Frame
from neo_body_control.joint_paths import JointGoals
from neo_body_control.rotations import about_z, cross, log
from neo_body_control.walking.swing import FootReference

CONTACT = {"l": slice(0, 6), "r": slice(6, 12)}
COM = slice(12, 14)
HEIGHT = 14
ORIENTATION = slice(15, 18)
GAZE = slice(18, 20)
HAND = {"l": slice(20, 26), "r": slice(26, 32)}
MOMENTUM = slice(32, 35)
ROWS = 35
UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Gain:
    """``weight`` of the task's squared acceleration error, or one for each of its rows; ``kp`` 1/s²; ``kd``
    1/s; ``reach``: largest error (m or rad) that counts."""

    weight: float | np.ndarray
    kp: float
    kd: float
    reach: float

    @classmethod
    def damped(cls, weight: float, kp: float, ratio: float, reach: float) -> Gain:
        """With ``kd`` for the damping ``ratio``."""
        return cls(weight, kp, 2.0 * ratio * math.sqrt(kp), reach)


def saturated(e: np.ndarray, limit: float) -> np.ndarray:
    """``e`` no longer than ``limit``."""
    length = math.sqrt(float(e @ e))
    return e * (limit / length) if length > limit else e


@dataclass(slots=True)
class HandReference:
    """Where a gripper shall be now, in odom: ``p``, ``v``, ``a``, ``w``, ``alpha`` (3,), ``R`` (3, 3)."""

    p: np.ndarray
    v: np.ndarray
    a: np.ndarray
    R: np.ndarray
    w: np.ndarray
    alpha: np.ndarray


class TaskStack:
    """``J`` (35, 37), wanted ``a`` (35,) with drift taken off, ``weight`` (35,); posture apart.

    A weight of zero switches rows off. :meth:`cost` gives the quadratic in ``qacc``.
    """

    def __init__(self) -> None:
        self.J = np.zeros((ROWS, NV))
        self.a = np.zeros(ROWS)
        self.J[HEIGHT, 2] = 1.0
        self.J[ORIENTATION, 3:6] = np.eye(3)
        self.weight = np.zeros(ROWS)
        self.posture_a = np.zeros(NV - 6)
        self.posture_weight = np.zeros(NV - 6)
        self.regularisation = 1e-6

    def contact(self, side: str, sole: Frame, weight: float, damping: float) -> None:
        """The sole stays where it is: no acceleration, what speed it has decays with ``damping`` 1/s."""
        rows = CONTACT[side]
        self.J[rows] = sole.J
        self.a[rows] = -sole.drift - damping * sole.v
        self.weight[rows] = weight

    def set_down(self, side: str, sole: Frame, weight: float, damping: float, speed: float) -> None:
        """The sole is off the ground: straight down with ``speed`` m/s, turning level."""
        rows = CONTACT[side]
        self.J[rows] = sole.J
        v = np.zeros(6)
        v[2] = -speed
        v[3:] = 10.0 * cross(sole.R[:, 2], UP)
        self.a[rows] = damping * (v - sole.v) - sole.drift
        self.weight[rows] = weight

    def swing(self, side: str, sole: Frame, weight: float, kp: float, foot: FootReference) -> None:
        """The sole swings as ``foot`` says, critically damped."""
        rows, kd = CONTACT[side], 2.0 * math.sqrt(kp)
        self.J[rows] = sole.J
        heading, speed, acceleration = foot.turn.tolist()
        a = np.empty(6)
        a[:3] = foot.a + kp * saturated(foot.p - sole.p, 0.1) + kd * (foot.v - sole.v[:3])
        turn = saturated(sole.R @ log(sole.R.T @ about_z(heading)), 0.6)
        a[3:] = acceleration * UP + kp * turn + kd * (speed * UP - sole.v[3:])
        self.a[rows] = a - sole.drift
        self.weight[rows] = weight

    def com_acceleration(self, dynamics: Dynamics, weight: float, a: np.ndarray) -> None:
        """Horizontal acceleration (2,) m/s² of the centre of mass."""
        self.J[COM] = dynamics.J_com[:2]
        self.a[COM] = a - dynamics.com_drift[:2]
        self.weight[COM] = weight

    def com(self, dynamics: Dynamics, gain: Gain, p_ref: np.ndarray, v_ref: np.ndarray) -> None:
        """Horizontal place (2,) m and speed of the centre of mass."""
        self.J[COM] = dynamics.J_com[:2]
        e = saturated(p_ref - dynamics.com[:2], gain.reach)
        self.a[COM] = gain.kp * e + gain.kd * (v_ref - dynamics.com_velocity[:2]) - dynamics.com_drift[:2]
        self.weight[COM] = gain.weight

    def height(self, z: float, v: float, gain: Gain, ref: tuple[float, float, float]) -> None:
        """Height of base_link: ``ref`` place, speed, acceleration."""
        e = min(max(ref[0] - z, -gain.reach), gain.reach)
        self.a[HEIGHT] = ref[2] + gain.kp * e + gain.kd * (ref[1] - v)
        self.weight[HEIGHT] = gain.weight

    def orientation(self, R: np.ndarray, w: np.ndarray, gain: Gain, R_ref: np.ndarray) -> None:
        """Of base_link; ``w`` (3,) its angular velocity, as the model's velocity has it, in base_link."""
        self.a[ORIENTATION] = gain.kp * saturated(log(R.T @ R_ref), gain.reach) - gain.kd * w
        self.weight[ORIENTATION] = gain.weight

    def gaze(self, frame: Frame, gain: Gain, point: np.ndarray) -> None:
        """Turn the frame's x axis to ``point`` (3,) m; rolling about it is free."""
        R = frame.R
        ray = R.T @ (point - frame.p)
        angle_z = math.atan2(ray[1], max(ray[0], 0.05))
        angle_y = math.atan2(-ray[2], max(ray[0], 0.05))
        yz = R[:, 1:].T
        self.J[GAZE] = yz @ frame.J[3:]
        e = saturated(np.array([angle_y, angle_z]), gain.reach)
        self.a[GAZE] = gain.kp * e - gain.kd * (yz @ frame.v[3:]) - yz @ frame.drift[3:]
        self.weight[GAZE] = gain.weight

    def no_gaze(self) -> None:
        """Nothing to look at."""
        self.weight[GAZE] = 0.0

    def hand(self, side: str, frame: Frame, place: Gain, turn: Gain, ref: HandReference) -> None:
        """Pose of a gripper."""
        rows = HAND[side]
        self.J[rows] = frame.J
        a = np.empty(6)
        a[:3] = ref.a + place.kp * saturated(ref.p - frame.p, place.reach) + place.kd * (ref.v - frame.v[:3])
        e = frame.R @ log(frame.R.T @ ref.R)
        a[3:] = ref.alpha + turn.kp * saturated(e, turn.reach) + turn.kd * (ref.w - frame.v[3:])
        self.a[rows] = a - frame.drift
        self.weight[rows.start : rows.start + 3] = place.weight
        self.weight[rows.start + 3 : rows.stop] = turn.weight

    def drop_hand(self, side: str) -> None:
        """The hand has no target."""
        self.weight[HAND[side]] = 0.0

    def momentum(self, dynamics: Dynamics, weight: float, damping: float) -> None:
        """Angular momentum about the centre of mass decays with ``damping`` 1/s."""
        self.J[MOMENTUM] = dynamics.A_k
        self.a[MOMENTUM] = -damping * dynamics.angular_momentum - dynamics.k_drift
        self.weight[MOMENTUM] = weight

    def posture(
        self, q: np.ndarray, v: np.ndarray, q_ref: np.ndarray, weight: np.ndarray, gain: Gain
    ) -> None:
        """Joint angles (31,) rad, each with its weight; errors count up to 0.5 rad."""
        e = np.minimum(np.maximum(q_ref - q, -0.5), 0.5)
        self.posture_a = gain.kp * e - gain.kd * v
        self.posture_weight = weight

    def joints(
        self,
        q: np.ndarray,
        v: np.ndarray,
        q_ref: np.ndarray,
        goals: JointGoals,
        gain: Gain,
        path: Gain,
        inertia: np.ndarray,
    ) -> None:
        """After :meth:`posture` with the same ``q``, ``v``, ``q_ref``, ``gain``: joints on a ``path`` get
        that gain, those whose impedance was asked for their own; ``inertia`` (31,) kg m² of the joints."""
        on = goals.active
        kp, kd = goals.gains(np.where(on, path.kp, gain.kp), np.where(on, path.kd, gain.kd), inertia)
        e = np.minimum(np.maximum(np.where(on, goals.q, q_ref) - q, -0.5), 0.5)
        self.posture_a = np.where(on, goals.a, 0.0) + kp * e + kd * (np.where(on, goals.v, 0.0) - v)
        self.posture_weight = np.where(on, path.weight, self.posture_weight)

    def cost(self, H: np.ndarray, g: np.ndarray) -> None:
        """Write ``½ qaccᵀ H qacc + gᵀ qacc`` into ``H`` (37, 37) and ``g`` (37,)."""
        s = np.sqrt(self.weight)
        Js = self.J * s[:, None]
        np.matmul(Js.T, Js, out=H)
        diagonal = H.ravel()[:: NV + 1] if H.flags.c_contiguous else np.einsum("ii->i", H)
        diagonal += self.regularisation
        diagonal[6:] += self.posture_weight
        np.matmul(Js.T, -(s * self.a), out=g)
        g[6:] -= self.posture_weight * self.posture_a
