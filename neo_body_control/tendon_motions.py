"""How a standing robot moves to find out about its tendons: every joint to and fro, nothing of it fast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neo_body_control.rotations import exp
from neo_description.tables import SIDES

ROUNDS = 2
SPEED = 0.35  # m/s of the hands


@dataclass(frozen=True)
class Motion:
    """``doing`` in words for ``seconds``; ``parts`` of a WholeBodyCommand."""

    doing: str
    seconds: float
    parts: dict[str, Any] = field(default_factory=dict)


def _hands(
    x: float, y: float, z: float, turn: tuple[float, float, float], shift: float = 0.0
) -> dict[str, Any]:
    """Both grippers ``y`` m outwards and ``shift`` m to the left of the middle, fingers forward, palms
    facing each other, then turned by the rotation vector ``turn``, mirrored on the right."""
    parts: dict[str, Any] = {"hand_speed": SPEED}
    for side, left in zip(SIDES, (1.0, -1.0), strict=True):
        x_axis, z_axis = np.array([1.0, 0.0, 0.0]), np.array([0.0, -left, 0.0])
        T = np.eye(4)
        R = np.column_stack([x_axis, np.cross(z_axis, x_axis), z_axis])
        T[:3, :3] = exp(np.array([left * turn[0], turn[1], left * turn[2]])) @ R
        T[:3, 3] = (x, left * y + shift, z)
        parts[f"T_{side}_hand"] = T
    return parts


def motions(rounds: int = ROUNDS) -> Iterator[Motion]:
    """In order; about 45 s a round."""
    for _ in range(rounds):
        for low in (0.72, 0.83):
            yield Motion("squats and rises", 2.5, {"base_height": low})
        for x, y, z, turn in (
            (0.30, 0.25, 0.90, (0.0, 0.0, 0.0)),
            (0.45, 0.40, 1.15, (0.7, 0.0, 0.0)),
            (0.30, 0.20, 1.30, (0.0, -0.5, -0.4)),
            (0.45, 0.12, 0.85, (-0.7, 0.4, 0.0)),
            (0.25, 0.45, 1.00, (0.0, 0.0, 0.7)),
            (0.40, 0.30, 1.05, (0.9, 0.3, -0.5)),
        ):
            yield Motion("moves its arms", 2.5, _hands(x, y, z, turn))
        for shift in (0.22, -0.22, 0.0):
            yield Motion("turns to the sides", 3.0, _hands(0.42, 0.20, 1.0, (0.0, 0.0, 0.0), shift))
        for gaze in ((1.0, 0.8, 1.2), (1.0, -0.8, 0.8), (1.0, 0.0, 1.6), (0.8, 0.0, 0.6)):
            yield Motion("looks around", 1.2, {"gaze": np.array(gaze)})
        yield Motion("lets its arms down", 3.0, {"release": SIDES})
