"""The two feet as they are, and what follows from where they stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_body_control.rotations import yaw
from neo_body_control.walking import polygon

Soles = dict[str, "Sole"]


@dataclass(slots=True)
class Sole:
    """One foot now: pose ``R`` (3, 3), ``p`` (3,) in odom, whether it ``stands``, with which ``load`` N."""

    R: np.ndarray
    p: np.ndarray
    stands: bool
    load: float

    @property
    def middle(self) -> np.ndarray:
        """(2,) m."""
        return polygon.sole_middle(self.R, self.p)

    @property
    def heading(self) -> float:
        """rad."""
        return yaw(self.R)


def wrapped(angle: float) -> float:
    """``angle`` rad in [-pi, pi)."""
    return float((angle + np.pi) % (2.0 * np.pi) - np.pi)


def rotation(angle: float) -> np.ndarray:
    """(2, 2)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def middle(soles: Soles) -> np.ndarray:
    """(2,) m between the feet."""
    return np.asarray(0.5 * (soles["l"].middle + soles["r"].middle))


def mean_heading(soles: Soles) -> float:
    """rad between the feet's headings."""
    left = soles["l"].heading
    return left + 0.5 * wrapped(soles["r"].heading - left)


def apart(soles: Soles) -> np.ndarray:
    """Way (2,) m from the right to the left foot's middle, in the axes of their mean heading."""
    return np.asarray(rotation(mean_heading(soles)).T @ (soles["l"].middle - soles["r"].middle))


def ground(soles: Soles) -> float:
    """Height (m) of the soles that stand; 0 in the air."""
    heights = [float(sole.p[2]) for sole in soles.values() if sole.stands]
    return sum(heights) / len(heights) if heights else 0.0


def hull(soles: Soles, sides: tuple[str, ...], margin: float, wider: float = 0.0) -> np.ndarray:
    """(n, 2) m around the soles ``sides``, ``margin`` m inside their edges, to the sides ``wider`` m out."""
    rows = [polygon.corners(soles[s].middle, soles[s].heading, margin, wider) for s in sides]
    return polygon.hull(np.concatenate(rows))
