"""Plant time between two messages, from how fast it went by lately: for who must know whether it is late."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

WINDOW = 100  # messages


class PlantClock:
    """``heard`` with the stamp of every message, ``now`` at any time; ``wall``: a steady clock in s."""

    def __init__(self, wall: Callable[[], float] = time.monotonic):
        self._wall = wall
        self._heard = deque[tuple[float, float]](maxlen=WINDOW)

    def heard(self, stamp: float) -> None:
        """A message of plant time ``stamp`` (s) has come; one that is older begins anew."""
        if self._heard and stamp < self._heard[-1][1]:
            self._heard.clear()
        self._heard.append((self._wall(), stamp))

    def now(self) -> float:
        """Plant time now (s); 0 before anything was heard."""
        if not self._heard:
            return 0.0
        (first_wall, first), (last_wall, last) = self._heard[0], self._heard[-1]
        rate = (last - first) / (last_wall - first_wall) if last_wall > first_wall else 1.0
        return last + rate * (self._wall() - last_wall)
