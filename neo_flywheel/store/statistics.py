"""min, max, mean, std and count of columns, put together from episodes (Chan et al. 1979)."""

from __future__ import annotations

from typing import Any

import numpy as np

PICTURES = 100  # of an episode that are looked at


class Statistics:
    """Of each name: count, mean, squared deviations, least and greatest; (n,), of pictures (3, 1, 1)."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = {}

    def add(self, name: str, values: np.ndarray) -> None:
        """``values``: (T,) or (T, n), T above 0."""
        x = np.asarray(values, float).reshape(len(values), -1)
        mean = x.mean(axis=0)
        self._put(name, len(x), mean, ((x - mean) ** 2).sum(axis=0), x.min(axis=0), x.max(axis=0))

    def add_pictures(self, name: str, shown: np.ndarray) -> None:
        """``shown``: (T, H, W, 3) uint8, as 0 to 1; some of them, evenly."""
        few = shown[np.unique(np.linspace(0, len(shown) - 1, PICTURES).astype(int))] / 255.0
        x, n = few.reshape(-1, 3), len(few)
        rows = (x.mean(axis=0), n * x.var(axis=0), x.min(axis=0), x.max(axis=0))
        self._put(name, n, *(row.reshape(3, 1, 1) for row in rows))

    def take(self, other: Statistics) -> None:
        """Adds what another has seen."""
        for name, row in other._rows.items():
            self._put(name, *row)

    def rows(self) -> dict[str, dict[str, Any]]:
        """Name → min, max, mean, std, count, as LeRobot keeps them."""
        return {
            name: {"min": low.tolist(), "max": high.tolist(), "mean": mean.tolist(),
                   "std": np.sqrt(squares / n).tolist(), "count": [n]}
            for name, (n, mean, squares, low, high) in self._rows.items()
        }  # fmt: skip

    def _put(
        self, name: str, n: int, mean: np.ndarray, squares: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> None:
        if name in self._rows:
            m, old, old_squares, old_low, old_high = self._rows[name]
            apart = mean - old
            squares = old_squares + squares + apart**2 * (m * n / (m + n))
            mean = old + apart * (n / (m + n))
            n, low, high = m + n, np.minimum(low, old_low), np.maximum(high, old_high)
        self._rows[name] = n, mean, squares, low, high
