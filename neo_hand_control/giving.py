"""Handing over: when is what the hand holds taken by someone else?

The force of the object on the hand is remembered over the first ``give_settle_time``. It is taken when the
force has changed from there by more than ``give_pull`` N and a share ``give_share`` of what was remembered,
for ``give_time``: the person carries the weight, or pulls in any direction. A jolt is shorter.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np


class Giving:
    """One hand-over; ``params``: those beginning with ``give_``."""

    def __init__(self, params: SimpleNamespace):
        self._p = params
        self._age = 0.0
        self._pulled = 0.0
        self._before = np.zeros(3)
        self._now = np.zeros(3)

    def taken(self, net: np.ndarray, dt: float) -> bool:
        """Whether the object is taken, after one more tick with ``net`` (3,) N, its force on the hand."""
        p = self._p
        self._age += dt
        if self._age <= p.give_settle_time:
            self._before += (net - self._before) * dt / self._age
            self._now = self._before.copy()
            return False
        self._now += (net - self._now) * min(dt / p.give_smooth_time, 1.0)
        needed = max(p.give_pull, p.give_share * float(np.linalg.norm(self._before)))
        away = float(np.linalg.norm(self._now - self._before)) > needed
        self._pulled = self._pulled + dt if away else 0.0
        return self._pulled > p.give_time
