"""A robot that only an operator's frames move: a planner for ``NeoEnv.planner``.

Another planner sees the same; it says what is to be done and when it is done, and its commands go to the
operator, never to the robot.
"""

from __future__ import annotations

from typing import Any, Protocol

from neo_task.planner import Observation, Step
from neo_teleop.frames import OperatorFrame
from neo_teleop.teleop import Teleop
from neo_teleop.track import Track


class Source(Protocol):
    """Who holds the device."""

    def frames(self, seen: Observation, wanted: Step) -> list[OperatorFrame]:
        """What came from the device since it was asked last."""


class Player:
    """A track, from its first frame on."""

    def __init__(self, track: Track):
        self._frames, self._next = track.frames, 0
        self._shift: float | None = None  # from the device's clock to plant time

    def frames(self, seen: Observation, wanted: Step) -> list[OperatorFrame]:
        if self._shift is None:
            self._shift = seen.time - self._frames[0].time
        begin = self._next
        while self._next < len(self._frames):
            if self._frames[self._next].time + self._shift > seen.time + 1e-6:
                break
            self._next += 1
        return self._frames[begin : self._next]


class Teleoperated:
    """``recorded``: every frame that came, ready to be saved."""

    def __init__(self, planner: Any, source: Source, teleop: Teleop):
        self._planner, self._source, self._teleop = planner, source, teleop
        self._held = True
        self.recorded: list[OperatorFrame] = []

    def step(self, observation: Observation) -> Step:
        wanted: Step = self._planner.step(observation)
        out = Step(phase=wanted.phase, progress=wanted.progress, detail=wanted.detail, outcome=wanted.outcome)
        frames: list[OperatorFrame | None] = [*self._source.frames(observation, wanted)]
        self.recorded += [frame for frame in frames if frame is not None]
        for frame in frames or [None]:
            orders = self._teleop.step(frame, observation.estimate, observation.hands)
            out.body += orders.body
            out.hands += orders.hands
        self._held = self._held and all(clutch.engaged for clutch in self._teleop.clutches.values())
        return out

    def provenance(self) -> str:
        """``teleop`` when every clutch was engaged ever since this was asked last, else ``none``."""
        held, self._held = self._held, True
        return "teleop" if held else "none"
