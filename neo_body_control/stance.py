"""How deep the body bends for hands that go low: to things on the floor it squats and leans.

Arms alone reach down to about the knees. For a lower target one number, ``depth`` 0..1, bends pelvis and
spine together, along a way that keeps the centre of mass over the soles:

    height = stand - depth (stand - low)      pelvis pitched by depth · lean      torso_pitch + depth · bow

The least depth is taken at which the shoulder is within ``arm`` m above the target.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_description.skeleton import SHOULDER, WAIST

STEPS = 21


@dataclass(frozen=True)
class Stance:
    """``height`` m of base_link, ``lean`` rad of the pelvis about y, ``bow`` rad more of torso_pitch."""

    height: float
    lean: float
    bow: float


class Bending:
    """``stand``, ``low`` m: base_link upright and at its deepest; ``lean``, ``bow`` rad at the deepest;
    ``arm`` m from shoulder to gripper that is comfortable."""

    def __init__(self, stand: float, low: float, lean: float, bow: float, arm: float):
        depth = np.linspace(0.0, 1.0, STEPS)
        heights = stand - depth * (stand - low)
        leans, bows = depth * lean, depth * bow
        shoulders = heights + WAIST * np.cos(leans) + SHOULDER[2] * np.cos(leans + bows)
        self._lowest = shoulders - arm  # m: what a hand reaches at each depth
        self.drop = float(shoulders[0] - shoulders[-1])  # m that shoulders come down by
        self._stances = [Stance(*row) for row in zip(heights, leans, bows, strict=True)]

    def least(self, target: float) -> Stance | None:
        """For a gripper at height ``target`` (m); ``None``: standing upright will do."""
        if target >= self._lowest[0]:
            return None
        within = np.flatnonzero(self._lowest <= target)
        return self._stances[int(within[0]) if len(within) else -1]
