"""What a planner sees, what it answers, and how a skill script becomes a planner.

A skill is a Python generator: it fills :class:`Context` with commands and yields until the next
observation. So it reads top to bottom, and it is as deterministic as what it sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from neo_description.signals import (
    BodyEstimate,
    DetectedObject,
    GraspStatus,
    HandAction,
    HandCommand,
    Safety,
    Scene,
    WholeBodyCommand,
)

Script = Generator[None, None, str]
REPEAT_EVERY = 0.25  # s of plant time after which targets are sent again
COMMAND_VALID_FOR = 0.45  # s, less than two of them: the body holds when a planner falls silent
LOOKED = 0.1  # rad between the head's axis and what it looks at
TARGETS = ("T_l_hand", "T_r_hand", "gaze", "base_height")  # of a WholeBodyCommand


class TaskFailed(Exception):  # noqa: N818  a result, not a fault
    """The task ends without success: ``reason`` for machines, the message for people."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


@dataclass(slots=True)
class Observation:
    """What the robot knows at plant time ``time`` (s).

    ``cut``: the step of a world model's senses that begins now, if one does.
    """

    time: float
    estimate: BodyEstimate
    hands: dict[str, GraspStatus]
    scene: Scene | None = None
    cut: Any = None

    def objects(self) -> list[tuple[DetectedObject, np.ndarray]]:
        """Objects perceived, each with its pose in odom (4, 4)."""
        if self.scene is None:
            return []
        return [(thing, self.estimate.T_odom_base @ thing.T_base_object) for thing in self.scene.objects]

    def looks_at(self, point: np.ndarray) -> bool:
        """Whether the head looks at ``point`` (3,) m in odom."""
        head = self.estimate.T_odom_head_camera
        way = point - head[:3, 3]
        along = float(way @ head[:3, 2]) / max(float(np.linalg.norm(way)), 1e-9)
        return along > math.cos(LOOKED)


@dataclass(slots=True)
class Outcome:
    """How a task ended; ``lifted`` m, ``held`` s and ``peak_force`` N as the robot estimates them."""

    success: bool
    reason: str
    message: str
    lifted: float = 0.0
    held: float = 0.0
    peak_force: float = 0.0


@dataclass(slots=True)
class Step:
    """A planner's answer to one observation: commands to send now, progress, and the end."""

    body: list[WholeBodyCommand] = field(default_factory=list)
    hands: list[tuple[str, HandCommand]] = field(default_factory=list)
    phase: str = ""
    progress: float = 0.0
    detail: str = ""
    outcome: Outcome | None = None


class Context:
    """What a skill script works with: the last observation, and the commands it has given."""

    def __init__(self, params: SimpleNamespace):
        self.params = params
        self.now: Observation
        self.step = Step()
        self.phase = ""
        self.progress = 0.0
        self.detail = ""
        self.part = (0, 1)  # of several objects: the one at hand, and how many there are
        self.lifted = 0.0
        self.held = 0.0
        self.peak_force = 0.0
        self._targets: dict[str, np.ndarray] = {}
        self._found: dict[str, np.ndarray] = {}
        self._in_force: dict[str, WholeBodyCommand] = {}  # by target: the last command that set it
        self._repeated = 0.0  # s: when they were last sent again

    def enter(self, phase: str, progress: float, detail: str = "") -> None:
        """Name what is being done; ``progress``: the share of the task, or of its part, done before it."""
        number, parts = self.part
        self.phase, self.progress, self.detail = phase, (number + progress) / parts, detail

    def body(self, **targets: object) -> None:
        """Send a whole-body command in ``odom``; fields as in ``WholeBodyCommand``. See :meth:`repeat`."""
        command = WholeBodyCommand(valid_for=COMMAND_VALID_FOR, **targets)  # type: ignore[arg-type]
        self.step.body.append(command)
        for side in command.release:
            self._in_force.pop(f"T_{side}_hand", None)
        for name in TARGETS:
            if getattr(command, name) is not None:
                self._in_force[name] = command

    def repeat(self) -> None:
        """Send the targets in force again, four times a second: else the body would hold."""
        if self.now.time < self._repeated + REPEAT_EVERY:
            return
        self._repeated = self.now.time
        sent = {id(command) for command in self.step.body}
        for command in {id(command): command for command in self._in_force.values()}.values():
            if id(command) not in sent:
                again = replace(command, release=())
                for name in TARGETS:
                    if self._in_force.get(name) is not command:
                        setattr(again, name, None)
                self.step.body.insert(0, again)

    def hand(self, side: str, action: HandAction, **fields: object) -> None:
        """Send one hand a command; fields as in ``HandCommand``."""
        self.step.hands.append((side, HandCommand(action=action, **fields)))  # type: ignore[arg-type]

    def move(self, side: str, T_odom_gripper: np.ndarray, speed: float) -> None:
        """Send one gripper to a pose at ``speed`` m/s."""
        self._found.setdefault(side, self.gripper(side).copy())
        self._targets[side] = T_odom_gripper
        self.body(**{f"T_{side}_hand": T_odom_gripper, "hand_speed": speed})

    def gripper(self, side: str) -> np.ndarray:
        """Estimated pose of a gripper in odom, (4, 4)."""
        return self.now.estimate.gripper(side)

    def found(self, side: str) -> np.ndarray:
        """Where a gripper (4, 4) was in odom before its first :meth:`move`."""
        return self._found[side]

    def error(self, side: str) -> float:
        """Distance (m) of a gripper from where :meth:`move` sent it."""
        return float(np.linalg.norm(self.gripper(side)[:3, 3] - self._targets[side][:3, 3]))

    def pause(self, seconds: float) -> Generator[None, None, None]:
        """Let plant time pass."""
        end = self.now.time + seconds
        while self.now.time < end:
            yield

    def until(self, condition: Callable[[], bool], timeout: float) -> Generator[None, None, bool]:
        """Wait for ``condition``; False when ``timeout`` seconds of plant time passed first."""
        end = self.now.time + timeout
        while not condition():
            if self.now.time >= end:
                return False
            yield
        return True


class Planner(Protocol):
    """What does a task: an observation in, an answer out, until its ``outcome`` is set."""

    def step(self, observation: Observation) -> Step: ...


class ScriptPlanner:
    """Runs one skill script against observations; one instance a task."""

    def __init__(self, script: Callable[[Context], Script], params: SimpleNamespace, timeout: float):
        self._context = Context(params)
        self._script = script(self._context)
        self._timeout = timeout
        self._deadline: float | None = None
        self._outcome: Outcome | None = None

    @property
    def phase(self) -> str:
        """What is being done."""
        return self._context.phase

    def step(self, observation: Observation) -> Step:
        """Commands for this observation; ``outcome`` is set once, with the task's end."""
        context = self._context
        context.now, context.step = observation, Step()
        if self._deadline is None:
            self._deadline = observation.time + self._timeout
        if self._outcome is None:
            self._advance(observation)
        context.step.phase, context.step.detail = context.phase, context.detail
        context.step.progress = 1.0 if self._outcome and self._outcome.success else context.progress
        context.step.outcome = self._outcome
        return context.step

    def _advance(self, observation: Observation) -> None:
        context = self._context
        force = max(status.normal_force for status in observation.hands.values())
        context.peak_force = max(context.peak_force, force)
        try:
            self._check(observation)
            next(self._script)
        except StopIteration as end:
            self._end(True, "done", str(end.value))
            return
        except TaskFailed as failure:
            self._end(False, failure.reason, f"not done: {failure}")
            return
        context.repeat()

    def _check(self, observation: Observation) -> None:
        if observation.estimate.safety != Safety.ACTIVE:
            raise TaskFailed(
                "stopped", f"the robot is stopped ({observation.estimate.reason or 'set_mode stand'})"
            )
        assert self._deadline is not None
        if observation.time > self._deadline:
            raise TaskFailed("timeout", f"{self._context.phase} took longer than {self._timeout:g} s")

    def _end(self, success: bool, reason: str, message: str) -> None:
        context = self._context
        self._outcome = Outcome(success, reason, message, context.lifted, context.held, context.peak_force)
