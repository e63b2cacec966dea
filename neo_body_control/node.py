"""Node ``body_control``: answers every ``body/state`` in its own callback, never from a timer.

Everything else it publishes (odometry, TF, safety, markers) is driven by the same states, so a plant
that stands still is told nothing new, and a replayed bag gives the same answers. A supervisor that was heard
once and then goes silent leads to STOP: nobody would notice if another node were lost.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from neo_msgs.action import Reach as ReachAction
from rclpy.action import CancelResponse
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from neo_body_control.controller import BodyController
from neo_body_control.goals import UnderWay
from neo_body_control.joints_node import JointsAdapter
from neo_body_control.reach import Reach, side_of
from neo_body_control.rotations import about_z, cross, yaw
from neo_body_control.settings import PARAMETERS
from neo_body_control.table_edge import Edge, edge_of
from neo_body_control.targets import Targets
from neo_body_control.walk_node import WalkAdapter
from neo_description.errors import NeoError
from neo_description.signals import Safety, TendonCommand
from neo_description.tables import CONTROL_RATE, SIDES
from neo_ros import convert, graph
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode
from neo_ros.silence import Silence

ODOM_EVERY = CONTROL_RATE // 50  # ticks
SAFETY_EVERY = CONTROL_RATE // 10
MARKERS_EVERY = CONTROL_RATE // 5
FEEDBACK_EVERY = CONTROL_RATE // 10
SUPERVISOR_EVERY = 0.05  # s of wall time
FELT = ("l_gripper", "r_gripper", "torso")
MARKER_LENGTH = 0.08  # m of a frame's axes
AXIS_COLOURS = ((0.9, 0.2, 0.2), (0.2, 0.8, 0.2), (0.2, 0.4, 0.9))
MONITORED = ("joint_position", "joint_velocity")  # the tendons can stand in for them
MEASURED = (
    "pelvis_angular_velocity",
    "pelvis_linear_acceleration",
    "tendon_length",
    "tendon_velocity",
    "tendon_tension",
    "l_sole_wrench",
    "r_sole_wrench",
    "l_wrist_wrench",
    "r_wrist_wrench",
)


class BodyControlNode(ManagedNode):
    """Adapter of :class:`BodyController`."""

    def __init__(self) -> None:
        super().__init__("body_control", PARAMETERS)

    def configure(self) -> None:
        self._diagnostics = Diagnostics(self)
        self._body = BodyController(self._params)
        self._measured = MEASURED if self._params.monitor else MEASURED + MONITORED
        self._runstop = False
        self._drive_mode = 0
        self._said: tuple[Any, ...] = ()
        self._supervisor = Silence()
        self._reaching = UnderWay()
        self._edge: Edge | None = None  # of the table that is seen
        self._late = 0
        self._cpu = 0.0
        self._answers = graph.publisher(self, "body/tendon_command")
        self._safety = graph.publisher(self, "safety/state")
        self._odom = graph.publisher(self, "odom")
        self._tf = graph.publisher(self, "/tf")
        self._markers = graph.publisher(self, "whole_body/targets")
        self._wrenches = {f: graph.publisher(self, f"{f}/external_wrench") for f in FELT}
        guarded = self._diagnostics.guarded
        graph.subscription(self, "body/state", guarded("body/state", self._on_state))
        command = guarded("whole_body/command", self._on_command)
        graph.command_subscription(self, "whole_body/command", command, self._diagnostics.refused)
        self._joints = JointsAdapter(self, self._body, self._params, self._diagnostics)
        self._walk = WalkAdapter(self, self._body, self._params, self._diagnostics)
        objects = "perception/objects"
        graph.subscription(self, objects, guarded(objects, self._on_objects))
        graph.subscription(self, "supervisor/heartbeat", lambda _: self._supervisor.heard())
        self.create_timer(
            SUPERVISOR_EVERY, self._watch_supervisor, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        graph.service(self, "set_mode", self._on_set_mode)
        self._server = graph.action_server(
            self, "reach", self._execute_reach, cancel_callback=lambda _: CancelResponse.ACCEPT
        )
        self._publish_safety(0.0)

    # Control

    def _on_state(self, message: Any) -> None:
        begun = time.thread_time()
        state = convert.body_state(message)
        problem = _state_problem(state, self._measured)
        if problem is not None:
            self._diagnostics.refused("body/state", problem)
            return
        before = self._body.tick
        answer: TendonCommand = self._body.update(state)
        self._answers.publish(convert.tendon_command_message(answer, message.header.stamp))
        self._cpu += 0.02 * (time.thread_time() - begun - self._cpu)
        if self._body.tick == before:
            return
        self._runstop, self._drive_mode = state.runstop, state.drive_mode
        self._late += max(self._body.tick - before - 1, 0) if before >= 0 else 0
        self._follow_reach(state.tick)
        self._joints.tick(state.tick, message.header.stamp)
        self._walk.tick(state.tick)
        self._report(state.tick, message.header.stamp)

    def _on_command(self, message: Any) -> None:
        reason = self._body.command(convert.whole_body_command(message))
        if reason is not None:
            self._diagnostics.refused("whole_body/command", reason)

    def _on_set_mode(self, request: Any, response: Any) -> Any:
        reason = self._body.set_mode(request.mode)
        response.success = reason is None
        response.message = reason or f"{request.mode}: {self._body.estimate.safety.name}"
        response.tick = self._body.tick + 1
        if reason is not None:
            self._diagnostics.refused("set_mode", reason)
        self._publish_safety(self._body.estimate.time)
        return response

    def _watch_supervisor(self) -> None:
        if self._supervisor.look(time.monotonic()) > self._params.supervisor_patience:
            self._supervisor = Silence()  # until it is heard again
            self._body.stop("the supervisor is silent")
            self._diagnostics.error("the supervisor is silent: STOP")
            self._publish_safety(self._body.estimate.time)

    def deactivate(self) -> None:
        """To STOP; goals that run end."""
        self._body.stop("body_control was deactivated")
        self._reaching.stop()
        self._joints.stop()
        self._walk.stop()
        self._publish_safety(self._body.estimate.time)

    # The reach action

    async def _execute_reach(self, goal: Any) -> Any:
        request = goal.request
        try:
            if self._reaching.core is not None:
                raise NeoError("busy with another reach; cancel it first")
            reach = Reach(
                self._body,
                self._params,
                side_of(request.hand),
                convert.pose(request.target.pose, "target"),
                request.target.header.frame_id,
                request.speed,
                request.tolerance,
                request.timeout,
                self._edge,
            )
        except NeoError as error:
            self._diagnostics.refused("reach", str(error))
            goal.abort()
            nan = math.nan
            return ReachAction.Result(reason=f"refused: {error}", position_error=nan, orientation_error=nan)
        outcome = await self._reaching.until_ended(reach, goal)
        return ReachAction.Result(
            success=outcome.success,
            reason=outcome.reason,
            position_error=outcome.position_error,
            orientation_error=outcome.orientation_error,
        )

    def _follow_reach(self, tick: int) -> None:
        if self._reaching.tick() and tick % FEEDBACK_EVERY == 0:
            position, orientation = self._reaching.core.errors
            feedback = ReachAction.Feedback(position_error=position, orientation_error=orientation)
            self._reaching.goal.publish_feedback(feedback)

    def _on_objects(self, message: Any) -> None:
        if message.table_seen:
            T_odom_table = self._body.estimate.T_odom_base @ convert.pose(message.table, "table")
            self._edge = edge_of(T_odom_table, convert.xyz(message.table_size), self._edge)

    # What others see

    def _report(self, tick: int, stamp: Any) -> None:
        estimate = self._body.estimate if tick % ODOM_EVERY == 0 else None
        if estimate is not None:
            self._odom.publish(convert.odometry_message(estimate))
            T = estimate.T_odom_base
            rows = [convert.transform_message(T, "odom", "base_link", stamp)]
            T_odom_footprint = np.eye(4)
            T_odom_footprint[:3, :3] = about_z(yaw(T[:3, :3]))
            T_odom_footprint[:2, 3] = T[:2, 3]
            T_base_footprint = np.linalg.inv(T) @ T_odom_footprint
            rows.append(convert.transform_message(T_base_footprint, "base_link", "base_footprint", stamp))
            self._tf.publish(TFMessage(transforms=rows))
            for frame, wrench in self._body.externals.wrenches().items():
                self._wrenches[frame].publish(convert.wrench_message(wrench, frame, stamp))
        if self._saying() != self._said or tick % SAFETY_EVERY == 0:
            self._publish_safety(stamp)
        if tick % MARKERS_EVERY == 0:
            self._markers.publish(_target_markers(self._body.targets, stamp))
        if tick % CONTROL_RATE == 0:
            self._diagnose()

    def _publish_safety(self, stamp: Any) -> None:
        state, reason, *_ = saying = self._saying()
        if self._said and state != self._said[0]:
            self.get_logger().info(f"{state.name}: {reason}")
            if state == Safety.FALLING:
                self._diagnostics.error(f"falling: {reason}")
        self._said = saying
        self._safety.publish(
            convert.safety_state_message(state, reason, self._drive_mode, self._runstop, stamp)  # type: ignore[arg-type]
        )

    def _saying(self) -> tuple[Safety, str, bool, int]:
        """State, why, runstop and drive mode; what has failed stands behind the reason."""
        safety, failed = self._body.safety, self._body.health.report()
        reason = f"{safety.reason}; failed: {failed}" if failed else safety.reason
        return safety.state, reason, self._runstop, self._drive_mode

    def _diagnose(self) -> None:
        body, diagnostics = self._body, self._diagnostics
        diagnostics.set("safety", body.safety.state.name)
        failed = body.health.report()
        diagnostics.set("failed", failed or "-")
        if failed:
            diagnostics.warn(f"failed: {failed}")
        diagnostics.set("late ticks", self._late)
        diagnostics.set("cpu us a tick", 1e6 * self._cpu)
        for solver, count in body.qp.solver.failures.items():
            diagnostics.set(f"{solver} failures", count)
        for side, load in body.loads.items():
            diagnostics.set(f"{side} hand carries kg", load.mass)
        for frame, wrench in body.externals.wrenches().items():
            diagnostics.set(f"{frame} felt N", float(np.linalg.norm(wrench[:3])))
        diagnostics.set("co-contraction", body.stiffness.level)


def _state_problem(state: Any, measured: tuple[str, ...]) -> str | None:
    """Why a state cannot be trusted at all: what of it is not finite."""
    for name in measured:
        if not np.isfinite(getattr(state, name)).all():
            return f"{name} is not finite at tick {state.tick}"
    return None


def _target_markers(targets: Targets, stamp: Any) -> MarkerArray:
    """Both hands' targets as frames, the point looked at as a sphere; what is not there is deleted."""
    markers = []
    for k, side in enumerate(SIDES):
        T = targets.hands[side].target
        for axis in range(3):
            marker = _marker(3 * k + axis, f"{side}_hand", stamp, side in targets.busy)
            marker.type = Marker.ARROW
            marker.scale.x, marker.scale.y, marker.scale.z = MARKER_LENGTH, 0.008, 0.012
            marker.color.r, marker.color.g, marker.color.b = AXIS_COLOURS[axis]
            R = _along(T[:3, axis])
            marker.pose = convert.pose_message(np.block([[R, T[:3, 3:]], [np.zeros(3), 1.0]]))
            markers.append(marker)
    gaze = _marker(6, "gaze", stamp, targets.gazing)
    gaze.type = Marker.SPHERE
    gaze.scale.x = gaze.scale.y = gaze.scale.z = 0.03
    gaze.color.r, gaze.color.g, gaze.color.b = 1.0, 0.8, 0.1
    gaze.pose.position = convert.point_message(targets.gaze.target)
    markers.append(gaze)
    return MarkerArray(markers=markers)


def _marker(number: int, name: str, stamp: Any, shown: bool) -> Marker:
    marker = Marker(id=number, ns=name, action=Marker.ADD if shown else Marker.DELETE)
    marker.header.stamp, marker.header.frame_id = stamp, "odom"
    marker.color.a = 0.9
    return marker


def _along(x: np.ndarray) -> np.ndarray:
    """A rotation (3, 3) whose first column is the unit vector ``x``."""
    helper = np.eye(3)[int(np.argmin(np.abs(x)))]
    y = cross(helper, x)
    y /= np.linalg.norm(y)
    return np.column_stack([x, y, cross(x, y)])


def main() -> None:
    """Entry point ``body_control_node``."""
    run(BodyControlNode)


if __name__ == "__main__":
    main()
