"""Joint impedance through tendons: positions, damping and closing torques to tensions.

    tau = (1 - push) (s Kp (q_ref - q) + c v) + i - Kd (qd - qd_ref) + tau_close
    i  <- i + h Ki (1 - push) (q_ref - q) dt, |i| <= i_max
    v   = (joint viscosity + tendon viscosity A Aᵀ) qd_ref
    c  <- c + learn (1 - push) Kp (q_ref - q) v / (v² + v_0²) dt, within ``servo_flow_range``

Where a joint pushes (``push`` in 0..1, see :mod:`neo_hand_control.fingers`) the position part fades out and
the closing torque stays, so contact forces are what was asked and not what a spring makes of a wrong
reference; joints across the closing motion keep their place. The integral carries gravity, friction and the
sideways weight of a held object; the hand has no sensor of gravity's direction.

``v`` is what motion itself costs: a drive that follows with a lag lets its tendon's series stiffness pull
back with stiffness times lag times the tendon's speed. Without it fingertips trail by millimetres. Drives are
not quite as written down, so each joint corrects its share ``c`` while it moves: one that trails needs more.

The stiffness ``s`` (1: the table's) scales the spring. Soft joints (below ``servo_soft_stiffness``) keep the
integral they had (h = 0), else it would push back a person's hand; stiff ones tighten both tendons of their
pair by ``servo_cocontraction`` for each 1 above 1, so that none goes slack. The drive answers with delay
and lag of about 10 ms in all, so the crossover stays below 60 rad/s: ``s Kp <= inertia * crossover^2``; the
tendon's own series stiffness adds damping. Fingers begin to ring at ``s`` = 3 and are
unstable at 4 (measured on the rig), so ``servo_stiffness_max`` leaves a factor of two.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from neo_description.tables import HAND
from neo_hand_control.tendon_qp import TendonQp


class Servo:
    """Torques and tensions of one hand. ``params``: the room's parameters beginning with ``servo_``."""

    def __init__(self, params: SimpleNamespace):
        self._p = params
        self._distribute = TendonQp(HAND)
        # Stiffness in proportion to what the joint can do: small joints move small inertias.
        self.stiffness = params.servo_stiffness * HAND.effort
        self.damping = params.servo_damping * HAND.effort
        self._integral_gain = params.servo_integral * HAND.effort
        self._integral_max = params.servo_integral_max * HAND.effort
        self._torque_max = params.servo_torque_max * HAND.effort
        A = HAND.moment_arms
        self._viscosity = (
            params.servo_joint_viscosity * np.eye(len(A)) + params.servo_tendon_viscosity * A @ A.T
        )
        self._least_flow = (params.servo_flow_least * HAND.effort) ** 2
        self.reset()

    def reset(self) -> None:
        """Forget the integral and what motion was found to cost."""
        self._integral = np.zeros(len(HAND.joints))
        self.flow = np.ones(len(HAND.joints))
        self._base = np.array(HAND.pretension)

    def torque(
        self,
        q: np.ndarray,
        qd: np.ndarray,
        q_ref: np.ndarray,
        closing: np.ndarray,
        push: np.ndarray,
        dt: float,
        qd_ref: np.ndarray | None = None,
        stiffness_scale: np.ndarray | float = 1.0,
    ) -> np.ndarray:
        """Joint torques (22,) N m.

        ``q``, ``qd``, ``q_ref`` (22,) rad, rad/s; ``closing`` (22,) N m; ``push`` (22,) in 0..1: share by
        which the position loop gives way; ``qd_ref`` (22,) rad/s: velocity of the reference, if it has one;
        ``stiffness_scale`` (22,) or one number: from 0, limp but for damping, to ``servo_stiffness_max``.
        """
        p, error, hold = self._p, q_ref - q, 1.0 - push
        gain, damped = self.stiffness, qd
        keep = hold * dt
        if np.ndim(stiffness_scale) or stiffness_scale != 1.0:
            scale = np.minimum(np.maximum(stiffness_scale, 0.0), p.servo_stiffness_max)
            gain = scale * gain
            soft = p.servo_soft_stiffness
            keep = keep * np.minimum(np.maximum((scale - soft) / (1.0 - soft), 0.0), 1.0)
            more = p.servo_cocontraction * np.maximum(scale - 1.0, 0.0) * np.ones(len(q))
            self._base = HAND.pretension + np.repeat(more, 2)
        else:
            self._base = HAND.pretension
        self._integral += self._integral_gain * error * keep
        self._integral *= 1.0 - push * min(dt / p.servo_integral_leak, 1.0)
        np.maximum(self._integral, -self._integral_max, out=self._integral)
        np.minimum(self._integral, self._integral_max, out=self._integral)
        spring = gain * error
        if qd_ref is not None:
            flow = self._viscosity @ qd_ref
            spring += self.flow * flow
            damped = qd - qd_ref
            learn = p.servo_flow_learning * dt * hold * self.stiffness * error * flow
            self.flow += learn / (flow * flow + self._least_flow)
            np.clip(self.flow, *p.servo_flow_range, out=self.flow)
        torque = hold * spring + self._integral - self.damping * damped + closing
        return np.minimum(np.maximum(torque, -self._torque_max), self._torque_max)

    def count_on(self, most: np.ndarray, given: np.ndarray | None) -> None:
        """Tendons pull at most ``most`` (44,) N, failed ones what is ``given``: :class:`TendonQp`."""
        self._distribute.most, self._distribute.given = most, given

    def tensions(self, torque: np.ndarray) -> np.ndarray:
        """Tendon tensions (44,) N for ``torque`` (22,) N m, as co-contracted as the last stiffness asked."""
        return self._distribute(torque, self._base)
