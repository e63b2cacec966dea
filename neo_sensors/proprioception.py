"""What joints and tendons say about the robot: every frame from the encoders, torques from the tensions."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from neo_description.builder import INTERNAL, build_robot
from neo_description.errors import NeoError
from neo_description.index import RobotIndex
from neo_description.tables import BODY, HAND, JOINTS, SIDES


@dataclass(frozen=True)
class Frame:
    """A frame of the robot and the one that it hangs on."""

    name: str
    parent: str


class FrameTree:
    """All frames below ``base_link``: moving links, and frames fixed to them (cameras, grippers, pads).

    ``moving`` and ``fixed`` list them; :meth:`moving_poses` and ``fixed_poses`` give ``T_parent_frame`` in
    the same order, as positions (n, 3) m and quaternions (n, 4) w, x, y, z.
    """

    def __init__(self) -> None:
        self._model = model = build_robot(fingers=True, tendons=False, visuals=False).compile()
        self._data = mujoco.MjData(model)
        index = RobotIndex(model)
        hands = [index.hands[side].qpos for side in SIDES]
        self._address = np.concatenate([index.body_qpos, *hands])
        self._data.qpos[index.base_qpos] = (0, 0, 0, 1, 0, 0, 0)
        base = index.body("base_link")
        links = [i for i in range(1, model.nbody) if i != base]
        movable = [i for i in links if model.body_jntnum[i] > 0]
        self._moving, self._parents = np.array(movable), model.body_parentid[movable]
        self.moving = [
            Frame(model.body(i).name, model.body(int(model.body_parentid[i])).name) for i in movable
        ]
        self.fixed, fixed_poses = [], []
        for i in links:
            if model.body_jntnum[i] == 0:
                self.fixed.append(Frame(model.body(i).name, model.body(int(model.body_parentid[i])).name))
                fixed_poses.append((model.body_pos[i], model.body_quat[i]))
        for i in range(model.nsite):
            name = model.site(i).name
            if not name.endswith(INTERNAL):
                self.fixed.append(Frame(name, model.body(int(model.site_bodyid[i])).name))
                fixed_poses.append((model.site_pos[i], model.site_quat[i]))
        self.fixed_poses = (
            np.array([p for p, _ in fixed_poses]),
            np.array([q for _, q in fixed_poses]),
        )

    def moving_poses(self, joint_position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions and quaternions of the moving frames in their parents; ``joint_position`` (75,) rad."""
        if joint_position.shape != (len(JOINTS),):
            raise NeoError(
                f"{joint_position.size} joint positions; {len(JOINTS)} are needed, as in tables.JOINTS"
            )
        self._data.qpos[self._address] = joint_position
        mujoco.mj_kinematics(self._model, self._data)
        R = self._data.xmat.reshape(-1, 3, 3)[self._parents].transpose(0, 2, 1)
        off = self._data.xpos[self._moving] - self._data.xpos[self._parents]
        position = np.einsum("nij,nj->ni", R, off)
        quat = _multiply(_conjugate(self._data.xquat[self._parents]), self._data.xquat[self._moving])
        return position, quat


def _conjugate(q: np.ndarray) -> np.ndarray:
    return q * (1.0, -1.0, -1.0, -1.0)


def _multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Quaternion products, row by row."""
    w = a[:, 0] * b[:, 0] - np.sum(a[:, 1:] * b[:, 1:], axis=1)
    v = a[:, :1] * b[:, 1:] + b[:, :1] * a[:, 1:] + np.cross(a[:, 1:], b[:, 1:])
    return np.column_stack([w, v])


def torques(body: np.ndarray, hands: list[np.ndarray], scale: float | np.ndarray = 1.0) -> np.ndarray:
    """Joint torques (75,) N m that tendon tensions make: (62,) N of the body, whose arms are ``scale`` (62,)
    times those of the table, (44,) N of each hand."""
    return np.concatenate([BODY.moment_arms @ (scale * body), *(HAND.moment_arms @ hand for hand in hands)])
