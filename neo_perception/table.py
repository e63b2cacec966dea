"""The table's top: the largest level surface among the stereo points, in the level frame (z up)."""

from __future__ import annotations

import numpy as np

BIN = 0.02  # m: of the histogram of heights
FEWEST = 300  # points


class TableFinder:
    """Finds the table in each cloud and averages its height over time.

    ``low``, ``high`` m bound the heights that are looked for.
    """

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high
        self.z: float | None = None
        self._variance = 1.0
        self.center = np.zeros(2)
        self.size = np.zeros(2)

    def update(self, points: np.ndarray) -> None:
        """``points`` (n, 3) m, in the level frame. A cloud without a table changes nothing."""
        z = points[:, 2]
        inside = points[(z > self._low) & (z < self._high)]
        if len(inside) < FEWEST:
            return
        bins = int(np.ceil((self._high - self._low) / BIN))
        counts, edges = np.histogram(inside[:, 2], bins=bins, range=(self._low, self._low + bins * BIN))
        pairs = counts[:-1] + counts[1:]
        k = int(np.argmax(pairs))
        if pairs[k] < FEWEST:
            return
        middle = edges[k + 1]
        for width in (0.025, 0.012):
            near = inside[np.abs(inside[:, 2] - middle) < width]
            if len(near) < FEWEST // 2:
                return
            middle = float(np.median(near[:, 2]))
        self._average(middle)
        low, high = np.percentile(near[:, :2], (1, 99), axis=0)
        self.center, self.size = (low + high) / 2, high - low

    def _average(self, z: float) -> None:
        """A slow Kalman filter: the table stays, one cloud's height is off by about 4 mm."""
        noise = 0.004**2
        if self.z is None or abs(z - self.z) > 0.03:
            self.z, self._variance = z, noise
            return
        self._variance += 0.0003**2
        gain = self._variance / (self._variance + noise)
        self.z += gain * (z - self.z)
        self._variance *= 1.0 - gain
