"""Where the next foot belongs for a commanded velocity, and where it can go at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class StepLimits:
    """Of the foot that comes to bear, in the standing foot's axes, middle to middle: ``forward``,
    ``backward`` m; ``narrow``, ``wide`` m to its own side, so legs never cross; ``turn`` rad."""

    forward: float
    backward: float
    narrow: float
    wide: float
    turn: float

    def box(self, side: str) -> tuple[np.ndarray, np.ndarray]:
        """Low and high (2,) m for the foot ``side``."""
        if side == "l":
            return np.array([-self.backward, self.narrow]), np.array([self.forward, self.wide])
        return np.array([-self.backward, -self.wide]), np.array([self.forward, -self.narrow])

    def angles(self, side: str) -> tuple[float, float]:
        """Low and high rad: toes turn out by ``turn``, in by half of it."""
        return (-0.5 * self.turn, self.turn) if side == "l" else (-self.turn, 0.5 * self.turn)


def other(side: str) -> str:
    """The other foot."""
    return "r" if side == "l" else "l"


def sign(side: str) -> float:
    """+1 left, -1 right."""
    return 1.0 if side == "l" else -1.0


def nominal_step(velocity: np.ndarray, side: str, width: float, time: float) -> np.ndarray:
    """Step (2,) m and rad (3,) of foot ``side`` from the standing foot, in the standing foot's axes.

    ``velocity`` (3,) forward, left m/s, turn rad/s; ``width`` m between the feet; ``time`` s a step. The body
    turns about the middle between the feet, so half of the step's width turns with it.
    """
    x, y, w = np.asarray(velocity, float)
    half, turn = 0.5 * sign(side) * width, w * time
    c, s = np.cos(turn), np.sin(turn)
    cm, sm = np.cos(0.5 * turn), np.sin(0.5 * turn)
    x, y = x * time, y * time
    return np.array([cm * x - sm * y - s * half, sm * x + cm * y + half + c * half, turn])
