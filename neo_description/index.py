"""Where the robot's parts are in a compiled model's arrays, in the order of the tables."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from neo_description.errors import NeoError
from neo_description.masks import any_of
from neo_description.tables import BODY, HAND, SIDES, TAXELS, prefixed

Ids = np.ndarray


@dataclass(frozen=True)
class HandIndex:
    """One hand: addresses of its joints, ids of its tendons and pads (all in table order)."""

    qpos: Ids
    """(22,) in ``data.qpos``."""
    qvel: Ids
    """(22,) in ``data.qvel``, ``qfrc_*``."""
    tendons: Ids
    """(44,) in ``data.ten_length``."""
    actuators: Ids
    """(44,) in ``data.ctrl``."""
    pad_geoms: Ids
    """(19,) geom ids."""
    pad_sites: Ids
    """(19,) site ids of the pads' frames."""
    pad_data: Ids
    """(19, 3) in ``data.sensordata``: force on the pad, in the world's frame."""


class RobotIndex:
    """Addresses of the robot in ``model`` (with or without fingers, tendons, a scene around it).

    ``base_qpos`` (7,), ``base_qvel`` (6,); ``body_qpos``, ``body_qvel`` (31,); ``body_tendons``,
    ``body_actuators`` (62,), empty without tendons; ``hands`` by side, empty without fingers.
    """

    def __init__(self, model: mujoco.MjModel):
        self.model = model
        free = model.joint("base_joint")
        self.base_qpos = free.qposadr[0] + np.arange(7)
        self.base_qvel = free.dofadr[0] + np.arange(6)
        self.body_qpos, self.body_qvel = self._joints(BODY.joints)
        tendons = self._has(mujoco.mjtObj.mjOBJ_TENDON, BODY.tendons[0])
        self.body_tendons = self._ids(mujoco.mjtObj.mjOBJ_TENDON, BODY.tendons if tendons else ())
        self.body_actuators = self._ids(mujoco.mjtObj.mjOBJ_ACTUATOR, BODY.tendons if tendons else ())
        self.hands: dict[str, HandIndex] = {}
        if self._has(mujoco.mjtObj.mjOBJ_JOINT, "l_" + HAND.joints[0]):
            self.hands = {side: self._hand(side, tendons) for side in SIDES}

    def _has(self, kind: mujoco.mjtObj, name: str) -> bool:
        return mujoco.mj_name2id(self.model, kind, name) >= 0

    def _ids(self, kind: mujoco.mjtObj, names: tuple[str, ...]) -> Ids:
        found = [mujoco.mj_name2id(self.model, kind, name) for name in names]
        missing = [name for name, i in zip(names, found, strict=True) if i < 0]
        if missing:
            raise NeoError(f"the model lacks {', '.join(missing)}: it is not the robot of robot.yaml")
        return np.array(found, dtype=int)

    def _joints(self, names: tuple[str, ...]) -> tuple[Ids, Ids]:
        ids = self._ids(mujoco.mjtObj.mjOBJ_JOINT, names)
        return self.model.jnt_qposadr[ids].astype(int), self.model.jnt_dofadr[ids].astype(int)

    def _hand(self, side: str, tendons: bool) -> HandIndex:
        qpos, qvel = self._joints(prefixed(side, HAND.joints))
        pulls = prefixed(side, HAND.tendons) if tendons else ()
        pads = tuple(f"{name}_pad" for name in prefixed(side, TAXELS))
        return HandIndex(
            qpos=qpos,
            qvel=qvel,
            tendons=self._ids(mujoco.mjtObj.mjOBJ_TENDON, pulls),
            actuators=self._ids(mujoco.mjtObj.mjOBJ_ACTUATOR, pulls),
            pad_geoms=self._ids(mujoco.mjtObj.mjOBJ_GEOM, pads),
            pad_sites=self._ids(mujoco.mjtObj.mjOBJ_SITE, pads),
            pad_data=np.array([self.sensor(name) for name in prefixed(side, TAXELS)]),
        )

    def reels(self, data: mujoco.MjData, tendons: Ids) -> np.ndarray:
        """(k,) m: lengths of ``tendons`` (k,) beyond the zero posture's, where their reels are homed."""
        length: np.ndarray = data.ten_length.take(tendons)
        length -= self.model.tendon_length0.take(tendons)
        return length

    def sensor(self, name: str) -> Ids:
        """Addresses of sensor ``name`` in ``data.sensordata``: ``pelvis_gyro``, ``l_sole_force``, …"""
        i = self._ids(mujoco.mjtObj.mjOBJ_SENSOR, (name,))[0]
        return self.model.sensor_adr[i] + np.arange(self.model.sensor_dim[i])

    def wrench(self, frame: str) -> Ids:
        """(6,) addresses of force (N) and torque (N m) at ``{l,r}_sole`` or ``{l,r}_wrist``.

        MuJoCo measures what the parent does to the child: the wrenches of ``BodyState`` are minus these.
        """
        return np.concatenate([self.sensor(f"{frame}_force"), self.sensor(f"{frame}_torque")])

    def site(self, name: str) -> int:
        """Id of site ``name``: ``l_gripper``, ``gaze``, ``head_left_camera_optical_frame``, …"""
        return int(self._ids(mujoco.mjtObj.mjOBJ_SITE, (name,))[0])

    def body(self, name: str) -> int:
        """Id of body ``name``: ``base_link``, ``torso``, ``head``, ``l_wrist``, ``l_sole``, …"""
        return int(self._ids(mujoco.mjtObj.mjOBJ_BODY, (name,))[0])

    def pad_forces(self, data: mujoco.MjData, side: str) -> np.ndarray:
        """Forces (19, 3) N on one hand's pads in the pads' frames; x pushes into the flesh and is ≥ 0.

        A pad's x axis points out of the flesh, so a push along -x gives a positive normal force; shear is
        the force along the pad's y (to the tip) and z. What presses on the back of a phalanx counts as none.
        """
        hand = self.hands[side]
        felt = data.sensordata.take(hand.pad_data)
        if not any_of(felt):
            return felt
        R = data.site_xmat.take(hand.pad_sites, axis=0).reshape(-1, 3, 3)
        force = np.einsum("nij,ni->nj", R, felt)
        force[:, 0] = np.maximum(-force[:, 0], 0.0)
        return force
