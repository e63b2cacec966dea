"""Where the robot's own arms and hands cover the image: from joint encoders, not from how they look."""

from __future__ import annotations

import cv2
import mujoco
import numpy as np

from neo_description import hand
from neo_description.builder import build_robot
from neo_description.errors import NeoError
from neo_description.index import RobotIndex
from neo_description.tables import BODY, HAND, JOINTS

LINKS = ("upper_arm", "forearm", "wrist", "thumb", "index", "middle", "ring", "little")
MARGIN = 0.004  # m: of skin and encoder error about each capsule


class OwnBody:
    """Draws arms and hands into depth images, capsule by capsule."""

    def __init__(self) -> None:
        self._model = build_robot(fingers=True, tendons=False, visuals=False).compile()
        self._data = mujoco.MjData(self._model)
        index = RobotIndex(self._model)
        self._body = index.body_qpos
        self._hands = np.concatenate([index.hands[side].qpos for side in ("l", "r")])
        self._data.qpos[index.base_qpos] = (0, 0, 0, 1, 0, 0, 0)
        half_open = [hand.HALF_OPEN.get(joint, 0.0) for joint in HAND.joints]
        self._data.qpos[self._hands] = np.tile(half_open, 2)
        bodies = [self._model.body(int(b)).name for b in self._model.geom_bodyid]
        mine = [i for i, name in enumerate(bodies) if name[2:].startswith(LINKS)]
        kinds = self._model.geom_type
        self._capsules = np.array([i for i in mine if kinds[i] == mujoco.mjtGeom.mjGEOM_CAPSULE])
        self._boxes = np.array([i for i in mine if kinds[i] == mujoco.mjtGeom.mjGEOM_BOX])

    def pose(self, joint_position: np.ndarray) -> None:
        """Take a posture: (31,) rad of the body, or (75,) with both hands (half open otherwise)."""
        if joint_position.shape not in ((len(BODY.joints),), (len(JOINTS),)):
            raise NeoError(
                f"{joint_position.size} joint positions; {len(BODY.joints)} or {len(JOINTS)} are allowed"
            )
        self._data.qpos[self._body] = joint_position[: len(BODY.joints)]
        if len(joint_position) == len(JOINTS):
            self._data.qpos[self._hands] = joint_position[len(BODY.joints) :]
        mujoco.mj_kinematics(self._model, self._data)

    def depth(self, K: np.ndarray, T_base_camera: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """(H, W) float32 m along the camera's axis at which the arms stand there; 0 where they do not."""
        image = np.zeros(shape, np.float32)
        R, o = T_base_camera[:3, :3], T_base_camera[:3, 3]
        model, data = self._model, self._data
        center = (data.geom_xpos - o) @ R
        axes = data.geom_xmat.reshape(-1, 3, 3).transpose(0, 2, 1) @ R  # rows: each geom's axes in the camera
        drawn: list[tuple[float, int, np.ndarray]] = []
        for i in self._capsules:
            half = axes[i, 2] * model.geom_size[i, 1]
            drawn.append((center[i, 2], i, np.array([center[i] - half, center[i] + half])))
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        for i in self._boxes:
            drawn.append((center[i, 2], i, center[i] + (signs * (model.geom_size[i] + MARGIN)) @ axes[i]))
        for z, i, points in sorted(drawn, key=lambda item: -item[0]):
            if points[:, 2].min() < 0.05:
                continue
            pixels = np.rint((points @ K.T)[:, :2] / points[:, 2:]).astype(int)
            if (pixels.max(0) < -50).any() or (pixels.min(0) > np.array(shape[::-1]) + 50).any():
                continue
            if len(points) == 2:
                thick = max(1, round(2 * (model.geom_size[i, 0] + MARGIN) * K[0, 0] / z))
                cv2.line(image, pixels[0].tolist(), pixels[1].tolist(), float(z), thick)
            else:
                cv2.fillConvexPoly(image, cv2.convexHull(pixels), float(z))
        return image
