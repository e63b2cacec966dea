"""Stiff when pushed, soft when all is quiet: how hard both tendons of a pair pull against each other.

The measure is how far the capture point, where the robot would have to step to come to rest (Pratt et al.
2006), is from where the centre of mass belongs,

    x = com + v sqrt(z / g)

Beyond ``least`` m the co-contraction grows, to its most at ``most`` m, at once; it fades with ``fade`` s.
Stiff tendons do not go slack when a joint is thrown back; soft ones cost less.
"""

from __future__ import annotations

import math

import numpy as np

from neo_description.tables import CONTROL_DT


class Stiffness:
    """``level`` 0..1. ``wanted``: what somebody asks for at least, 0..1."""

    def __init__(self, least: float, most: float, fade: float):
        self._least, self._most = least, most
        self._keep = math.exp(-CONTROL_DT / fade)
        self.level = 0.0
        self.wanted = 0.0

    def reset(self) -> None:
        """Soft."""
        self.level = 0.0

    def update(self, com: np.ndarray, velocity: np.ndarray, place: np.ndarray, gravity: float) -> float:
        """One tick of the centre of mass (3,) m, m/s above the ground, which belongs over ``place`` (2,)."""
        ahead = math.sqrt(max(float(com[2]), 0.1) / gravity)
        off = com[:2] + ahead * velocity[:2] - place
        x, y = off.tolist()
        now = (math.hypot(x, y) - self._least) / (self._most - self._least)
        self.level = min(max(now, self.level * self._keep, 0.0), 1.0)
        return max(self.level, self.wanted)
