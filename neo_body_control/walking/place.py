"""Walk to a place: the velocity that leads from an estimated pose to a wanted one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Approach:
    """``gain`` 1/s from distance to speed; ``forward``, ``backward``, ``sideways`` m/s and ``turn`` rad/s at
    most; ``near`` m and ``aligned`` rad: close enough to stop."""

    gain: float = 1.8
    forward: float = 0.6
    backward: float = 0.3
    sideways: float = 0.2
    turn: float = 0.6
    near: float = 0.06
    aligned: float = 0.04


def velocity_to(
    pose: tuple[float, float, float], place: tuple[float, float, float], approach: Approach
) -> np.ndarray | None:
    """Velocity (3,) m/s, rad/s in the body's axes from ``pose`` to ``place`` (x, y m, heading rad in odom).

    ``None``: it is there. All three parts are shortened together, so the way is straight.
    """
    x, y = place[0] - pose[0], place[1] - pose[1]
    turn = (place[2] - pose[2] + np.pi) % (2.0 * np.pi) - np.pi
    if np.hypot(x, y) < approach.near and abs(turn) < approach.aligned:
        return None
    c, s = np.cos(pose[2]), np.sin(pose[2])
    v = approach.gain * np.array([c * x + s * y, c * y - s * x, turn])
    most = np.array([approach.forward if v[0] > 0.0 else approach.backward, approach.sideways, approach.turn])
    return np.asarray(v / max(1.0, float((np.abs(v) / most).max())))
