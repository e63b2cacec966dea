"""What a skill is: it senses one or two hands each tick and says where they go and what their fingers do.

A skill reads no more than a robot has: :class:`Sensed`. It may know roughly where a thing stands, as
perception would tell; everything else it must feel. Most skills are a :class:`Script`, which reads top to
bottom:

    class Tap(Script):
        def script(self):
            there, back = ((0.1, 0.0, 0.0), (0.0, 0.0, 0.0)), ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
            touched = yield from self.carry({"r": there}, until=lambda: self.normal("r") > 1.0)
            if not touched:
                self.fail("met nothing")
            yield from self.carry({"r": back})

Grippers move by ``shift`` (3,) m along the world's axes and ``turn`` (3,) rad about the gripper,
R = Rx Ry Rz, from where a task holds them: R = 1 where the fingers point along +x and the thumb up.
``Skill.start`` says where a skill wants to begin.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

import numpy as np

from neo_description.errors import NeoError
from neo_description.signals import GraspStatus, HandCommand, HandState
from neo_hand_control.touch import Feeling

Vector = np.ndarray | Sequence[float]
Way = Mapping[str, tuple[Vector, Vector]]  # side → shift (m), turn (rad)
Steps = Generator[None, None, None]
Until = Generator[None, None, bool]


@dataclass
class Sensed:
    """One hand at one tick; ``shift``, ``turn``: where its gripper is, by the arm's encoders."""

    state: HandState
    status: GraspStatus
    feeling: Feeling | None
    shift: np.ndarray
    turn: np.ndarray


@dataclass
class Move:
    """Until the next tick, by side: where the grippers shall be, and commands for the hands."""

    shift: dict[str, np.ndarray]
    turn: dict[str, np.ndarray]
    commands: dict[str, HandCommand] = field(default_factory=dict)


class Skill(Protocol):
    """``sides``: hands it uses, ``l``, ``r`` or ``lr``; ``outcome``: "" while it runs, ``done`` or
    ``failed: why``; ``start``: side → shift, turn where it begins.
    """

    sides: str
    outcome: str
    start: Way

    def step(self, sensed: dict[str, Sensed], dt: float) -> Move:
        """What to do for the next ``dt`` s."""
        ...


class GaveUp(NeoError):  # noqa: N818
    """The skill gave up; the message says why."""


class Script:
    """A skill written as a generator that yields once a tick, :meth:`script`.

    ``sensed``: the present tick, by side; ``time`` s since it began; ``shift``, ``turn``: where the grippers
    are sent, by side, and may be changed directly in small steps.
    """

    def __init__(self, sides: str, start: Way | None = None):
        self.sides = sides
        self.outcome = ""
        self.start: Way = start or {side: (np.zeros(3), np.zeros(3)) for side in sides}
        self.sensed: dict[str, Sensed] = {}
        self.time = 0.0
        self.dt = 0.0
        self.shift = {side: np.array(self.start[side][0], float) for side in sides}
        self.turn = {side: np.array(self.start[side][1], float) for side in sides}
        self._commands: dict[str, HandCommand] = {}
        self._running: Steps | None = None

    def script(self) -> Steps:
        """The skill itself; ends when it is done, :meth:`fail` when it cannot be."""
        raise NotImplementedError

    def step(self, sensed: dict[str, Sensed], dt: float) -> Move:
        """Run the script to its next ``yield``."""
        self.sensed, self.dt = sensed, dt
        self.time += dt
        if self._running is None:
            self._running = self.script()
        if not self.outcome:
            try:
                next(self._running)
            except StopIteration:
                self.outcome = "done"
            except GaveUp as why:
                self.outcome = f"failed: {why}"
        commands, self._commands = self._commands, {}
        return Move(
            {s: v.copy() for s, v in self.shift.items()},
            {s: v.copy() for s, v in self.turn.items()},
            commands,
        )

    def tell(self, side: str, command: HandCommand) -> None:
        """Give a hand a command at the end of this tick."""
        self._commands[side] = command

    def fail(self, why: str) -> NoReturn:
        """End the skill, ``failed: why``."""
        raise GaveUp(why)

    def normal(self, side: str) -> float:
        """Sum of the normal forces that a hand's pads feel (N)."""
        feeling = self.sensed[side].feeling
        return 0.0 if feeling is None else feeling.normal

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> Until:
        """Do nothing new for ``seconds`` or until ``until()``, which is then returned True."""
        passed = 0.0
        while passed < seconds:
            yield
            passed += self.dt
            if until():
                return True
        return False

    def carry(
        self,
        way: Way,
        speed: float = 0.1,
        turn_speed: float = 1.0,
        until: Callable[[], bool] = lambda: False,
    ) -> Until:
        """Send grippers to ``way`` at ``speed`` m/s and ``turn_speed`` rad/s, all arriving together, or until
        ``until()``, which is then returned True; they stop where they are then.
        """
        begin = {s: (self.shift[s].copy(), self.turn[s].copy()) for s in way}
        goal = {s: (np.asarray(a, float), np.asarray(b, float)) for s, (a, b) in way.items()}
        longest = max(
            max(
                float(np.linalg.norm(goal[s][0] - a)) / speed,
                float(np.abs(goal[s][1] - b).max()) / turn_speed,
            )
            for s, (a, b) in begin.items()
        )
        passed = 0.0
        while passed < longest:
            yield
            passed += self.dt
            share = min(passed / longest, 1.0)
            for s, (a, b) in begin.items():
                self.shift[s] = a + share * (goal[s][0] - a)
                self.turn[s] = b + share * (goal[s][1] - b)
            if until():
                return True
        return False
