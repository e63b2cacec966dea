"""Steps and walking: from a commanded velocity or a push to a wanted acceleration and a swinging foot.

    STANDING   nothing to do: the caller balances over both soles
    SHIFT      both soles: the capture point goes to where the next foot can lift
    SINGLE     one sole stands, the other swings to where the capture point will need it
    DOUBLE     the foot has come down: the pressure moves over to it
    SETTLE     both soles: the capture point comes to rest between them

In a step the capture point shall fly from ``u + b`` about the standing foot's middle ``u``; what it is off
by is answered by the pressure point within the soles (``r = u + k (xi - xi_ref)``) and, where that is not
enough, by place and time of the next step (:class:`StepPlanner`). The wanted acceleration is the pendulum's,
``w² (c - r)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from types import SimpleNamespace

import numpy as np

from neo_body_control.walking import dcm, polygon
from neo_body_control.walking.capture import at_rest, catching_foot, escapes
from neo_body_control.walking.footsteps import other, sign
from neo_body_control.walking.pace import Pace
from neo_body_control.walking.stance import Soles, ground, hull, mean_heading, middle, rotation, wrapped
from neo_body_control.walking.step_plan import Step, StepPlanner
from neo_body_control.walking.swing import FootReference, Swing
from neo_description.tables import CONTROL_DT, SIDES

GRAVITY = 9.81  # m/s²
LEAST_HEIGHT = 0.3  # m of the centre of mass: below, nothing here holds any more
RATE_TIME = 0.02  # s over which the capture point's speed is smoothed
TOUCHES = 0.6  # share of a swing from which on a felt sole has come down
FELT = 5.0  # N of a sole that is late: it does not push, so it feels little of the ground
STILL = 0.02  # m from the middle: the capture point has come to rest
UPRIGHT = 0.3  # rad of the pelvis at most: only then it stands
CALM = 1.0  # s of coming to rest in which the pelvis' tilt comes to count in full
IN_A_HURRY = 0.1  # m of the capture point's error that halves the double support


class Phase(Enum):
    """What the legs do."""

    STANDING = "standing"
    SHIFT = "shift"
    SINGLE = "single"
    DOUBLE = "double"
    SETTLE = "settle"


@dataclass(slots=True)
class WalkReference:
    """What the legs shall do this tick: ``acceleration`` (2,) m/s² of the centre of mass, ``heading`` rad of
    the pelvis, ``swing``: the side that is in the air, or ``""``, with its ``foot``; ``calm``: share 0..1 of
    coming to rest that has passed, in which the pelvis straightens up."""

    acceleration: np.ndarray
    heading: float
    swing: str = ""
    foot: FootReference | None = None
    calm: float = 0.0


class Walker:
    """``phase``; ``steps`` taken; ``velocity`` (3,) m/s, rad/s that is walked at now; ``capture_point``,
    ``reference`` and ``pressure`` (2,) m in odom."""

    def __init__(self, p: SimpleNamespace):
        self._p = p
        self._planner = StepPlanner(p)
        self.phase = Phase.STANDING
        self.steps = 0
        self.velocity = np.zeros(3)
        self.capture_point = np.zeros(2)
        self.reference = np.zeros(2)
        self.pressure = self._brake = np.zeros(2)
        self._pace = Pace(p.pace_gain)
        self._wanted: np.ndarray | None = None
        self._stance = "l"
        self._clock = self._time = self._time_passed = 0.0
        self._heading = self._lift_heading = 0.0
        self._rate: np.ndarray | None = None  # m/s of the capture point
        self._w = 1.0

    @property
    def standing(self) -> bool:
        """Whether both feet stay where they are."""
        return self.phase is Phase.STANDING

    def want(self, velocity: np.ndarray | None) -> None:
        """Walk at ``velocity`` (3,) from the next step on; ``None``: come to a stand."""
        self._wanted = None if velocity is None else np.array(velocity, float)

    @property
    def destination(self) -> tuple[float, float, float]:
        """x, y m and heading rad in odom of where it would stand if it stepped in place after the next
        landing: a new velocity acts from there."""
        if self.phase in (Phase.STANDING, Phase.SETTLE):
            return (*middle(self._soles).tolist(), mean_heading(self._soles))
        step = self._step()
        foot = self._goal if self.phase is Phase.SINGLE else step.u + step.R @ step.place
        heading = step.heading + step.turn
        half = 0.5 * sign(step.swing) * self._p.step_width
        return (*(foot - half * rotation(heading)[:, 1]).tolist(), heading)

    def update(
        self, com: np.ndarray, com_velocity: np.ndarray, faces: float, tilt: float, soles: Soles
    ) -> WalkReference | None:
        """One tick; ``None``: STANDING. ``com``, ``com_velocity`` (3,) in odom; the pelvis ``faces`` so many
        rad there, which turns a little later than the feet, and is off upright by ``tilt`` rad."""
        self._soles, self._com, self._faces, self._tilt = soles, com[:2], faces, tilt
        self._w = math.sqrt(GRAVITY / max(float(com[2]) - ground(soles), LEAST_HEIGHT))
        xi = dcm.capture_point(com, com_velocity, self._w)
        if self._rate is None:
            self._rate = np.zeros(2)
        else:
            self._rate += CONTROL_DT / RATE_TIME * ((xi - self.capture_point) / CONTROL_DT - self._rate)
        self.capture_point = xi
        self._clock += CONTROL_DT
        self._time_passed += CONTROL_DT
        match self.phase:
            case Phase.STANDING:
                return self._stand()
            case Phase.SHIFT:
                return self._shift()
            case Phase.SINGLE:
                return self._single()
            case Phase.DOUBLE:
                return self._double()
            case Phase.SETTLE:
                return self._settle()

    # Both soles

    def _stand(self) -> WalkReference | None:
        self._heading = mean_heading(self._soles)
        self.velocity = np.zeros(3)
        if self._escapes(self._p.catch_margin):
            return self._catch()
        if self._wanted is None:
            return None
        self._begin_shift(self._wanted)
        return self._shift()

    def _begin_shift(self, wanted: np.ndarray) -> None:
        """Walking begins with the foot on the side it goes to."""
        self._stance = "r" if wanted[1] > 0.0 or wanted[2] > 0.0 else "l"
        self.velocity = self._ramped(wanted)
        self._begin(Phase.SHIFT)

    def _begin(self, phase: Phase) -> None:
        self.phase, self._clock = phase, 0.0
        self._from, self._time = self.capture_point.copy(), self._p.shift_time

    def _shift(self) -> WalkReference:
        if self._escapes(self._p.pressure_margin):
            return self._catch()
        step = self._step()
        to = step.reference(self._p.step_time - self._planner.half)
        self._move(to)
        late = self._clock > 2.0 * self._time
        if self._clock >= self._time and (late or np.linalg.norm(self.capture_point - to) < STILL):
            self._lift(step.swing)
        return self._answer()

    def _settle(self) -> WalkReference | None:
        to = middle(self._soles)
        if self._escapes(self._p.catch_margin):
            return self._catch()
        self._move(to)
        still = np.linalg.norm(self.capture_point - to) < STILL and self._tilt < UPRIGHT
        if self._clock > self._time and still:
            self.phase = Phase.STANDING
            self._pace.reset()
            return None
        if self._wanted is not None:
            self._begin_shift(self._wanted)
        return replace(self._answer(), calm=min(self._clock / CALM, 1.0))

    def _move(self, to: np.ndarray) -> None:
        """Press so that the capture point goes from ``_from`` to ``to`` in ``_time`` s."""
        s = min(self._clock / self._time, 1.0)
        way = to - self._from
        self.reference = self._from + way * s**3 * (10.0 - 15.0 * s + 6.0 * s * s)
        speed = way * 30.0 * s * s * (1.0 - s) ** 2 / self._time
        self._press(self.reference - speed / self._w, SIDES)

    def _escapes(self, margin: float) -> bool:
        """Whether the capture point leaves what the soles reach less ``margin`` m, or will at once."""
        ahead = self.capture_point + self._p.catch_ahead * np.asarray(self._rate)
        return escapes(self._soles, ahead, margin)

    def _catch(self) -> WalkReference:
        self._lift(catching_foot(self._soles, self.capture_point, self._p.step_width))
        return self._single()

    # One sole

    def _lift(self, swing: str) -> None:
        """The foot ``swing`` leaves the ground now."""
        sole = self._soles[swing]
        self._stance = other(swing)
        self._swing = Swing(sole.p, sole.heading, self._p.step_height, self._p.late_speed)
        self.phase, self._clock = Phase.SINGLE, 0.0
        self._lift_heading = self._heading
        self._lifted = self._goal = sole.middle

    def _single(self) -> WalkReference:
        step = self._step()
        self.reference = step.reference(self._planner.planned(self._clock))
        self._press(step.u, (self._stance,))
        way = math.dist(self._goal, self._lifted)
        goal, left = self._planner.adjust(step, self.capture_point, self.pressure, self._clock, way)
        self._goal = goal
        heading = step.heading + step.turn
        ankle = goal - polygon.SOLE_CENTRE * rotation(heading)[:, 0]
        foot = self._swing.step(ankle, heading, left - self._planner.half, CONTROL_DT)
        s = self._swing.share
        turn = wrapped(step.heading + 0.5 * step.turn - self._lift_heading)
        self._heading = self._lift_heading + s * s * (3.0 - 2.0 * s) * turn
        swinging = self._soles[step.swing]
        late = s >= 1.0
        if s > TOUCHES and (swinging.stands or (late and swinging.load > FELT)):
            self._touched(step)
        return self._answer(step.swing, foot)

    def _touched(self, step: Step) -> None:
        """The foot has come down and takes over."""
        self.steps += 1
        self._pace.stepped(self._time_passed, self._com, self._faces, self.velocity)
        self._left_behind = step.u
        self._stance = step.swing
        self.phase, self._clock = Phase.DOUBLE, 0.0
        self.velocity = self._ramped(np.zeros(3) if self._wanted is None else self._wanted)

    def _double(self) -> WalkReference:
        step = self._step()
        self.reference = step.reference(self._p.step_time + self._planner.half - self._clock)
        error = float(np.linalg.norm(self.capture_point - self.reference))
        s = self._clock / (self._p.double_support * (1.0 - 0.5 * min(error / IN_A_HURRY, 1.0)))
        self._press(self._left_behind + min(s, 1.0) * (step.u - self._left_behind), SIDES)
        if s >= 1.0:
            self._go_on(step)
        return self._answer()

    def _go_on(self, step: Step) -> None:
        """The pressure is on the new foot: come to rest, wait with the feet apart, or step on."""
        p, stays = self._p, self._wanted is None
        if stays and at_rest(self._soles, self.capture_point, p.step_width, p.catch_margin):
            self._begin(Phase.SETTLE)
        elif stays and self._may_rest(step):
            self._begin(Phase.SHIFT)
        else:
            self._lift(step.swing)

    def _may_rest(self, step: Step) -> bool:
        """After a far step: the other foot has far to come, and both soles hold the capture point."""
        way = math.dist(self._soles[step.swing].middle, step.u + step.R @ step.place)
        return way > self._p.rest_way and not self._escapes(self._p.pressure_margin)

    # What they share

    def _step(self) -> Step:
        return self._planner.step(self._pace.corrected(self.velocity), self._stance, self._soles, self._w)

    def _press(self, r: np.ndarray, sides: tuple[str, ...]) -> None:
        """At ``r`` (2,) m, corrected by the error of the capture point: ``pressure`` within the soles
        ``sides``, ``_brake`` a little beyond them to the sides, where the body rolls to do it."""
        p = self._p
        r = r + p.capture_gain * (self.capture_point - self.reference)
        self.pressure = polygon.nearest(hull(self._soles, sides, p.pressure_margin), r)
        self._brake = polygon.nearest(hull(self._soles, sides, p.pressure_margin, p.brake_beyond), r)

    def _answer(self, swing: str = "", foot: FootReference | None = None) -> WalkReference:
        return WalkReference(self._w**2 * (self._com - self._brake), self._heading, swing, foot)

    def _ramped(self, wanted: np.ndarray) -> np.ndarray:
        """The velocity, changed by no more than a step allows."""
        p = self._p
        most = np.array([p.walk_acceleration, p.walk_acceleration, p.turn_acceleration]) * p.step_time
        return np.asarray(self.velocity + np.clip(wanted - self.velocity, -most, most))
