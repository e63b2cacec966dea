"""The part of node ``body_control`` that single joints are asked through: two topics and an action.

``follow_joint_trajectory`` is stepped by the same states as the controller. A new goal, or a message on
``joint_trajectory``, takes the place of the path that is under way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from rclpy.action import CancelResponse
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectoryPoint

from neo_body_control.controller import BodyController
from neo_body_control.goals import UnderWay
from neo_body_control.joint_follow import JointFollow, Tolerance
from neo_body_control.joint_requests import Code, PathRefusedError, Trajectory, path_of, set_impedance
from neo_description.errors import NeoError, RefusedError
from neo_description.tables import CONTROL_RATE
from neo_ros import convert, graph
from neo_ros.diagnostics import Diagnostics

PATHS, IMPEDANCE, FOLLOW = "joint_trajectory", "joint_impedance", "follow_joint_trajectory"
FEEDBACK_EVERY = CONTROL_RATE // 20  # ticks
# fields of control_msgs' own action
MULTI_DOF = ("multi_dof_trajectory", "component_path_tolerance", "component_goal_tolerance")


class JointsAdapter:
    """Adapter of :mod:`joint_requests` and :class:`JointFollow` for ``body``."""

    def __init__(self, node: Node, body: BodyController, params: Any, diagnostics: Diagnostics):
        self._body, self._params, self._diagnostics = body, params, diagnostics
        self._under_way = UnderWay()
        for topic, callback in ((PATHS, self._on_path), (IMPEDANCE, self._on_impedance)):
            guarded = diagnostics.guarded(topic, callback)
            graph.command_subscription(node, topic, guarded, diagnostics.refused)
        self._type = graph.action_type(FOLLOW)
        self._server = graph.action_server(
            node, FOLLOW, self._execute, cancel_callback=lambda _: CancelResponse.ACCEPT
        )

    def tick(self, tick: int, stamp: Any) -> None:
        """After the controller's tick; ``stamp``: that of its state."""
        if self._under_way.tick() and tick % FEEDBACK_EVERY == 0:
            self._under_way.goal.publish_feedback(self._feedback(self._under_way.core, stamp))

    def stop(self) -> None:
        """The body was stopped, and no tick may follow: a goal that runs ends."""
        self._under_way.stop()

    def _on_path(self, message: Any) -> None:
        reason = self._body.follow(path_of(self._body, self._params, _trajectory(message)))
        if reason is not None:
            raise RefusedError(reason)

    def _on_impedance(self, message: Any) -> None:
        names, stiffness, damping = message.joint_names, message.stiffness, message.damping
        set_impedance(self._body, self._params, names, stiffness, damping, convert.stamp(message))

    async def _execute(self, goal: Any) -> Any:
        try:
            follow = self._begin(goal.request)
        except NeoError as error:
            self._diagnostics.refused(FOLLOW, str(error))
            goal.abort()
            code = error.code if isinstance(error, PathRefusedError) else Code.INVALID_GOAL
            return self._type.Result(error_code=int(code), error_string=f"refused: {error}")
        outcome = await self._under_way.until_ended(follow, goal)
        return self._type.Result(error_code=int(outcome.code), error_string=outcome.reason)

    def _begin(self, request: Any) -> JointFollow:
        for name in MULTI_DOF:
            given = getattr(request, name, ())
            if len(getattr(given, "points", given)):
                raise RefusedError(f"{name} is given; no joint here has more than one degree of freedom")
        on_way, at_goal = (
            [Tolerance(one.name, one.position, one.velocity, one.acceleration) for one in asked]
            for asked in (request.path_tolerance, request.goal_tolerance)
        )
        trajectory, time = _trajectory(request.trajectory), convert.seconds(request.goal_time_tolerance)
        return JointFollow(self._body, self._params, trajectory, on_way, at_goal, time)

    def _feedback(self, follow: JointFollow, stamp: Any) -> Any:
        desired, actual = follow.desired, follow.actual
        feedback = self._type.Feedback(joint_names=follow.names)
        feedback.header.stamp = stamp
        feedback.desired = _point(follow.elapsed, *desired)
        feedback.actual = _point(follow.elapsed, *actual)
        feedback.error = _point(follow.elapsed, *(desired[:2] - actual))
        return feedback


def _point(time: float, q: np.ndarray, v: np.ndarray, a: np.ndarray | None = None) -> JointTrajectoryPoint:
    point = JointTrajectoryPoint(positions=convert.sequence(q), velocities=convert.sequence(v))
    if a is not None:
        point.accelerations = convert.sequence(a)
    point.time_from_start = convert.to_duration(time)
    return point


def _trajectory(message: Any) -> Trajectory:
    """A ``trajectory_msgs/JointTrajectory``; its accelerations are left to the interpolation."""
    points, n = message.points, len(message.joint_names)
    for k, point in enumerate(points):
        if len(point.positions) != n or len(point.velocities) not in (0, n):
            reason = f"point {k}: {n} joints need {n} positions, and velocities or none"
            raise PathRefusedError(Code.INVALID_GOAL, reason)
        if len(point.effort):
            reason = f"point {k}: efforts are not followed; joint_impedance says how stiff joints are"
            raise PathRefusedError(Code.INVALID_GOAL, reason)
    velocities = [list(point.velocities) or [0.0] * n for point in points]
    return Trajectory(
        list(message.joint_names),
        np.array([convert.seconds(point.time_from_start) for point in points]),
        np.array([list(point.positions) for point in points]).reshape(len(points), n),
        np.array(velocities) if any(len(point.velocities) for point in points) else None,
        convert.stamp(message),
    )
