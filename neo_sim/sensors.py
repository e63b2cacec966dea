"""What the sensors make of the truth: bias, noise, steps and filters, seeded.

:class:`Encoders` joints, :class:`Noise` everything that is truth + bias + white noise; taxels are in
:mod:`neo_sim.pads`. Random numbers are drawn in blocks, so a tick costs a slice of an array.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from neo_description.tables import CONTROL_DT, CONTROL_RATE
from neo_sim.faults import Broken

BLOCK = 64  # ticks of noise drawn at once
FINEST = 1e-12  # a resolution that rounds nothing


class _Normals:
    """Normal rows (n,) of standard deviation ``size`` (n,), drawn in blocks."""

    def __init__(self, size: np.ndarray, rng: np.random.Generator):
        self._rng, self._size = rng, size
        self._rows: Iterator[np.ndarray] = iter(())

    def __call__(self) -> np.ndarray:
        row = next(self._rows, None)
        if row is None:
            self._rows = iter(self._size * self._rng.standard_normal((BLOCK, len(self._size))))
            row = next(self._rows)
        return row


class Noise:
    """``truth * (1 + gain_error) + bias + noise``, rounded to ``resolution`` (0: not rounded).

    ``noise``, ``bias`` and ``gain_error`` are standard deviations; all are numbers or (n,). Biases and
    gains are drawn once.
    """

    def __init__(
        self,
        n: int,
        rng: np.random.Generator,
        noise: float | np.ndarray,
        bias: float | np.ndarray = 0.0,
        gain_error: float | np.ndarray = 0.0,
        resolution: float | np.ndarray = 0.0,
    ):
        self.bias = rng.standard_normal(n) * bias
        self.gain = 1.0 + rng.standard_normal(n) * gain_error
        self._resolution = np.broadcast_to(np.maximum(resolution, FINEST), (n,))
        self._rounds = bool((self._resolution > FINEST).any())
        self._noise = _Normals(np.broadcast_to(np.asarray(noise, float), (n,)), rng)

    def __call__(self, truth: np.ndarray) -> np.ndarray:
        """One sample (n,) of ``truth`` (n,)."""
        value = truth * self.gain
        value += self.bias
        value += self._noise()
        if self._rounds:
            value /= self._resolution
            np.rint(value, out=value)
            value *= self._resolution
        return value


class Encoders:
    """Joint encoders: positions as :class:`Noise` gives them, velocities as their filtered difference.

    The filter is first order: ``v += (1 - exp(-2 pi cutoff dt)) * (dq/dt - v)``.
    """

    def __init__(self, noise: Noise, cutoff: float):
        self._noise = noise
        self.broken: Broken | None = None
        follow = 1.0 - math.exp(-2.0 * math.pi * cutoff * CONTROL_DT)
        # one for each encoder: numpy takes arrays faster than floats
        self._follow, self._rate = np.full_like(noise.bias, follow), np.full_like(noise.bias, CONTROL_RATE)
        self._last: np.ndarray | None = None
        self._velocity = np.zeros_like(noise.bias)

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self._velocity)

    def __call__(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Position (n,) rad and velocity (n,) rad/s measured at joint angles ``q`` (n,) rad."""
        position = self._noise(q)
        if self.broken is not None:
            position = self.broken(position)
        if self._last is not None:
            change = (position - self._last) * self._rate  # of position, then of velocity
            change -= self._velocity
            change *= self._follow
            self._velocity = self._velocity + change
        self._last = position
        return position, self._velocity
