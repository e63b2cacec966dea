"""Where points of a hand are, seen from its gripper and from the world, for skills that place fingers.

World axes as in :mod:`neo_hand_control.skills.skill`: with no turn the fingers point along +x, the thumb up.
"""

from __future__ import annotations

import numpy as np

from neo_description.hand import R_WORLD_WRIST, gripper, hand_parts, rotation
from neo_description.tables import TAXELS
from neo_hand_control.hand_kinematics import HandKinematics


def from_gripper(side: str, p_wrist: np.ndarray) -> np.ndarray:
    """Points (..., 3) m of the wrist's frame from the gripper, on the world's axes of a hand not turned."""
    return (np.asarray(p_wrist) - gripper(side)[0]) @ R_WORLD_WRIST.T


def shift_to(point: np.ndarray, tool: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Shift (3,) m that brings ``tool`` (3,) m (as :func:`from_gripper`) to ``point`` at ``turn``."""
    return np.asarray(point, float) - rotation(np.asarray(turn, float)) @ tool


class Tips:
    """Phalanges of hand ``side`` as capsules: ``half`` (19,) m half the bone's length, ``radius`` (19,) m."""

    def __init__(self, side: str):
        pads = {pad.taxel: pad for pad in hand_parts(side)[1]}
        self.kinematics = HandKinematics(side)
        self.half = np.array([np.linalg.norm(pads[t].end - pads[t].start) / 2 for t in TAXELS])
        self.radius = np.array([pads[t].radius for t in TAXELS])

    def end(self, pad: int) -> np.ndarray:
        """(3,) m in the wrist's frame: the outermost point of a pad's phalanx, at the last posture."""
        k = self.kinematics
        middle = k.p[pad] - self.radius[pad] * k.R[pad, :, 0]
        return middle + (self.half[pad] + self.radius[pad]) * k.R[pad, :, 1]

    def bone(self, pad: int) -> np.ndarray:
        """(2, 3) m in the wrist's frame: both ends of the axis of a pad's phalanx."""
        k = self.kinematics
        middle = k.p[pad] - self.radius[pad] * k.R[pad, :, 0]
        return middle + np.outer([-self.half[pad], self.half[pad]], k.R[pad, :, 1])
