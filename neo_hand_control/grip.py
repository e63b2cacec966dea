"""How hard to hold: the load that friction carries over the friction felt, and a reflex against sliding.

    load     L   = min(|sum of the pads' forces|, |sum of their shear|), low-passed, plus lead * dL/dt   (N)
    ratio    F_r = L / (mu * margin)                 mu: learned by :mod:`neo_hand_control.friction`
    reflex   F_x <- F_x + gain * P * F * dt  while P, the probability of sliding, is high;
             F_x <- F_x * exp(-dt / decay)                                                                (N)
    target   F   = clip(max(F_start, F_r) + F_x, F_min, F_max), rising and falling at limited rates

The load is a vector sum, not a sum of lengths: what the squeeze itself makes on a round object cancels in
it, so squeezing harder does not ask for more squeezing. What normal forces carry (a finger under the thing)
needs no friction and is not in the shear; what is only jammed between hand and table is not in the sum of
both. A dead pad's missing normal force would look like load, so then shear alone is summed. The lead makes up
for the delay of pads and drives while a thing is lifted or shaken.

The margin is wide while a thing is new: if it slides, it shows no more load than its friction carries, and
the grip must outgrow that. It narrows while the thing is carried and widens again when it seems to slide.

Falling is slow and rising is fast, as in human grip. While pads are dead, the start counts ``grip_blind``
times. The reflex is gated: it counts after a settling time, and while the thing probably slides
(:mod:`neo_hand_control.slip`); it decays, so a false alarm is forgotten.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

from neo_hand_control.touch import Feeling


class Grip:
    """Set point of the total normal force (N); ``params``: ``friction`` and those named ``grip_…``."""

    def __init__(self, params: SimpleNamespace):
        self._p = params
        self.start(0.0, 0.0, 0.0, None)

    def start(self, force: float, low: float, high: float, fixed: float | None) -> None:
        """A new hold: begin at ``force``, stay in [``low``, ``high``]; ``fixed`` overrides the law (N)."""
        self._start, self._low, self._high, self.fixed = force, low, high, fixed
        self.target = min(force if fixed is None else fixed, high)
        self.load = 0.0
        self._slope = 0.0
        self.reflex = 0.0
        self.margin = self._p.grip_margin_new
        self._age = 0.0

    @property
    def alarmed(self) -> bool:
        """Whether the reflex adds force now."""
        return self.reflex > 0.05

    def update(self, feeling: Feeling, dt: float) -> float:
        """The set point (N) after ``dt`` s more of holding with what the pads feel."""
        p = self._p
        self._age += dt
        before = self.load
        self.load += min(dt / p.grip_load_time, 1.0) * (feeling.load - self.load)
        self._slope += min(dt / p.grip_slope_time, 1.0) * ((self.load - before) / dt - self._slope)
        load = self.load + p.grip_lead * max(self._slope, 0.0)
        self.reflex *= math.exp(-dt / p.grip_reflex_decay)
        slides = feeling.slip > p.grip_reflex_from
        if slides:
            self.margin += min(dt / p.grip_doubt_time, 1.0) * (p.grip_margin_new - self.margin)
        elif self.target > self._start:
            self.margin += min(dt / p.grip_trust_time, 1.0) * (p.grip_margin - self.margin)
        needed = (
            max(self._start, load / (feeling.friction * self.margin)) if self.fixed is None else self.fixed
        )
        if slides and self._age > p.grip_settle_time:
            grown = self.reflex + p.grip_reflex_gain * feeling.slip * self.target * dt
            self.reflex = max(min(grown, p.grip_reflex_share * needed), self.reflex)
        wanted = needed + self.reflex
        wanted = min(max(wanted, self._low), self._high)
        step = wanted - self.target
        self.target += min(max(step, -p.grip_fall_rate * dt), p.grip_rise_rate * dt)
        return self.target
