"""The task node over real DDS: prompts refused with the reason, a task carried out, cancelled, or stale."""

from __future__ import annotations

import numpy as np
import pytest
import rclpy
from nav_msgs.msg import Odometry
from neo_msgs.action import DoTask
from neo_msgs.msg import SafetyState
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import JointState

from neo_description.signals import DetectedObject, GraspStatus, Scene
from neo_description.tables import JOINTS
from neo_ros import convert, executor, graph
from neo_task.node import TaskNode

DEADLINE = 20.0  # s of wall time


def red_bottle() -> Scene:
    """One stands on the table, before the right hand."""
    T = np.eye(4)
    T[:3, 3] = 0.45, -0.15, 0.05
    size = np.array([0.066, 0.066, 0.22])
    return Scene(0.0, [DetectedObject(7, "bottle", "red", T, np.eye(6), size, 0.9, 1.0, 0.0)])


class Robot(Node):
    """The rest of the robot: publishes what the task node watches, keeps what it sends."""

    def __init__(self):
        super().__init__("rest_of_the_robot")
        self.time = 1.0
        self.state = SafetyState.ACTIVE
        self.silent = self.blind = self.numb = False
        self.scene = Scene(0.0)
        self.body, self.hand, self.phases = [], [], []
        self._joints = graph.publisher(self, "joint_states")
        self._odom = graph.publisher(self, "odom")
        self._safety = graph.publisher(self, "safety/state")
        self._objects = graph.publisher(self, "perception/objects")
        self._status = {s: graph.publisher(self, f"{s}_hand/status") for s in ("l", "r")}
        graph.subscription(self, "whole_body/command", self.body.append)
        graph.subscription(self, "r_hand/command", self.hand.append)
        self.client = graph.action_client(self, "do_task")
        self._heard = 0
        self.create_timer(0.005, self._tick)

    def _tick(self):
        self.time += 0.02
        stamp = convert.to_time(self.time)
        if not self.silent:
            odometry = Odometry()
            odometry.header.stamp = stamp
            odometry.pose.pose = convert.pose_message(np.eye(4))
            self._odom.publish(odometry)
        for publisher in self._status.values():
            publisher.publish(convert.grasp_status_message(GraspStatus(), stamp))
        safety = SafetyState(state=self.state, reason="asked to")
        safety.header.stamp = stamp
        self._safety.publish(safety)
        self.scene.time = self.time
        if not self.blind:
            self._objects.publish(convert.scene_message(self.scene))
        joints = JointState(name=list(JOINTS), position=[0.0] * len(JOINTS))
        joints.header.stamp = stamp
        if not self.numb:
            self._joints.publish(joints)

    def ask(self, spin, prompt, **goal):
        """Sends a goal and waits until it is accepted; its handle."""
        assert self.client.wait_for_server(timeout_sec=DEADLINE)
        request = DoTask.Goal(prompt=prompt, **goal)
        sent = self.client.send_goal_async(request, feedback_callback=self._feedback)
        return executor.wait_for(spin, sent, DEADLINE)

    def _feedback(self, message):
        self.phases.append(message.feedback.phase)


@pytest.fixture
def robot(ros_domain):
    rclpy.init()
    task, robot = TaskNode(), Robot()
    spin = executor.make(task, robot)
    yield robot, spin, task
    task.destroy_node()
    robot.destroy_node()
    rclpy.shutdown()


def result(spin, handle):
    return executor.wait_for(spin, handle.get_result_async(), DEADLINE).result


def until(robot, spin, condition):
    """Spins until ``condition()`` holds."""
    done = Future()
    timer = robot.create_timer(0.005, lambda: condition() and not done.done() and done.set_result(True))
    executor.wait_for(spin, done, DEADLINE)
    robot.destroy_timer(timer)


def ready(robot, spin, task):
    until(
        robot,
        spin,
        lambda: not isinstance(task._watch.observation(), str) and task._watch.safety == robot.state,
    )


@pytest.mark.parametrize(
    ("goal", "says"),
    [
        ({"prompt": "dance"}, "no verb"),
        ({"prompt": ""}, "empty"),
        ({"prompt": "pick up the spaceship"}, "spaceship"),
        ({"prompt": "pick up the red bottle", "planner": "magic"}, "one of scripted, privileged_scripted"),
        ({"prompt": "pick up the red bottle", "timeout": float("nan")}, "timeout"),
        ({"prompt": "pick up the red bottle", "timeout": -1.0}, "timeout"),
    ],
)
def test_a_bad_goal_ends_with_the_reason_and_moves_nothing(robot, goal, says):
    rest, spin, task = robot
    ready(rest, spin, task)
    answer = result(spin, rest.ask(spin, **goal))
    assert not answer.success
    assert answer.reason == "refused"
    assert says in answer.outcome
    assert rest.body == []
    assert rest.hand == []


def test_a_stopped_robot_refuses(robot):
    rest, spin, task = robot
    rest.state = SafetyState.STOP
    ready(rest, spin, task)
    answer = result(spin, rest.ask(spin, "pick up the red bottle"))
    assert answer.reason == "refused"
    assert "stopped (asked to)" in answer.outcome


def test_reaches_out_for_what_is_seen_and_stops_when_cancelled(robot):
    rest, spin, task = robot
    rest.scene = red_bottle()
    ready(rest, spin, task)
    handle = rest.ask(spin, "pick up the red bottle")
    until(rest, spin, lambda: any(m.use & m.USE_R_HAND for m in rest.body) and rest.hand)
    assert "approach" in rest.phases or "look" in rest.phases
    assert rest.hand[0].grasp == "medium_wrap"
    executor.wait_for(spin, handle.cancel_goal_async(), DEADLINE)
    answer = result(spin, handle)
    assert answer.reason == "cancelled"


def test_a_second_goal_is_refused_while_one_runs(robot):
    rest, spin, task = robot
    ready(rest, spin, task)
    first = rest.ask(spin, "look at the red bottle")
    until(rest, spin, lambda: rest.phases)
    answer = result(spin, rest.ask(spin, "look at the green cup"))
    assert "busy" in answer.outcome
    assert result(spin, first).reason == "not_found"


def test_lost_odometry_ends_the_task(robot):
    rest, spin, task = robot
    ready(rest, spin, task)
    handle = rest.ask(spin, "look at the red bottle")
    rest.silent = True
    answer = result(spin, handle)
    assert answer.reason == "stale"
    assert "odom" in answer.outcome


def test_a_task_waits_for_what_is_old_when_it_begins(robot):
    """Pinned: a world model loads for a second, and what odometry had said before ended the task."""
    rest, spin, task = robot
    rest.scene = red_bottle()
    ready(rest, spin, task)
    rest.silent = True
    until(rest, spin, lambda: "odom is" in str(task._watch.observation()))
    handle = rest.ask(spin, "pick up the red bottle")
    until(rest, spin, lambda: task._begins is not None)
    assert rest.body == []
    rest.silent = False
    until(rest, spin, lambda: rest.body)
    rest.silent = True
    assert result(spin, handle).reason == "stale"


def test_without_perception_a_running_task_waits_then_ends_and_a_new_one_is_refused(robot):
    rest, spin, task = robot
    rest.scene = red_bottle()
    ready(rest, spin, task)
    handle = rest.ask(spin, "pick up the red bottle")
    until(rest, spin, lambda: rest.hand)
    rest.blind = True
    until(rest, spin, lambda: "wait" in rest.phases)
    assert "perception" in task.degraded["no_camera"]
    commanded = len(rest.body) + len(rest.hand)
    assert result(spin, handle).reason == "blind"
    assert len(rest.body) + len(rest.hand) == commanded
    refused = result(spin, rest.ask(spin, "pick up the red bottle"))
    assert refused.reason == "refused"
    assert "no camera: perception has seen nothing for" in refused.outcome
    rest.blind = False
    until(rest, spin, lambda: "no_camera" not in task.degraded)


def test_lost_joint_states_end_the_task_although_nothing_drives_it_any_more(robot):
    rest, spin, task = robot
    ready(rest, spin, task)
    handle = rest.ask(spin, "look at the red bottle")
    rest.numb = True
    answer = result(spin, handle)
    assert answer.reason == "stale"
    assert "joint states" in answer.outcome
    assert "no_joint_states" in task.degraded


def test_a_world_model_that_does_not_load_is_refused_or_replaced_as_asked(robot):
    rest, spin, task = robot
    task._params.model, task._params.planner = "/nowhere", "world_model"
    ready(rest, spin, task)
    asked = result(spin, rest.ask(spin, "look at the red bottle", planner="world_model"))
    assert asked.reason == "refused"
    answer = result(spin, rest.ask(spin, "look at the red bottle"))
    assert answer.reason == "not_found"
    assert "by the scripted planner: " in answer.outcome
    assert "no_world_model" in task.degraded
    task._params.without_model = "refuse"
    assert result(spin, rest.ask(spin, "look at the red bottle")).reason == "refused"
