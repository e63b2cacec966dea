"""A robot that walks stays in the picture: the world moves under it, and every page's view stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np

LEASH = 0.15  # m that the robot may move before the world does: it sways, leans and squats
SECTION = 1.0  # m: the floor goes along by whole squares, so that it never ends and nobody sees it move


class Following:
    """``world``: the node that all others hang from; ``floor``: a grid of squares in it."""

    def __init__(self, world: Any, floor: Any) -> None:
        self._world, self._floor = world, floor
        self._at = np.zeros(2)

    def put(self, T_odom_base: np.ndarray | None) -> None:
        """The robot is at ``T_odom_base`` (4, 4)."""
        if T_odom_base is None or not np.isfinite(T_odom_base).all():
            return
        away = T_odom_base[:2, 3] - self._at
        distance = float(np.linalg.norm(away))
        if distance <= LEASH:
            return
        self._at = self._at + away * (1.0 - LEASH / distance)
        self._world.position = (-self._at[0], -self._at[1], 0.0)
        x, y = SECTION * np.round(self._at / SECTION)
        self._floor.position = (x, y, self._floor.position[2])
