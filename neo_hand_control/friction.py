"""How slippery the thing in the hand is, learned from what each pad has carried.

The use of friction by a pad is ``r = |s| / n``. It can rise to the friction coefficient and no further, so
the highest ``r`` that a pad has carried, ``m``, bounds it from below, and a pad that has slid, as pads do
while fingers close round a thing, knows it. Forces are low-passed with ``friction_time``; pads that press
less than ``friction_normal`` tell nothing. A pad that touches with its side feels part of the normal force as
shear and claims too much; so the hand believes a low quantile of its pads' claims, weighted by their normal
forces, with ``friction`` as one more claim that weighs ``friction_weight`` N until the pads outweigh it.

Every claim is a lower bound, so the belief rises to it at any time but falls only while the thing slides,
when pads tell what they can carry. And a thing that slides carries all it can: what is believed then becomes
a ceiling until the thing is let go, and sinks as long as it slides:

    while sliding   c <- min(c, mu) * exp(-friction_slide_rate * dt)

    use of a pad     u_p = r_p / max(m_p, 0.9 mu)        1: as much as it ever carried
    use of the hand  u = sum of n_p u_p / sum of n_p     1: every pad at its limit, the thing slides
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from neo_description.tables import TAXELS


class Friction:
    """Learns while the thing is touched; ``params``: ``friction`` and those beginning with ``friction_``."""

    def __init__(self, params: SimpleNamespace):
        self._p = params
        self.forget()

    def forget(self) -> None:
        """A new thing."""
        n = len(TAXELS)
        self._n, self._s = np.zeros(n), np.zeros(n)
        self._age = np.zeros(n)
        self.claim = np.zeros(n)
        self.use = np.zeros(n)
        self.total_use = 0.0
        self.coefficient = float(self._p.friction)
        self.ceiling = float(self._p.friction_most)

    def update(self, normal: np.ndarray, shear: np.ndarray, sliding: bool, dt: float) -> None:
        """One tick: ``normal`` (19,) and ``shear`` (19,) N lengths, zero for pads that touch nothing.

        ``sliding``: whether the thing seems to slide.
        """
        p = self._p
        touching = normal > 0.0
        new = (self._n == 0.0) & touching
        follow = min(dt / p.friction_time, 1.0)
        self._n = np.where(new, normal, self._n + follow * (normal - self._n)) * touching
        self._s = np.where(new, shear, self._s + follow * (shear - self._s)) * touching
        tells = self._n > p.friction_normal
        r = np.where(tells, self._s / np.maximum(self._n, 1e-3), 0.0)
        self.claim = np.maximum(self.claim, np.minimum(r, p.friction_most))
        self._age = np.where(tells, self._age + dt, 0.0)
        believed = self._believe(tells & (self._age > p.friction_voting_age))
        if sliding:
            self.ceiling = min(self.ceiling, self.coefficient) * (1.0 - p.friction_slide_rate * dt)
        believed = max(min(believed, self.ceiling), p.friction_least)
        fall = p.friction_fall * dt if sliding else 0.0
        self.coefficient += min(max(believed - self.coefficient, -fall), p.friction_rate * dt)
        self.use = np.where(tells, np.minimum(r / np.maximum(self.claim, 0.9 * self.coefficient), 1.0), 0.0)
        weight = self._n * tells
        total = float(weight.sum())
        self.total_use = float(weight @ self.use) / total if total > 0.0 else 0.0

    def _believe(self, votes: np.ndarray) -> float:
        p = self._p
        claims = np.concatenate([self.claim[votes], [p.friction]])
        weights = np.concatenate([self._n[votes], [p.friction_weight]])
        order = claims.argsort()
        reached = weights[order].cumsum()
        at = int(reached.searchsorted(p.friction_quantile * reached[-1]))
        believed = float(claims[order][min(at, len(claims) - 1)])
        return float(min(max(believed, p.friction_least), p.friction_most))
