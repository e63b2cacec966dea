"""The teleop node over real DDS, before a robot whose plant time the test gives."""

import numpy as np
import pytest
from nav_msgs.msg import Odometry
from neo_msgs.msg import SafetyState
from rclpy.node import Node
from sensor_msgs.msg import JointState

from neo_description.signals import GraspStatus
from neo_description.tables import JOINTS
from neo_ros import convert, graph
from neo_ros.diagnostics import Diagnostics
from neo_teleop import consent
from neo_teleop.frames import HandFrame, OperatorFrame
from neo_teleop.node import TeleopNode

DT = 0.02


class Robot(Node):
    """Publishes what the node hears, one step at a time; keeps what it is told."""

    def __init__(self):
        super().__init__("body_control")
        self.time, self.odom = 1.0, True
        self.body, self.hands, self.said = [], [], {"teleop/engaged": [], "teleop/consent": []}
        topics = ("joint_states", "odom", "safety/state", "l_hand/status", "r_hand/status")
        self.publishers_by_topic = {topic: graph.publisher(self, topic) for topic in topics}
        self.diagnostics = Diagnostics(self)
        graph.subscription(self, "whole_body/command", self.body.append)
        graph.subscription(self, "r_hand/command", self.hands.append)
        for topic, said in self.said.items():
            graph.subscription(self, topic, lambda m, said=said: said.append(m.data))

    def step(self):
        self.time += DT
        stamp = convert.to_time(self.time)
        send = {topic: publisher.publish for topic, publisher in self.publishers_by_topic.items()}
        safety = SafetyState(state=SafetyState.ACTIVE)
        joints = JointState(name=list(JOINTS), position=[0.0] * len(JOINTS))
        odom = Odometry()
        odom.pose.pose = convert.pose_message(np.eye(4))
        for message in (safety, joints, odom):
            message.header.stamp = stamp
        send["safety/state"](safety)
        if self.odom:
            send["odom"](odom)
        for side in "lr":
            send[f"{side}_hand/status"](convert.grasp_status_message(GraspStatus(), stamp))
        send["joint_states"](joints)


class Rig:
    def __init__(self, spinning, **overrides):
        self.node, self.robot = TeleopNode(), Robot()
        self.spin = spinning(self.node, self.robot)
        self.desk, self.frame_time = self.node.desk, 0.0
        topics = self.robot.publishers_by_topic.values()
        self.spin.until(lambda: all(p.get_subscription_count() for p in topics))
        self.spin.until(lambda: self.robot.said["teleop/engaged"] == [False])
        self.spin.until(lambda: self.node._body.get_subscription_count() > 0)
        self.steps(1)
        self.spin.until(lambda: self.node._missing == "")

    def steps(self, count):
        """So many steps of the robot, each heard before the next."""
        for _ in range(count):
            self.robot.step()
            self.spin.until(lambda: self.desk.now is not None and self.desk.now >= self.robot.time - 1e-6)

    def say(self, clutch, place=0.0, **more):
        T = np.eye(4)
        T[0, 3] = place
        self.frame_time += DT
        self.desk.put("me", OperatorFrame(self.frame_time, {"r": HandFrame(T, clutch)}, **more))
        self.steps(1)

    def hold(self):
        self.say(clutch=False)
        self.say(clutch=True)
        self.spin.until(lambda: self.robot.said["teleop/engaged"][-1])

    def close(self):
        self.node.destroy_node()
        self.robot.destroy_node()


@pytest.fixture
def rig(ros, spinning):
    rig = Rig(spinning)
    yield rig
    rig.close()


def test_a_lost_link_lets_go_within_200_ms_of_plant_time_and_only_another_press_takes_hold(rig):
    rig.desk.begin("me")
    rig.hold()
    heard = rig.desk.now
    while rig.node.teleop.engaged:
        rig.steps(1)
    assert rig.desk.now - heard <= 0.2 + 1e-6
    rig.spin.until(lambda: rig.robot.said["teleop/engaged"][-1] is False)
    assert rig.robot.body[-1].valid_for.nanosec <= 100_000_000
    count = len(rig.robot.body)
    for place in (0.0, 0.01, 0.02):
        rig.say(clutch=True, place=place)  # it comes back with the button still down
        assert not rig.node.teleop.engaged
    rig.say(clutch=False, place=0.03)
    rig.say(clutch=True, place=0.03)
    rig.spin.until(lambda: rig.robot.said["teleop/engaged"][-1])
    rig.spin.until(lambda: len(rig.robot.body) > count)
    gripper = rig.node._heard.estimate().T_odom_r_gripper  # where a fresh press begins
    for command in rig.robot.body[count:]:
        np.testing.assert_allclose(convert.pose(command.r_hand), gripper, atol=1e-9)


def test_without_a_session_and_after_it_nothing_is_commanded(rig):
    with pytest.raises(Exception, match="no session"):
        rig.say(clutch=True)
    rig.desk.begin("me")
    rig.hold()
    rig.desk.end("me", "the page is gone")
    rig.steps(1)
    assert not rig.node.teleop.engaged
    assert rig.node.teleop.clutches["r"].reason == "the page is gone"
    rig.spin.until(lambda: rig.robot.said["teleop/engaged"][-1] is False)
    assert True not in rig.robot.said["teleop/consent"]


def test_a_robot_that_is_not_known_any_more_is_let_go(rig):
    rig.desk.begin("me")
    rig.hold()
    rig.robot.odom = False
    for _ in range(20):
        rig.say(clutch=True)
    assert rig.node.teleop.clutches["r"].reason.startswith("odom is 0.3")
    rig.spin.until(lambda: rig.robot.said["teleop/engaged"][-1] is False)


def test_walking_is_asked_for_by_itself_and_the_bodys_refusal_is_shown(rig):
    rig.desk.begin("me")
    rig.hold()
    rig.say(clutch=True, walk=np.array([0.2, 0.0, 0.0]))
    rig.spin.until(lambda: any(m.use == m.USE_BASE_VELOCITY for m in rig.robot.body))
    rig.robot.diagnostics.refused(
        "whole_body/command", "base_velocity is not zero; the robot does not walk yet"
    )
    shown = lambda: rig.desk.status.get("refused", [])  # noqa: E731
    rig.spin.until(lambda: any("does not walk yet" in row for row in shown()))


def test_a_recorded_session_says_so_and_moves_nothing_until_a_recorder_records(rig):
    asked = []
    rig.node._recording._start = lambda: asked.append("recorder")
    rig.desk.begin("me", consent.ID)
    rig.steps(1)
    rig.spin.until(lambda: rig.robot.said["teleop/consent"][-1:] == [True])
    assert asked == ["recorder"]
    with pytest.raises(Exception, match="recording has not begun"):
        rig.say(clutch=True)
    rig.node._recording._deadline = 0.0
    rig.spin.until(lambda: rig.desk.session is None)
    assert "no recorder" in rig.desk.ended
    rig.spin.until(lambda: rig.robot.said["teleop/consent"][-1:] == [False])
