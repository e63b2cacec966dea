"""How sure a mean is: paired bootstrap for figures of episodes, adjusted counts for tasks that were tried.

The bootstrap's percentiles are those of a Student t with n - 1 degrees of freedom, spread by √(n / (n - 1)):
plain ones are too narrow for few episodes (Hesterberg 2015, "expanded percentile interval"). Of tasks few may
differ between two models, and then a bootstrap is sure of what nobody can know: half a pair is added to each
cell of the table (Agresti and Min 2005), two successes and two failures to a single rate (Agresti and Coull
1998).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

LEVEL = 0.95
DRAWS, SEED = 4000, 20


class Interval(NamedTuple):
    """``mean``, and what it lies between at :data:`LEVEL`."""

    mean: float
    low: float
    high: float


def interval(values: np.ndarray) -> Interval:
    """Of the mean of ``values`` (n,), two or more. The same values give the same interval."""
    n = len(values)
    rng = np.random.default_rng(SEED)
    means = values[rng.integers(0, n, (DRAWS, n))].mean(axis=1)
    tail = float(norm.cdf(math.sqrt(n / (n - 1)) * t.ppf((1.0 - LEVEL) / 2.0, n - 1)))
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def rate(successes: np.ndarray) -> Interval:
    """Of the share of ``successes`` (n,) bool."""
    n = len(successes) + 4
    share = (float(successes.sum()) + 2.0) / n
    wide = _z() * math.sqrt(share * (1.0 - share) / n)
    return Interval(float(successes.mean()), max(0.0, share - wide), min(1.0, share + wide))


def paired_rate(running: np.ndarray, candidate: np.ndarray) -> Interval:
    """Of the candidate's share less the running model's; both (n,) bool, in the same order of tasks."""
    gained = float((candidate & ~running).sum()) + 0.5
    lost = float((running & ~candidate).sum()) + 0.5
    n = len(running) + 2
    middle = (gained - lost) / n
    wide = _z() * math.sqrt(gained + lost - (gained - lost) ** 2 / n) / n
    mean = float(candidate.mean() - running.mean())
    return Interval(mean, max(-1.0, middle - wide), min(1.0, middle + wide))


def _z() -> float:
    return float(norm.ppf((1.0 + LEVEL) / 2.0))
