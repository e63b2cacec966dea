"""Where the body's frames are, from joint positions: forward kinematics on the compiled model."""

from __future__ import annotations

from collections.abc import Iterable

import mujoco
import numpy as np

from neo_description.builder import build_robot
from neo_description.errors import NeoError
from neo_description.tables import BODY


class Kinematics:
    """Poses of frames in ``base_link`` as encoders give them; fingers do not matter here."""

    def __init__(self) -> None:
        self._model = build_robot(fingers=False, tendons=False, visuals=False).compile()
        self._data = mujoco.MjData(self._model)
        self._address = [self._model.joint(name).qposadr[0] for name in BODY.joints]
        self._data.qpos[:7] = (0, 0, 0, 1, 0, 0, 0)

    def frames(self, joint_position: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
        """``T_base_frame`` (4, 4) of each body or site in ``names`` at ``joint_position`` (31,) rad."""
        self._data.qpos[self._address] = joint_position
        mujoco.mj_kinematics(self._model, self._data)
        return {name: self._pose(name) for name in names}

    def _pose(self, name: str) -> np.ndarray:
        T = np.eye(4)
        for kind, p, R in (
            (mujoco.mjtObj.mjOBJ_SITE, self._data.site_xpos, self._data.site_xmat),
            (mujoco.mjtObj.mjOBJ_BODY, self._data.xpos, self._data.xmat),
        ):
            index = mujoco.mj_name2id(self._model, kind, name)
            if index >= 0:
                T[:3, :3], T[:3, 3] = R[index].reshape(3, 3), p[index]
                return T
        raise NeoError(f"no frame {name!r} in the robot")
