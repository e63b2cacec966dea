"""The node over real DDS: it answers states, refuses with reasons, reaches, and says where it is."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from action_msgs.msg import GoalStatus
from body_rig import side_grasp
from body_station import Station
from builtin_interfaces.msg import Duration
from neo_msgs.action import Reach
from neo_msgs.msg import Heartbeat, JointImpedance
from std_msgs.msg import Header
from trajectory_msgs.msg import (
    JointTrajectory,
    JointTrajectoryPoint,
    MultiDOFJointTrajectory,
    MultiDOFJointTrajectoryPoint,
)

from neo_description.errors import RefusedError
from neo_description.signals import DriveMode, Safety, Scene, Table, WholeBodyCommand
from neo_description.tables import BODY
from neo_ros import convert, environment, graph


@pytest.fixture
def station(ros):
    station = Station()
    yield station
    station.close()


def test_stands_up_and_says_where_it_is(station):
    station.run(0.02)
    station.until(lambda: station.safety == Safety.STOP)
    assert not station.mode("dance").success
    stood = station.mode("stand")
    assert stood.success
    assert station.run(2.0, lambda: station.safety == Safety.ACTIVE)
    in_tension = [m.tick for m in station.heard["body/tendon_command"] if m.mode == DriveMode.TENSION]
    assert in_tension[0] == stood.tick
    answers = [m.tick for m in station.heard["body/tendon_command"]]
    assert answers == sorted(answers)
    station.until(
        lambda: station.heard["odom"] and station.heard["/tf"] and station.heard["whole_body/targets"]
    )
    T = convert.pose(station.heard["odom"][-1].pose.pose)
    assert np.linalg.norm(T[:3, 3] - station.plant.privileged.base_pose[:3, 3]) < 0.01
    frames = {(t.header.frame_id, t.child_frame_id) for t in station.heard["/tf"][-1].transforms}
    assert frames == {("odom", "base_link"), ("base_link", "base_footprint")}
    assert station.mode("stop").success
    station.until(lambda: station.safety == Safety.STOP)


def test_refusals_reach_the_diagnostics_and_nothing_moves(station):
    station.stand()
    bad = convert.whole_body_command_message(
        WholeBodyCommand(valid_for=1.0, T_l_hand=side_grasp("l", [0.4, 0.2, 0.9]))
    )
    bad.l_hand.position.x = math.nan
    station.commands.publish(bad)
    station.until(lambda: any("not finite" in text for text in station.refusals))
    bad.l_hand.position.x = 0.4
    bad.l_hand.orientation.w = 10.0
    station.commands.publish(bad)
    station.until(lambda: any("no unit quaternion" in text for text in station.refusals))
    nan = convert.body_state_message(station.plant.body_state())
    nan.tick += 1
    nan.pelvis_angular_velocity[0] = math.nan
    station.states.publish(nan)
    station.until(lambda: any("pelvis_angular_velocity is not finite" in text for text in station.refusals))
    assert station.body._body.targets.busy == set()
    station.run(0.1)
    assert station.safety == Safety.ACTIVE


def reach_goal(T, **parts):
    goal = Reach.Goal(hand="left", **parts)
    goal.target.header = Header(frame_id="odom")
    goal.target.pose = convert.pose_message(T)
    return goal


def test_a_reach_goes_round_the_edge_of_a_table_that_is_seen(station):
    station.stand()
    station.run(1.5)  # hands come up
    seen = graph.publisher(station.node, "perception/objects")
    table = Table(np.eye(4), np.array([0.4, 1.2, 0.0]))
    table.T_base_table[:3, 3] = (0.5, 0.0, -0.05)  # from 0.3 m ahead, where nothing is in this scene
    station.until(lambda: seen.get_subscription_count() > 0)
    top = station.plant.privileged.base_pose[2, 3] - 0.05

    def at_the_edge(goal):
        """Whether the hand comes within 15 cm of the edge at the height of the top."""
        way, now = [], station.plant.data.site("l_gripper").xpos
        handle = station.send(station.reach, reach_goal(side_grasp("l", goal), tolerance=0.01))
        result = handle.get_result_async()
        station.run(10.0, lambda: way.append(now.copy()) or result.done())
        assert result.result().result.success
        return any(x > 0.15 and abs(z - top) < 0.04 for x, _, z in way)

    over, behind = [0.45, 0.15, 1.0], [0.08, 0.33, 0.65]
    assert not at_the_edge(over)
    assert at_the_edge(behind)  # it knows of no table
    assert at_the_edge(over)
    seen.publish(convert.scene_message(Scene(0.0, [], table)))
    station.until(lambda: station.body._edge is not None)
    assert not at_the_edge(behind)


def test_reach_action_succeeds_refuses_and_is_cancelled(station):
    station.stand()
    feedback = []

    def finish(handle):
        return station.finish(handle)[1]

    def send(goal):
        return station.send(station.reach, goal, feedback.append)

    T = side_grasp("l", [0.40, 0.25, 0.95])
    result = finish(send(reach_goal(T, tolerance=0.01)))
    assert (result.success, result.reason) == (True, "done")
    assert result.position_error < 0.01
    assert feedback

    result = finish(send(reach_goal(side_grasp("l", [4.0, 0.2, 0.9]))))
    assert not result.success
    assert "from the shoulder" in result.reason

    handle = send(reach_goal(side_grasp("l", [0.50, 0.35, 1.1]), speed=0.05))
    station.run(0.2)
    cancelled = handle.cancel_goal_async()
    station.until(cancelled.done)
    assert finish(handle).reason == "cancelled"

    handle = send(reach_goal(side_grasp("l", [0.50, 0.35, 1.1]), speed=0.05))
    station.body.trigger_deactivate()
    status, result = station.finish(handle, 0.0)
    assert (status, result.reason) == (GoalStatus.STATUS_ABORTED, "stopped: body_control was deactivated")


def path(positions, seconds=0.4, names=("l_elbow_pitch",)):
    points = [JointTrajectoryPoint(positions=positions, time_from_start=convert.to_duration(seconds))]
    return JointTrajectory(joint_names=names, points=points)


def test_a_joint_trajectory_is_followed_refused_and_cancelled(station):
    station.stand()
    feedback, kind = [], station.follow._action_type
    tolerance = graph.interface(f"{kind.__module__.partition('.')[0]}/msg/JointTolerance")
    tight = {"path_tolerance": [tolerance(name="l_elbow_pitch", position=1e-4)]}

    def send(trajectory, **parts):
        return station.send(station.follow, kind.Goal(trajectory=trajectory, **parts), feedback.append)

    status, result = station.finish(send(path([-1.0])))
    assert (status, result.error_code, result.error_string) == (GoalStatus.STATUS_SUCCEEDED, 0, "done")
    elbow = BODY.index("l_elbow_pitch")
    assert abs(station.plant.body_state().joint_position[elbow] + 1.0) < 0.06
    told = feedback[-1].feedback
    assert list(told.joint_names) == ["l_elbow_pitch"]
    assert told.error.positions[0] == pytest.approx(told.desired.positions[0] - told.actual.positions[0])
    assert 0.0 < convert.seconds(told.desired.time_from_start) < 3.0

    codes = kind.Result
    for trajectory, parts, code, words in (
        (path([0.3], names=["l_knee_pitch"]), {}, codes.INVALID_JOINTS, "refused: no joint l_knee_pitch"),
        (path([-1.0, 0.0]), {}, codes.INVALID_GOAL, "refused: point 0: 1 joints need 1 positions"),
        (path([-1.5]), tight, codes.PATH_TOLERANCE_VIOLATED, "on the way l_elbow_pitch is 0.0"),
    ):
        status, result = station.finish(send(trajectory, **parts))
        assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, code)
        assert result.error_string.startswith(words)

    first, second = send(path([-1.4], 5.0)), send(path([-0.8], 5.0))
    status, result = station.finish(first)
    assert (status, result.error_string) == (GoalStatus.STATUS_ABORTED, "preempted by another path")
    station.run(0.2)
    assert second.status == GoalStatus.STATUS_EXECUTING
    cancelled = second.cancel_goal_async()
    station.until(cancelled.done)
    status, result = station.finish(second)
    assert (status, result.error_string) == (GoalStatus.STATUS_CANCELED, "cancelled")

    third = send(path([-1.4], 5.0))
    station.body.trigger_deactivate()
    status, result = station.finish(third, 0.0)
    assert (status, result.error_string) == (
        GoalStatus.STATUS_ABORTED, "stopped: body_control was deactivated",
    )  # fmt: skip


def test_joints_of_more_than_one_degree_of_freedom_are_refused(station):
    """control_msgs' own action has fields for them, ours has not."""
    station.stand()
    goal = station.follow._action_type.Goal(trajectory=path([-1.0]))
    fields = {name: getattr(goal, name) for name in goal.get_fields_and_field_types()}
    for more in (
        {"multi_dof_trajectory": MultiDOFJointTrajectory(points=[MultiDOFJointTrajectoryPoint()])},
        {"component_goal_tolerance": ["any"]},
    ):
        with pytest.raises(RefusedError, match="is given; no joint here has more than one"):
            station.body._joints._begin(SimpleNamespace(**{**fields, **more}))
    none = {"multi_dof_trajectory": MultiDOFJointTrajectory()}
    station.body._joints._begin(SimpleNamespace(**{**fields, **none}))


def test_joints_are_as_stiff_as_one_publisher_says(station):
    impedance = graph.publisher(station.node, "joint_impedance")
    station.stand()
    station.until(lambda: impedance.get_subscription_count() > 0)
    asked = JointImpedance(joint_names=["l_elbow_pitch"], stiffness=[-1.0], damping=[math.nan])
    impedance.publish(asked)
    station.until(lambda: any("must not be negative" in text for text in station.refusals))
    asked.stiffness = [2.0, 3.0]
    impedance.publish(asked)
    station.until(lambda: any("(2,) stiffnesses" in text for text in station.refusals))
    assert not station.body._body.joints.set
    asked.stiffness = [2.0]
    impedance.publish(asked)
    station.until(lambda: station.body._body.joints.set)
    intruder = rclpy.create_node("intruder")
    other = graph.publisher(intruder, "joint_impedance")
    station.until(lambda: other.get_subscription_count() > 0)

    jazzy = environment.FAST_DDS_2 in environment.ros_environment({})  # it does not say whose a message is
    first = station.node.get_fully_qualified_name()
    both = " and ".join(sorted(("/intruder", first))) if jazzy else "/intruder commands"

    def refused():
        impedance.publish(asked)
        other.publish(asked)
        return any(f"two publishers: {both}" in text for text in station.refusals)

    station.until(refused)
    intruder.destroy_node()
    assert station.mode("stop").success
    station.run(0.01)
    assert not station.body._body.joints.set


def test_a_supervisor_that_goes_silent_leads_to_stop_once(station):
    heart = graph.publisher(station.node, "supervisor/heartbeat")
    station.stand()
    station.until(lambda: heart.get_subscription_count() > 0)
    beating = station.node.create_timer(0.02, lambda: heart.publish(Heartbeat()))
    station.run(0.1)
    assert station.safety == Safety.ACTIVE
    station.node.destroy_timer(beating)
    station.until(lambda: station.safety == Safety.STOP)
    assert station.heard["safety/state"][-1].reason == "the supervisor is silent"
    assert station.mode("stand").success, "without a supervisor people may still make it stand"


def test_while_it_is_not_active_it_commands_nothing_and_the_drives_hold(station):
    station.stand()
    station.body.trigger_deactivate()
    answered = len(station.heard["body/tendon_command"])
    for _ in range(20):
        station.states.publish(convert.body_state_message(station.plant.body_state()))
        station.plant.step()
    station.until(lambda: station.heard["safety/state"][-1].reason == "body_control was deactivated")
    assert not station.mode("stand").success
    assert len(station.heard["body/tendon_command"]) == answered
    assert station.plant.drives["body"].mode == DriveMode.HOLD
    station.body.trigger_activate()
    station.run(0.02)
    assert station.safety == Safety.STOP
    assert station.mode("stand").success


def test_joints_follow_a_trajectory_or_the_diagnostics_say_why_not(station):
    paths = graph.publisher(station.node, "joint_trajectory")
    station.stand()
    station.until(lambda: paths.get_subscription_count() > 0)
    wrenches = station.heard["torso/external_wrench"]
    station.until(lambda: bool(wrenches))
    assert wrenches[-1].header.frame_id == "torso"
    path = JointTrajectory(joint_names=["l_knee_pitch"])
    path.points = [JointTrajectoryPoint(positions=[0.3], time_from_start=Duration(sec=1))]
    paths.publish(path)
    station.until(lambda: any("no joint l_knee_pitch" in text for text in station.refusals))
    path.joint_names = ["l_elbow_pitch"]
    path.points[0].positions = [-1.0, 0.0]
    paths.publish(path)
    station.until(lambda: any("point 0: 1 joints need 1 positions" in text for text in station.refusals))
    path.points[0].positions = [-1.0]
    paths.publish(path)
    station.until(lambda: bool(station.body._body.joints.active.any()))
    elbow = BODY.index("l_elbow_pitch")
    assert station.run(2.0, lambda: abs(station.plant.body_state().joint_position[elbow] + 1.0) < 0.05)
