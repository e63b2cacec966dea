"""Tendons and drives that fail: cut, slack, jammed, pulling on their own, too hot to pull.

A healthy drive winds in its tendon with the speed at which tension grows against the series stiffness,
``w = (f_want - f) / (lag * k_series)``, at most ``slew / k_series``. With nothing at the other end ``f`` is
zero and the reel runs with that speed: fast where much is asked for. What a reel tells as the tendon's length
then differs from the tendon's way along the joints by ``shift``:

    cut, slack  f = 0, d shift / dt = -(w + dl/dt), until the loose length has been wound in (cut: never)
    jammed      f = f0 + k_series (l - l0), shift = l0 - l
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

from neo_description.tables import PLANT_DT

if TYPE_CHECKING:
    from neo_sim.drives import DriveGroup

HEATING = 0.3  # s: time constant with which a hot drive's limit sinks


class _Failing(Protocol):
    """One failing drive. ``shift`` m: reel's length less the tendon's."""

    shift: float

    def pull(self, wanted: float, before: float, well: float, length: float, velocity: float) -> float:
        """Tension (N) after one plant step, where a healthy drive would pull ``well``."""


class _Loose:
    def __init__(self, drives: DriveGroup, loose: float):
        s = drives.settings
        self.shift, self._loose = 0.0, loose
        self._damping = max(s.lag * s.series_stiffness, 1.0)
        self._fastest = s.slew / max(s.series_stiffness, 1.0)

    def pull(self, wanted: float, before: float, well: float, length: float, velocity: float) -> float:
        if self._loose <= 0.0:
            return well
        wound = PLANT_DT * (min(max(wanted, 0.0) / self._damping, self._fastest) + velocity)
        self._loose -= wound
        self.shift -= wound
        return 0.0


class _Jammed:
    def __init__(self, drives: DriveGroup, tension: float, length: float):
        self.shift, self._f0, self._l0 = 0.0, tension, length
        self._k = drives.settings.series_stiffness

    def pull(self, wanted: float, before: float, well: float, length: float, velocity: float) -> float:
        self.shift = self._l0 - length
        return self._f0 + self._k * (length - self._l0)


class _Overpulling:
    def __init__(self, drives: DriveGroup, tension: float):
        self.shift, self._tension = 0.0, tension
        self._follow = 1.0 - math.exp(-PLANT_DT / drives.settings.lag)

    def pull(self, wanted: float, before: float, well: float, length: float, velocity: float) -> float:
        return before + self._follow * (self._tension - before)


class _Hot:
    def __init__(self, limit: float, end: float):
        self.shift, self._limit, self._end = 0.0, limit, end

    def pull(self, wanted: float, before: float, well: float, length: float, velocity: float) -> float:
        self._limit += PLANT_DT / HEATING * (self._end - self._limit)
        return min(well, self._limit)


class BrokenTendons:
    """Those of one drive group. ``shift`` (m,) m: what the reels report too much."""

    def __init__(self, drives: DriveGroup):
        self._drives = drives
        self._failing: dict[int, _Failing] = {}
        self.shift = np.zeros(len(drives.table.tendons))

    def fail(self, kind: str, tendon: int, size: float, length: float) -> None:
        """``kind`` of :mod:`neo_sim.faults` hits a tendon whose length is ``length`` (m)."""
        drives, most = self._drives, float(self._drives.table.tension_max[tendon])
        if kind == "jam":
            self._failing[tendon] = _Jammed(drives, float(drives.tension[tendon]), length)
        elif kind == "overpull":
            self._failing[tendon] = _Overpulling(drives, size * most)
        elif kind == "hot":
            self._failing[tendon] = _Hot(most, size * most)
        else:
            self._failing[tendon] = _Loose(drives, math.inf if kind == "cut" else size)

    def pull(
        self,
        wanted: np.ndarray,
        before: np.ndarray,
        well: np.ndarray,
        length: np.ndarray,
        velocity: np.ndarray,
    ) -> np.ndarray:
        """Tensions (m,) N after one plant step, where healthy drives would pull ``well`` (m,)."""
        f, most = well.copy(), self._drives.table.tension_max
        for i, failing in self._failing.items():
            pulled = failing.pull(
                float(wanted[i]), float(before[i]), float(well[i]), float(length[i]), float(velocity[i])
            )
            f[i] = min(max(pulled, 0.0), most[i])
            self.shift[i] = failing.shift
        return f
