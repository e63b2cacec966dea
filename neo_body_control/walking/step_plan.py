"""One step by plan: where its foot belongs, how the capture point flies, and what a disturbance changes.

Clocks run from the middle of one double support, where the weight passes to the standing foot, to the
middle of the next; everything is in the standing foot's axes about its middle unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from neo_body_control.walking import dcm
from neo_body_control.walking.footsteps import StepLimits, nominal_step, other, sign
from neo_body_control.walking.stance import Soles, rotation
from neo_description.tables import CONTROL_DT


@dataclass(slots=True)
class Step:
    """The step of the foot ``swing`` by plan: ``place`` (2,) m and ``turn`` rad from the standing foot, whose
    middle is ``u`` (2,) m in odom with axes ``R`` (2, 2) and ``heading`` rad; ``offset`` (2,) m of the
    capture point there; ``w`` rad/s of the pendulum."""

    swing: str
    u: np.ndarray
    R: np.ndarray
    heading: float
    place: np.ndarray
    turn: float
    offset: np.ndarray
    w: float

    def reference(self, left: float) -> np.ndarray:
        """Capture point (2,) m in odom, ``left`` s before the end of the step."""
        end = self.place + self.offset
        return np.asarray(self.u + self.R @ dcm.flown(end, np.zeros(2), self.w, -left))


class StepPlanner:
    """Steps for a velocity, and their change under way."""

    def __init__(self, p: SimpleNamespace):
        self._p = p
        self._limits = StepLimits(p.step_forward, p.step_backward, p.step_narrow, p.step_wide, p.step_turn)
        self._adjuster = dcm.StepAdjuster(p.step_place_weight, p.step_time_weight, p.step_offset_weight)
        self.half = 0.5 * p.double_support

    def step(self, velocity: np.ndarray, stance: str, soles: Soles, w: float) -> Step:
        """The next step on the foot ``stance`` at ``velocity`` (3,) m/s, rad/s."""
        p, sole, swing = self._p, soles[stance], other(stance)
        x, y, turn = nominal_step(velocity, swing, p.step_width, p.step_time)
        low, high = self._limits.angles(swing)
        offset = dcm.offset(velocity[:2], sign(swing) * p.step_width, p.step_time, w)
        heading = sole.heading
        return Step(
            swing=swing,
            u=sole.middle,
            R=rotation(heading),
            heading=heading,
            place=np.array([x, y]),
            turn=min(max(float(turn), low), high),
            offset=offset,
            w=w,
        )

    def planned(self, passed: float) -> float:
        """What is left (s) of a step by plan, ``passed`` s after its foot has lifted."""
        return float(max(self._p.step_time - self.half - passed, CONTROL_DT))

    def adjust(
        self, step: Step, xi: np.ndarray, r: np.ndarray, passed: float, way: float
    ) -> tuple[np.ndarray, float]:
        """Place (2,) m in odom of the foot, and s left of the step, ``passed`` s after the foot has lifted.

        ``xi``, ``r`` (2,) m in odom: capture point and pressure point. ``way`` m: how far the foot goes; far
        ones take longer.
        """
        p = self._p
        shortest = max(p.step_time_least, p.double_support + way / p.step_speed)
        least = max(shortest - self.half - passed, self.half + CONTROL_DT)
        most = max(p.step_time_most - self.half - passed, least)
        u, left = self._adjuster.solve(
            step.R.T @ (xi - step.u),
            p.pressure_share * (step.R.T @ (r - step.u)),
            step.place,
            step.offset,
            step.w,
            passed + self.half,
            self.planned(passed),
            self._limits.box(step.swing),
            least,
            most,
        )
        return np.asarray(step.u + step.R @ u), left
