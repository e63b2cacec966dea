"""Fingers that a headset sees, onto the joints of the robot's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neo_teleop.retargeting.hand import HandRetargeter


class Retargeting:
    """Callable: side and 25 points (25, 3) m → joints (22,) rad; NeoError for what is no hand."""

    def __init__(self) -> None:
        self._hands: dict[str, HandRetargeter] = {}

    def __call__(self, side: str, points: np.ndarray) -> np.ndarray:
        if side not in self._hands:
            # here, not above: it takes a second, and most sessions have no headset
            from neo_teleop.retargeting.hand import HandRetargeter

            self._hands[side] = HandRetargeter(side)
        return self._hands[side].retarget(points).joints.copy()
