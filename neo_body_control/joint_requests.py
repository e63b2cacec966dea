"""What is asked of single joints from outside, judged before anything moves.

    path = path_of(body, params, trajectory)     # joins a path that has begun already
    set_impedance(body, params, names, stiffness, damping)

A trajectory's times count from its ``start``. As ros2_controllers do, points that lie in the past are left
out and the joints go from where they are to the first that is left; a path that has ended is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import SimpleNamespace

import numpy as np

from neo_body_control.controller import BodyController
from neo_body_control.joint_paths import JointPath, indices
from neo_body_control.validation import check_start
from neo_description.errors import RefusedError


class Code(IntEnum):
    """The numbers of ``FollowJointTrajectory``'s result."""

    SUCCESSFUL = 0
    INVALID_GOAL = -1
    INVALID_JOINTS = -2
    OLD_HEADER_TIMESTAMP = -3
    PATH_TOLERANCE_VIOLATED = -4
    GOAL_TOLERANCE_VIOLATED = -5


class PathRefusedError(RefusedError):
    """A path was refused; ``code`` says what kind of fault it has."""

    def __init__(self, code: Code, reason: str):
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Trajectory:
    """``names`` (n,) of joints; ``times`` (k,) s from ``start`` (s of plant time; 0: now); ``positions``
    (k, n) rad; ``velocities`` (k, n) rad/s or none."""

    names: Sequence[str]
    times: np.ndarray
    positions: np.ndarray
    velocities: np.ndarray | None = None
    start: float = 0.0


def path_of(body: BodyController, params: SimpleNamespace, trajectory: Trajectory) -> JointPath:
    """``trajectory`` as a path from now on. PathRefusedError says what is wrong with it."""
    try:
        indices(trajectory.names)
    except RefusedError as error:
        raise PathRefusedError(Code.INVALID_JOINTS, str(error)) from None
    times, positions, velocities = trajectory.times, trajectory.positions, trajectory.velocities
    late = body.estimate.time - trajectory.start if trajectory.start else 0.0
    if late and len(times):
        if problem := check_start(trajectory.start, body.estimate.time, np.inf, params.command_ahead):
            raise PathRefusedError(Code.INVALID_GOAL, problem)
        times = times - late
        left = times > 0.0
        if not left.any():
            over = f"the path ended {-times.max():.3f} s ago (header.stamp {trajectory.start:g} s; 0: now)"
            raise PathRefusedError(Code.OLD_HEADER_TIMESTAMP, over)
        times, positions = times[left], positions[left]
        velocities = None if velocities is None else velocities[left]
    try:
        return JointPath(
            trajectory.names, times, positions, velocities, body.joint_position, body.joint_velocity
        )
    except RefusedError as error:
        raise PathRefusedError(Code.INVALID_GOAL, str(error)) from None


def set_impedance(
    body: BodyController,
    params: SimpleNamespace,
    names: Sequence[str],
    stiffness: Sequence[float],
    damping: Sequence[float],
    start: float = 0.0,
) -> None:
    """Joints ``names`` are as stiff as :meth:`JointGoals.impedance` says, until STOP; ``start``: when that
    was said, s of plant time (0: now). RefusedError: why not; then nothing changes."""
    problem = check_start(start, body.estimate.time, params.command_age, params.command_ahead)
    if start and problem:
        raise RefusedError(problem)
    if body.safety.refusal is not None:
        raise RefusedError(body.safety.refusal)
    body.joints.impedance(names, stiffness, damping)
