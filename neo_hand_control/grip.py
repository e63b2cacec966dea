"""How hard to hold: the load felt by the pads' shear, the ratio law, and a short reflex against sliding.

    load     s   = |sum of the pads' forces|, with dead pads |sum of their shear|, low-passed     (N)
    ratio    F_r = s / (friction * margin)          sum of pad normal forces that holds it  (N)
    reflex   F_x <- F_x + gain * dt * [slip evidence]      F_x <- F_x * exp(-dt / decay)    (N)
    target   F   = clip(max(F_start, F_r) + F_x, F_min, F_max), rising and falling at limited rates

The load is a vector sum, not a sum of lengths: what the squeeze itself makes on a round object cancels in
it, so squeezing harder does not ask for more squeezing. With all pads alive the sum of forces is the object's
weight and inertia; a dead pad's missing normal force would look like load, so then shear alone is summed.
Falling is slow and rising is fast, as in human grip. The reflex is gated: it counts only after a settling
time, and while the pads use much of the assumed friction and the centre of pressure runs; it decays, so a
false alarm is forgotten.
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
        self.reflex = 0.0
        self._age = 0.0

    @property
    def alarmed(self) -> bool:
        """Whether the reflex adds force now."""
        return self.reflex > 0.05

    def update(self, feeling: Feeling, dt: float) -> float:
        """The set point (N) after ``dt`` s more of holding with what the pads feel."""
        p = self._p
        self._age += dt
        self.load += min(dt / p.grip_load_time, 1.0) * (feeling.load - self.load)
        self.reflex *= math.exp(-dt / p.grip_reflex_decay)
        sliding = feeling.slip >= p.grip_slip_ratio and feeling.cop_speed > p.grip_slip_speed
        if sliding and self._age > p.grip_settle_time:
            self.reflex = min(self.reflex + p.grip_reflex_gain * dt, p.grip_reflex_max)
        if self.fixed is not None:
            wanted = self.fixed + self.reflex
        else:
            wanted = max(self._start, self.load / (p.friction * p.grip_margin)) + self.reflex
        wanted = min(max(wanted, self._low), self._high)
        step = wanted - self.target
        self.target += min(max(step, -p.grip_fall_rate * dt), p.grip_rise_rate * dt)
        return self.target
