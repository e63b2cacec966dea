"""Which soles stand, and how flat, from their wrenches alone."""

from __future__ import annotations

import numpy as np

from neo_description.skeleton import SOLE_CENTRE, SOLE_SIZE


class SoleContact:
    """Contact of one sole with hysteresis. ``on``/``off`` N: normal forces at which it begins and ends.

    ``stands``; ``load`` N, the normal force; ``flatness`` 0..1: 1 with the centre of pressure well inside
    the sole, 0 where the foot may be tipping about an edge (then legs say little about the pelvis).
    """

    def __init__(self, on: float, off: float, margin: float):
        self._on, self._off, self._margin = on, off, margin
        self.stands = False
        self.load = 0.0
        self.flatness = 0.0

    def update(self, wrench: np.ndarray) -> None:
        """One tick of the measured ``wrench`` (6,) of the ground on the foot, in the sole's frame."""
        _, _, fz, mx, my, _ = wrench.tolist()
        self.stands = fz > (self._off if self.stands else self._on)
        self.load = max(fz, 0.0)
        self.flatness = 0.0
        if self.stands:
            # the moment about the sole's origin is that of the normal force at the centre of pressure
            x, y = -my / fz, mx / fz
            inside = min(SOLE_SIZE[0] / 2 - abs(x - SOLE_CENTRE), SOLE_SIZE[1] / 2 - abs(y))
            self.flatness = min(max(inside / self._margin, 0.0), 1.0)
