"""Whether the thing slides over the pads, from the trembling of the pads' normal forces.

A thing that slides makes its pads tremble, as fingertips feel it: contacts catch and let go. With the
deviation of each pad's normal force from its own low-pass and trend, ``d_p = HP(HP(n_p))``, which a force
that grows evenly leaves at zero, the trembling over the force is

    x = ln(floor + sqrt(LP(sum of d_p^2)) / max(N, 1)^0.75)      N: sum of the normal forces (N)

and the probability of sliding faster than 15 mm/s is logistic in it, ``P = 1 / (1 + exp(-(a + b x)))``. ``a``
and ``b`` are fitted to the truth of the simulator over many lifts and shakes, and checked on others, by
``python -m neo_bringup.hand_bench.slip``.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

from neo_description.tables import TAXELS

FLOOR = 1e-3
EXPONENT = 0.75  # trembling grows a little slower than the force


class Slip:
    """Filters one hand's normal forces; ``params``: those beginning with ``slip_``."""

    def __init__(self, params: SimpleNamespace):
        self._p = params
        self.forget()

    def forget(self) -> None:
        """Nothing is held."""
        self._low = np.zeros(len(TAXELS))
        self._trend = np.zeros(len(TAXELS))
        self._power = 0.0
        self.trembling = math.log(FLOOR)
        self.probability = 0.0

    def update(self, normal: np.ndarray, dt: float) -> float:
        """Probability of sliding after one more tick with ``normal`` (19,) N, zero where nothing touches."""
        p = self._p
        follow = min(dt / p.slip_smooth_time, 1.0)
        deviation = normal - self._low
        self._low += follow * deviation
        deviation = deviation - self._trend
        self._trend += follow * deviation
        both = (normal > 0.0) & (self._low > 0.0)
        self._power += min(dt / p.slip_power_time, 1.0) * (
            float(deviation @ (deviation * both)) - self._power
        )
        self.trembling = math.log(FLOOR + math.sqrt(self._power) / max(float(normal.sum()), 1.0) ** EXPONENT)
        self.probability = 1.0 / (1.0 + math.exp(-(p.slip_bias + p.slip_weight * self.trembling)))
        return self.probability
