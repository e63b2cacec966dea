"""The node on real DDS: of the graph's messages it makes surprise, what follows, pictures; it is asked."""

import threading

import numpy as np
import pytest
from nav_msgs.msg import Odometry
from neo_msgs.action import DoTask
from neo_msgs.msg import SafetyState
from neo_msgs.srv import Foretell, LoadModel
from sensor_msgs.msg import JointState

from neo_description import parameters
from neo_description.errors import NeoError
from neo_description.signals import BodyState, GraspStatus, HandAction, HandCommand, HandState, Safety
from neo_description.tables import CONTROL_RATE, JOINTS, SIDES
from neo_ros import convert, graph
from neo_ros.cv_bridge import CvBridge
from neo_task.node import TaskNode
from neo_task.scripted import PARAMETERS as OF_TASK
from neo_world_model import shipped
from neo_world_model.episode import EVENTS
from neo_world_model.node import PARAMETERS, WorldModelNode
from neo_world_model.stepper import EVERY, SAMPLES


@pytest.fixture(scope="module")
def model(toy_model):
    return str(toy_model)


class Robot:
    """The rest of the graph: :meth:`slot` publishes the states of the k-th 20 ms."""

    def __init__(self, node):
        self.surprises, self.pictures, self.follows = [], [], []
        self.body = graph.publisher(node, "body/state")
        self.hands = {side: graph.publisher(node, f"{side}_hand/state") for side in SIDES}
        self.command = graph.publisher(node, "r_hand/command")
        self.eyes = {eye: graph.publisher(node, f"head_camera/{eye}/image_raw") for eye in ("left", "right")}
        graph.subscription(node, "world_model/surprise", self.surprises.append)
        graph.subscription(node, "world_model/imagined/left", self.pictures.append)
        graph.subscription(node, "world_model/consequences", self.follows.append)
        self.foretell = graph.service_client(node, "world_model/foretell")

    def slot(self, k):
        tick, time = k * EVERY, k * EVERY / CONTROL_RATE
        self.body.publish(convert.body_state_message(BodyState(tick=tick, time=time)))
        for side, publisher in self.hands.items():
            publisher.publish(convert.hand_state_message(HandState(tick=tick, time=time), side))

    def show(self, time):
        for publisher in self.eyes.values():
            image = CvBridge().cv2_to_imgmsg(np.full((240, 424, 3), 90, np.uint8), "rgb8")
            image.header.stamp = convert.to_time(time)
            publisher.publish(image)


@pytest.fixture
def watching(start_ros, model, spinning):
    start_ros(f"model:={model}")
    import rclpy

    node, other = WorldModelNode(), rclpy.create_node("robot")
    robot = Robot(other)
    spin = spinning(node, other)
    yield node, robot, spin
    node.destroy_node()
    other.destroy_node()


def pass_steps(node, robot, spin, first, count):
    for k in range(first * SAMPLES, (first + count) * SAMPLES + 1):
        spin.until_said(lambda k=k: not node._listening._cutter.due(k * EVERY), lambda k=k: robot.slot(k))


def test_it_is_surprised_and_imagines_once_there_is_a_past(watching):
    node, robot, spin = watching
    spin.until_said(lambda: node._listening._cutter.picture is not None, lambda: robot.show(1.0))
    spin.until_said(
        lambda: node._listening._cutter.stepper._closing["r"] == 1.0,
        lambda: robot.command.publish(
            convert.hand_command_message(HandCommand(HandAction.CLOSE, grasp="medium_wrap"), None)
        ),
    )
    pass_steps(node, robot, spin, 10, 7)
    spin.until(lambda: len(robot.surprises) >= 3 and len(robot.pictures) >= 3)
    message = robot.surprises[-1]
    assert 0.0 <= message.value <= 1.0
    assert set(message.modality) == {"proprio", "force", "touch"}
    assert sum(message.modality_value) == pytest.approx(1.0)
    image = robot.pictures[-1]
    assert (image.height, image.width, image.encoding) == (48, 64, "rgb8")
    assert image.header.frame_id == "head_left_camera_optical_frame"


def test_a_hole_in_time_begins_anew(watching):
    node, robot, spin = watching
    pass_steps(node, robot, spin, 10, 6)
    spin.until(lambda: len(robot.surprises) >= 2)
    pass_steps(node, robot, spin, 30, 1)
    assert len(node._watcher._states) < node._watcher.context


def asked(robot, spin, prompt):
    spin.until(robot.foretell.service_is_ready)
    answer = robot.foretell.call_async(Foretell.Request(prompt=prompt))
    spin.until(answer.done)
    return answer.result()


def test_what_follows_is_told_every_step_and_on_being_asked(watching):
    node, robot, spin = watching
    refused = asked(robot, spin, "pick up the green cup")
    assert not refused.success
    assert "too little was sensed yet" in refused.message
    spin.until_said(lambda: node._listening._cutter.picture is not None, lambda: robot.show(1.0))
    pass_steps(node, robot, spin, 10, 7)
    spin.until(lambda: len(robot.follows) >= 3)
    told = convert.consequences(robot.follows[-1])
    assert [event.name for event in told.events] == list(EVENTS)
    assert told.horizon == pytest.approx(0.8)
    assert told.time == pytest.approx(1.7)
    going_on = asked(robot, spin, "")
    assert convert.foretold(going_on).consequences.time == told.time
    np.testing.assert_array_equal(going_on.consequences.chance, robot.follows[-1].chance)
    planned = asked(robot, spin, "pick up the green cup")
    assert planned.success, planned.message
    assert planned.consequences.header.stamp == robot.follows[-1].header.stamp
    assert all(0.0 <= chance <= 1.0 for chance in planned.consequences.chance)
    assert planned.vetoed == bool(planned.would)
    assert {one.role for one in planned.beliefs} <= {"target", "place"}
    unread = asked(robot, spin, "x" * 500)
    assert (unread.success, "a prompt of 500 bytes" in unread.message) == (False, True)


def test_steps_go_on_while_a_plan_is_searched_for(watching, monkeypatch):
    node, robot, spin = watching
    pass_steps(node, robot, spin, 10, 5)
    planning, found = threading.Event(), threading.Event()
    answer = node._foreteller.answer

    def long(*given):
        planning.set()
        assert found.wait(30.0)
        return answer(*given)

    monkeypatch.setattr(node._foreteller, "answer", long)
    spin.until(robot.foretell.service_is_ready)
    asked_for = robot.foretell.call_async(Foretell.Request(prompt="pick up the green cup"))
    spin.until(planning.is_set)
    before = len(robot.follows)
    pass_steps(node, robot, spin, 15, 3)
    spin.until(lambda: len(robot.follows) >= before + 3)
    assert not asked_for.done()
    found.set()
    spin.until(asked_for.done)
    assert asked_for.result().success


def test_foretelling_forbids_what_do_task_forbids():
    ours, theirs = parameters.declared(PARAMETERS), parameters.declared(OF_TASK)
    for name in ("veto", "plan_deadline"):
        assert (ours[name].default, ours[name].bounds) == (theirs[name].default, theirs[name].bounds)


def test_another_model_is_loaded_and_a_broken_one_refused(watching, model, tmp_path):
    node, _, _ = watching
    before = node._watcher
    refused = node._on_load(LoadModel.Request(uri=str(tmp_path)), LoadModel.Response())
    assert not refused.success
    assert "no model" in refused.message
    assert node._watcher is before
    assert node._on_load(LoadModel.Request(uri=model), LoadModel.Response()).success
    assert node._watcher is not before


def test_without_a_model_it_does_not_start(ros, monkeypatch):
    monkeypatch.setattr(shipped, "places", lambda: [])
    with pytest.raises(NeoError, match="no model is given and none ships"):
        WorldModelNode()


class Whole(Robot):
    """All that a task needs to hear, too."""

    def __init__(self, node):
        super().__init__(node)
        self.asked = []
        self.joints, self.odom = graph.publisher(node, "joint_states"), graph.publisher(node, "odom")
        self.safety = graph.publisher(node, "safety/state")
        self.status = {side: graph.publisher(node, f"{side}_hand/status") for side in SIDES}
        graph.subscription(node, "whole_body/command", self.asked.append)
        self.client = graph.action_client(node, "do_task")

    def slot(self, k):
        super().slot(k)
        stamp = convert.to_time(k * EVERY / CONTROL_RATE)
        safety, odom = SafetyState(state=SafetyState.ACTIVE), Odometry()
        odom.pose.pose = convert.pose_message(np.eye(4))
        joints = JointState(name=list(JOINTS), position=[0.0] * len(JOINTS))
        for message, publisher in ((safety, self.safety), (odom, self.odom), (joints, self.joints)):
            message.header.stamp = stamp
            publisher.publish(message)
        for publisher in self.status.values():
            publisher.publish(convert.grasp_status_message(GraspStatus(), stamp))


def test_do_task_acts_by_imagination_and_listens_only_meanwhile(start_ros, model, spinning):
    start_ros(f"model:={model}", "veto:=1.0", "plan_deadline:=1.0")
    import rclpy

    task, other = TaskNode(), rclpy.create_node("robot")
    robot, slots = Whole(other), iter(range(500, 10**6))
    spin = spinning(task, other)
    spin.until_said(lambda: task._watch.safety == Safety.ACTIVE, lambda: robot.slot(next(slots)))
    spin.until(robot.client.server_is_ready)
    goal = DoTask.Goal(prompt="pick up the red bottle", planner="world_model", timeout=2.0)
    sent = robot.client.send_goal_async(goal)
    spin.until(sent.done)
    ended = sent.result().get_result_async()
    listened = []
    for k in slots:
        robot.show(k * EVERY / CONTROL_RATE)
        robot.slot(k)
        listened.append(other.count_subscribers("body/state"))
        spin.executor.spin_until_future_complete(ended, timeout_sec=0.02)
        if ended.done():
            break
        assert len(listened) < 3000, "the task did not end by its timeout of plant time"
    result = ended.result().result
    assert result.reason == "timeout"
    assert len(robot.asked) >= 5
    assert max(listened) == 1
    spin.until(lambda: other.count_subscribers("body/state") == 0)
    task.destroy_node()
    other.destroy_node()
