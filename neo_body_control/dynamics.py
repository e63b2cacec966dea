"""The 37-DoF model: inertia, bias forces, frames with their Jacobians, centre of mass and momentum.

Generalised velocity as in MuJoCo: base linear velocity in odom (3), base angular velocity in ``base_link``
(3), joint velocities (31). Jacobians are (6, 37), linear rows first, in odom's axes at the frame's origin.

    M qacc + h = Sᵀ tau + Jᵀ f        h: gravity, Coriolis and joint damping
"""

from __future__ import annotations

from copy import copy
from functools import cache

import mujoco
import numpy as np

from neo_body_control.rotations import cross, hat
from neo_description.builder import build_robot
from neo_description.contact import add_capsule
from neo_description.errors import NeoError
from neo_description.tables import BODY, SIDES

NV = 6 + len(BODY.joints)
HAND_SHAPE = ((0.0, 0.0, -0.030), (0.0, 0.0, -0.150), 0.035)  # from, to (m, in the wrist), radius
FRAMES = ("l_sole", "r_sole", "l_gripper", "r_gripper", "gaze")
_BODY, _SITE = mujoco.mjtObj.mjOBJ_BODY, mujoco.mjtObj.mjOBJ_SITE


def body_model() -> mujoco.MjModel:
    """The robot without fingers, tendons and skin; its joints in the order of the tables."""
    return copy(_body_model())


@cache
def _body_model() -> mujoco.MjModel:
    spec = build_robot(fingers=False, tendons=False, visuals=False)
    for side in SIDES:
        hand = spec.body(f"{side}_wrist")
        add_capsule(hand, f"{side}_hand_contact", *HAND_SHAPE, contype=0, conaffinity=0, mass=0.0, group=3)
    model = spec.compile()
    joints = tuple(model.joint(i).name for i in range(1, model.njnt))
    if joints != BODY.joints:
        raise NeoError(f"the model's joints are {joints}; the table has {BODY.joints}")
    return model


def find_frame(model: mujoco.MjModel, name: str) -> tuple[mujoco.mjtObj, int]:
    """Kind (site or body) and index of the frame ``name``."""
    for kind in (_SITE, _BODY):
        index = mujoco.mj_name2id(model, kind, name)
        if index >= 0:
            return kind, index
    raise NeoError(f"no frame {name!r} in the robot")


class Frame:
    """One frame: ``p`` (3,), ``R`` (3, 3), ``J`` (6, 37), ``v`` (6,), ``drift`` (6,) = dJ/dt · qvel."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, name: str):
        self.name = name
        self._model, self._data = model, data
        self._kind, self._index = find_frame(model, name)
        site = self._kind == _SITE
        self.p = (data.site_xpos if site else data.xpos)[self._index]  # views: they follow the data
        self.R = (data.site_xmat if site else data.xmat)[self._index].reshape(3, 3)
        self._jacobian = mujoco.mj_jacSite if site else mujoco.mj_jacBody
        self.J = np.zeros((6, NV))
        self._Jp, self._Jr = self.J[:3], self.J[3:]
        self.v = np.zeros(6)
        self.drift = np.zeros(6)
        self._spatial = np.zeros(6)  # rotation first
        self._order = np.array([3, 4, 5, 0, 1, 2])
        self._qvel = data.qvel
        self._fall = float(model.opt.gravity[2])
        if not site:
            self._kind = mujoco.mjtObj.mjOBJ_XBODY  # the link's frame, not that of its inertia

    def update(self) -> None:
        """Read the frame after the model's kinematics."""
        self._jacobian(self._model, self._data, self._Jp, self._Jr, self._index)
        np.matmul(self.J, self._qvel, out=self.v)
        mujoco.mj_objectAcceleration(self._model, self._data, self._kind, self._index, self._spatial, 0)
        self._spatial.take(self._order, out=self.drift, mode="clip")
        self.drift[2] += self._fall  # MuJoCo's accelerations include that of free fall

    @property
    def T(self) -> np.ndarray:
        """Pose (4, 4) in odom."""
        T = np.eye(4)
        T[:3, :3], T[:3, 3] = self.R, self.p
        return T


class Dynamics:
    """Everything the controller needs of the model at one state; :meth:`update` first.

    ``M`` (37, 37), ``h`` (37,), ``com``/``com_velocity`` (3,), ``J_com`` (3, 37), ``com_drift`` (3,),
    ``angular_momentum`` (3,) about the centre of mass with Jacobian ``A_k`` (3, 37) and ``k_drift`` (3,).
    """

    def __init__(self) -> None:
        self.model = body_model()
        self.data = mujoco.MjData(self.model)
        self.mass = float(self.model.body_mass.sum())
        self.gravity = float(-self.model.opt.gravity[2])
        self.frames = {name: Frame(self.model, self.data, name) for name in FRAMES}
        self.damping = self.model.dof_damping.copy()
        self.M = np.zeros((NV, NV))
        self.h = np.zeros(NV)
        self._total = self.mass  # kg, with what is carried
        self._weight = np.array([0.0, 0.0, self.mass * self.gravity])
        base = self.model.body("base_link").id
        self._base_p = self.data.xpos[base]  # views: they follow the data
        self._base_R = self.data.xmat[base].reshape(3, 3)
        self._subtree_com = self.data.subtree_com[base]
        camera = find_frame(self.model, "head_left_camera_optical_frame")[1]
        self._camera_p = self.data.site_xpos[camera]
        self._camera_R = self.data.site_xmat[camera].reshape(3, 3)
        self._shoulder = {s: self.model.body(f"{s}_shoulder_carrier").id for s in "lr"}

    def update(self, qpos: np.ndarray, qvel: np.ndarray) -> None:
        """``qpos`` (38,): base position, quaternion w x y z, joints; ``qvel`` (37,)."""
        m, d = self.model, self.data
        d.qpos[:] = qpos
        d.qvel[:] = qvel
        mujoco.mj_kinematics(m, d)
        mujoco.mj_comPos(m, d)
        mujoco.mj_crb(m, d)
        mujoco.mj_comVel(m, d)
        mujoco.mj_rne(m, d, 0, self.h)
        mujoco.mj_rnePostConstraint(m, d)  # accelerations of all links at qacc = 0
        mujoco.mj_fullM(m, d, self.M)
        for frame in self.frames.values():
            frame.update()
        self._momentum(qvel)
        self.h += self.damping * qvel

    def carry(self, mass: float, frame: Frame) -> None:
        """Until the next :meth:`update` a point of ``mass`` (kg) goes with ``frame``: in ``M``, and in the
        centre of mass, its speed, Jacobian and drift."""
        J = frame.J[:3]
        self.M += mass * (J.T @ J)
        self._total += mass
        share = mass / self._total
        self.com += share * (frame.p - self.com)
        self.com_velocity += share * (frame.v[:3] - self.com_velocity)
        self.com_drift += share * (frame.drift[:3] - self.com_drift)
        self.J_com += share * (J - self.J_com)

    def _momentum(self, qvel: np.ndarray) -> None:
        """Centre of mass and angular momentum about it, from the base rows of ``M`` and of the bias.

        The free joint's rows of ``M qvel`` are the robot's linear momentum in odom and its angular
        momentum about the base in the base's axes (Orin and Goswami 2008).
        """
        R = self._base_R
        self._total = self.mass
        self.com = self._subtree_com.copy()
        r = self.com - self._base_p
        linear = self.M[:3]
        self.J_com = linear / self.mass
        self.com_velocity = self.J_com @ qvel
        force = self.h[:3] - self._weight
        self.com_drift = force / self.mass
        self.A_k = R @ self.M[3:6] - hat(r) @ linear
        self.angular_momentum = self.A_k @ qvel
        self.k_drift = R @ self.h[3:6] - cross(r, self.h[:3])

    @property
    def T_odom_head_camera(self) -> np.ndarray:
        """Pose (4, 4) of ``head_left_camera_optical_frame``."""
        T = np.eye(4)
        T[:3, :3], T[:3, 3] = self._camera_R, self._camera_p
        return T

    def shoulder(self, side: str) -> np.ndarray:
        """Position (3,) m of a shoulder in odom."""
        return self.data.xpos[self._shoulder[side]].copy()
