"""What tendons that end at a wrist do to it, which its sensor does not feel.

The sensor sits beyond the ends of the wrist's tendons: it feels the hand alone. MuJoCo's sensor cuts at the
joint, where routed tendons run past what it measures: it tells what bones bear, the hand's load and the
tendons' pull. Fixed tendons are torques of joints, and nothing runs past.
"""

from __future__ import annotations

import mujoco
import numpy as np

from neo_description.index import RobotIndex
from neo_description.tables import SIDES


class WristTendons:
    """Of a model with routed tendons, in the frames of ``l_wrist_wrench`` and ``r_wrist_wrench``."""

    def __init__(self, index: RobotIndex):
        names = [f"{side}_wrist_roll_{end}" for side in SIDES for end in ("plus", "minus")]
        self._tendons = np.array([index.model.tendon(name).id for name in names])
        self._motors = np.array([index.model.actuator(name).id for name in names])
        self._sites = np.repeat([index.site(f"{side}_wrist_wrench") for side in SIDES], 2)

    def __call__(self, data: mujoco.MjData) -> np.ndarray:
        """(12,) N, N m: force and moment of the left wrist's two tendons on it, then the right's."""
        end = data.ten_wrapadr.take(self._tendons) + data.ten_wrapnum.take(self._tendons) - 1
        points = data.wrap_xpos.reshape(-1, 3)
        to = points.take(end, axis=0)
        along = points.take(end - 1, axis=0) - to
        pull = data.ctrl.take(self._motors) / np.sqrt((along * along).sum(axis=1))
        force = pull[:, None] * along
        moment = np.cross(to - data.site_xpos.take(self._sites, axis=0), force)
        R = data.site_xmat.take(self._sites, axis=0).reshape(-1, 3, 3)
        both = np.einsum("nij,nki->nkj", R, np.stack([force, moment], axis=1)).reshape(-1, 2, 6)
        out: np.ndarray = both.sum(axis=1).ravel()
        return out
