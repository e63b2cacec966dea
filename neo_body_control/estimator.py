"""Where the pelvis is, from its IMU, the legs' encoders and the soles: never from the simulator.

Orientation: a complementary filter on the rotation group (Mahony, Hamel, Pflimlin 2008, explicit form).
The gyro leads; the legs correct it where a sole stands flat, the accelerometer where none does:

    dR/dt = R hat(gyro - b + k_leg Σ wᵢ log(Rᵀ Rᵢ) + k_acc (a × Rᵀ z) / g)     db/dt = -k_bias (…same errors)

with ``Rᵢ = R_odom_soleᵢ R_soleᵢ_base(q)``. Position: a Luenberger observer of bandwidth ``w`` on the
accelerometer, corrected by ``pᵢ = p_odom_soleᵢ - R p_base_soleᵢ(q)``, each sole weighted by its load and
flatness:

    dp/dt = v + 2 w e        dv/dt = R a - g z + w² e        e = Σ wᵢ (pᵢ - p)

A sole's pose in odom is taken down where it comes to stand: level, on the ground, heading and place from
the estimate. ``odom`` is on the ground under base_link where the robot first stood, x as the soles point.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from neo_body_control.contacts import SoleContact
from neo_body_control.dynamics import body_model
from neo_body_control.rotations import about_z, cross, exp, log, orthonormal, yaw
from neo_description.signals import BodyState
from neo_description.tables import CONTROL_DT, SIDES

UP = np.array([0.0, 0.0, 1.0])


@dataclass
class EstimatorGains:
    """1/s unless said otherwise: ``leg``, ``gravity``, ``bias`` (1/s²), ``position`` rad/s; ``on``, ``off``
    N of a sole's contact; ``margin`` m of flatness; ``slip`` m and ``twist`` rad: a sole that disagrees by
    more is taken to stand elsewhere now."""

    leg: float
    gravity: float
    bias: float
    position: float
    on: float
    off: float
    margin: float
    slip: float
    twist: float


class BaseEstimator:
    """``R`` (3, 3), ``p``, ``v`` (3,) of base_link in odom, ``angular_velocity`` (3,) in base_link.

    ``contacts`` by side; ``anchors``: pose ``(R, p)`` in odom of each sole that stands.
    """

    def __init__(self, gains: EstimatorGains):
        self.gains = gains
        self._model = body_model()
        self._data = mujoco.MjData(self._model)
        self._data.qpos[:7] = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
        soles = {s: self._model.body(f"{s}_sole").id for s in SIDES}
        self._soles = {  # views: they follow the data
            s: (self._data.xmat[i].reshape(3, 3), self._data.xpos[i]) for s, i in soles.items()
        }
        self.contacts = {s: SoleContact(gains.on, gains.off, gains.margin) for s in SIDES}
        self.R = np.eye(3)
        self.p = np.zeros(3)
        self.v = np.zeros(3)
        self.angular_velocity = np.zeros(3)
        self.gyro_bias = np.zeros(3)
        self.anchors: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._origin_set = False
        self._started = False
        self._gravity = float(-self._model.opt.gravity[2])

    @property
    def tilt(self) -> float:
        """Angle (rad) between the pelvis' z axis and the vertical."""
        return float(np.arccos(min(max(self.R[2, 2], -1.0), 1.0)))

    @property
    def height(self) -> float:
        """Of base_link above the ground the soles stand on (m)."""
        return float(self.p[2])

    @property
    def standing(self) -> bool:
        """Whether both soles stand."""
        return all(c.stands for c in self.contacts.values())

    def update(self, state: BodyState) -> None:
        """One control tick."""
        soles = self._legs(state.joint_position)
        self.contacts["l"].update(state.l_sole_wrench)
        self.contacts["r"].update(state.r_sole_wrench)
        if not self._started or (self.standing and not self._origin_set):
            self._start(state, soles)
        self._predict(state)
        self._anchor(soles)
        self._correct(state, soles)

    def _legs(self, q: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Pose ``(R_base_sole, p_base_sole)`` of both soles."""
        self._data.qpos[7:] = q
        mujoco.mj_kinematics(self._model, self._data)
        return self._soles

    def _start(self, state: BodyState, soles: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
        """Take the ground under the soles as level and odom as under the pelvis."""
        R_legs = [R.T for R, _ in soles.values()]
        if self.standing:
            R = R_legs[0] @ exp(0.5 * log(R_legs[0].T @ R_legs[1]))
            self._origin_set = True
        else:  # not on its feet: the tilt from gravity, the heading as it is
            up = state.pelvis_linear_acceleration / max(
                np.linalg.norm(state.pelvis_linear_acceleration), 1e-6
            )
            axis = cross(up, UP)
            sine = float(np.linalg.norm(axis))
            R = exp(axis / sine * np.arctan2(sine, up[2])) if sine > 1e-9 else np.eye(3)
        heading = [yaw(R @ R_sole) for R_sole, _ in soles.values()]
        R = about_z(-0.5 * sum(heading)) @ R
        self.R = R
        self.p = np.array([0.0, 0.0, -0.5 * sum(float(R[2] @ p) for _, p in soles.values())])
        self.v = np.zeros(3)
        self.anchors = {}
        self._started = True

    def _predict(self, state: BodyState) -> None:
        dt = CONTROL_DT
        self.angular_velocity = state.pelvis_angular_velocity - self.gyro_bias
        self.R = orthonormal(self.R @ exp(dt * self.angular_velocity))
        acceleration = self.R @ state.pelvis_linear_acceleration
        acceleration[2] -= self._gravity
        self.p = self.p + dt * self.v + 0.5 * dt * dt * acceleration
        self.v = self.v + dt * acceleration

    def _anchor(self, soles: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
        """Take down where soles come to stand; forget those that lift, and those that have slid away."""
        for side, (R_sole, p_sole) in soles.items():
            if not self.contacts[side].stands:
                self.anchors.pop(side, None)
                continue
            if side in self.anchors:
                other = self.contacts["r" if side == "l" else "l"]
                lighter = other.stands and other.load > self.contacts[side].load
                if not (lighter and self._slid(self.anchors[side], R_sole, p_sole)):
                    continue
            p = self.p + self.R @ p_sole
            p[2] = 0.0
            self.anchors[side] = (about_z(yaw(self.R @ R_sole)), p)

    def _slid(self, anchor: tuple[np.ndarray, np.ndarray], R_sole: np.ndarray, p_sole: np.ndarray) -> bool:
        """Whether a sole is no longer where it was taken down."""
        R_anchor, p_anchor = anchor
        x, y, _ = (p_anchor - self.R @ p_sole - self.p).tolist()
        if abs(x) > self.gains.slip or abs(y) > self.gains.slip:
            return True
        return bool(abs(log(self.R.T @ R_anchor @ R_sole.T)[2]) > self.gains.twist)

    def _correct(self, state: BodyState, soles: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
        gains, dt = self.gains, CONTROL_DT
        weights = {s: self.contacts[s].load * self.contacts[s].flatness for s in self.anchors}
        total = sum(weights.values())
        if total > 1e-6:
            turn = np.zeros(3)
            for side, w in weights.items():
                turn += w / total * log(self.R.T @ self.anchors[side][0] @ soles[side][0].T)
            self._turn(gains.leg, gains.bias, turn)
        else:
            a = state.pelvis_linear_acceleration
            if abs(float(np.linalg.norm(a)) - self._gravity) < 1.0:
                self._turn(gains.gravity, 0.0, cross(a, self.R[2]) / self._gravity)
        loads = {s: self.contacts[s].load * (0.1 + self.contacts[s].flatness) for s in self.anchors}
        total = sum(loads.values())
        if total > 1e-6:
            error = -self.p
            for side, w in loads.items():
                error = error + w / total * (self.anchors[side][1] - self.R @ soles[side][1])
            w = gains.position
            self.p = self.p + dt * 2.0 * w * error
            self.v = self.v + dt * w * w * error

    def _turn(self, gain: float, bias_gain: float, error: np.ndarray) -> None:
        self.R = self.R @ exp(CONTROL_DT * gain * error)
        self.gyro_bias = self.gyro_bias - CONTROL_DT * bias_gain * error
