"""When only a step helps, with which foot, and when the feet may rest again."""

from __future__ import annotations

import math

import numpy as np

from neo_body_control.walking.polygon import outside
from neo_body_control.walking.stance import Soles, apart, hull, mean_heading, middle, rotation
from neo_description.tables import SIDES

BESIDE = (0.04, 0.05)  # m: feet that stand side by side, forward and across
ACROSS = 0.01  # m: a capture point that has gone to one side


def escapes(soles: Soles, xi: np.ndarray, margin: float) -> bool:
    """Whether the capture point ``xi`` (2,) m leaves the soles' hull, ``margin`` m inside its edges."""
    if not any(sole.stands for sole in soles.values()):
        return False
    return outside(hull(soles, SIDES, margin), xi) > 0.0


def beside(soles: Soles, width: float) -> bool:
    """Whether the feet stand side by side, ``width`` m apart."""
    x, y = apart(soles)
    return bool(abs(x) <= BESIDE[0] and abs(y - width) <= BESIDE[1])


def catching_foot(soles: Soles, xi: np.ndarray, width: float) -> str:
    """Of feet side by side, ``width`` m apart, the one on the side to which ``xi`` (2,) m has gone, else the
    one that bears less; of others the one farther from ``xi``."""
    if not beside(soles, width):
        return max(SIDES, key=lambda side: math.dist(xi, soles[side].middle))
    across = float((rotation(mean_heading(soles)).T @ (xi - middle(soles)))[1])
    if abs(across) > ACROSS:
        return "l" if across > 0.0 else "r"
    return "l" if soles["l"].load <= soles["r"].load else "r"


def at_rest(soles: Soles, xi: np.ndarray, width: float, margin: float) -> bool:
    """Whether the feet stand side by side, ``width`` m apart, and the capture point between them."""
    return beside(soles, width) and outside(hull(soles, SIDES, margin), xi) < 0.0
