"""Core of the ``follow_joint_trajectory`` action: joints along a path, watched tick by tick in plant time.

As ros2_controllers' joint_trajectory_controller does it: on the way every joint must stay within the path's
tolerance, at the end all must come within the goal's before ``goal_time`` has passed. Whatever ends a path
early lets its joints come to rest where they are, and hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from neo_body_control.controller import BodyController
from neo_body_control.joint_requests import Code, PathRefusedError, Trajectory, path_of
from neo_description.tables import BODY

UNITS = ("rad", "rad/s")


@dataclass(frozen=True)
class Tolerance:
    """How far joint ``name`` may be off, in rad, rad/s, rad/s²; 0: default, negative: as far as it likes."""

    name: str
    position: float = 0.0
    velocity: float = 0.0
    acceleration: float = 0.0


@dataclass(frozen=True)
class FollowOutcome:
    """``reason``: done, cancelled, stopped, preempted, or which joint was off by how much."""

    code: Code
    reason: str

    @property
    def success(self) -> bool:
        return self.code == Code.SUCCESSFUL


class JointFollow:
    """A path under way. Raises PathRefusedError at once when the goal is not acceptable.

    ``path_tolerance`` on the way, ``goal_tolerance`` at the end; ``goal_time`` s after it: 0 for the default
    of ``params``, negative for no limit.
    """

    def __init__(
        self,
        body: BodyController,
        params: SimpleNamespace,
        trajectory: Trajectory,
        path_tolerance: Sequence[Tolerance] = (),
        goal_tolerance: Sequence[Tolerance] = (),
        goal_time: float = 0.0,
    ):
        self.names = list(trajectory.names)
        path = path_of(body, params, trajectory)
        self._on_way = self._bounds(path_tolerance, params.follow_path_tolerance, 0.0)
        self._at_goal = self._bounds(goal_tolerance, params.follow_goal_tolerance, params.follow_goal_speed)
        self._patience = math.inf if goal_time < 0.0 else goal_time or params.follow_goal_time
        reason = body.follow(path)
        if reason is not None:
            raise PathRefusedError(Code.INVALID_GOAL, reason)
        self._body, self._path = body, path

    @property
    def elapsed(self) -> float:
        """s since the path began, at the last tick."""
        return self._body.joints.elapsed

    @property
    def desired(self) -> np.ndarray:
        """(3, n): rad, rad/s, rad/s² where the joints shall be now."""
        goals, i = self._body.joints, self._path.index
        return np.array([goals.q[i], goals.v[i], goals.a[i]])

    @property
    def actual(self) -> np.ndarray:
        """(2, n): rad, rad/s measured."""
        i = self._path.index
        return np.array([self._body.joint_position[i], self._body.joint_velocity[i]])

    def step(self) -> FollowOutcome | None:
        """After a controller's tick: ``None`` while under way."""
        safety, goals = self._body.safety, self._body.joints
        if safety.refusal is not None:
            return FollowOutcome(Code.INVALID_GOAL, f"stopped: {safety.reason}")
        if goals.path is not self._path:
            return FollowOutcome(Code.INVALID_GOAL, "preempted by another path")
        if not goals.active[self._path.index].all():
            taken = [BODY.joints[i] for i in self._path.index if not goals.active[i]]
            return self._halted(Code.INVALID_GOAL, f"a command for the hand took {', '.join(taken)} back")
        late = self.elapsed - self._path.duration
        off = np.abs(self.desired[:2] - self.actual)
        if late < 0.0:
            words = self._beyond(off, self._on_way)
            return self._halted(Code.PATH_TOLERANCE_VIOLATED, f"on the way {words}") if words else None
        words = self._beyond(off, self._at_goal)
        if not words:
            return FollowOutcome(Code.SUCCESSFUL, "done")
        if late <= self._patience:
            return None
        return self._halted(Code.GOAL_TOLERANCE_VIOLATED, f"{late:.2f} s after the end {words}")

    def cancel(self) -> FollowOutcome:
        """The joints come to rest where they are, and hold."""
        return self._halted(Code.INVALID_GOAL, "cancelled")

    def _halted(self, code: Code, reason: str) -> FollowOutcome:
        body = self._body
        if body.joints.path is self._path:
            body.joints.halt(body.joint_position, body.joint_velocity)
        return FollowOutcome(code, reason)

    def _beyond(self, off: np.ndarray, bounds: np.ndarray) -> str:
        """Which joint is off by more than ``bounds`` (2, n) the most; empty: none."""
        share = off / bounds
        kind, i = np.unravel_index(int(np.argmax(share)), share.shape)
        if share[kind, i] <= 1.0:
            return ""
        unit = UNITS[kind]
        return f"{self.names[i]} is {off[kind, i]:.3f} {unit} off; {bounds[kind, i]:g} {unit} allowed"

    def _bounds(self, asked: Sequence[Tolerance], position: float, velocity: float) -> np.ndarray:
        """(2, n) rad, rad/s; defaults ``position`` and ``velocity``, 0 for none."""
        bounds = np.empty((2, len(self.names)))
        bounds[0], bounds[1] = position or np.inf, velocity or np.inf
        for one in asked:
            if one.name not in self.names:
                names = ", ".join(self.names)
                reason = f"a tolerance for {one.name!r}, which is not on the path; one of {names}"
                raise PathRefusedError(Code.INVALID_JOINTS, reason)
            if not all(map(math.isfinite, (one.position, one.velocity, one.acceleration))):
                raise PathRefusedError(Code.INVALID_GOAL, f"the tolerance for {one.name} is not finite")
            if one.acceleration > 0.0:
                reason = f"acceleration tolerance for {one.name}: it is not measured; 0 or negative"
                raise PathRefusedError(Code.INVALID_GOAL, reason)
            i = self.names.index(one.name)
            for kind, value in enumerate((one.position, one.velocity)):
                if value:
                    bounds[kind, i] = value if value > 0.0 else np.inf
        return bounds
