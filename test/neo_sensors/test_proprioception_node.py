"""Proprioception and tactile nodes over real DDS, fed with states as the plant publishes them."""

import numpy as np
import pytest
from rclpy.node import Node
from visualization_msgs.msg import Marker

from neo_description.signals import BodyState, HandState
from neo_description.tables import JOINTS, TAXELS
from neo_ros import convert, graph
from neo_sensors.proprioception import FrameTree
from neo_sensors.proprioception_node import ProprioceptionNode
from neo_sensors.tactile_node import TactileNode

HEARD = ("joint_states", "imu/data", "head_imu/data", "l_wrist/wrench", "/tf", "/tf_static")
HEARD += ("robot_description", "l_hand/pads", "/diagnostics")


class Drives(Node):
    """Publishes states; keeps what the drivers make of them."""

    def __init__(self):
        super().__init__("drives")
        self.heard = {topic: [] for topic in HEARD}
        for topic in HEARD:
            graph.subscription(self, topic, self.heard[topic].append)
        groups = ("body", "l_hand", "r_hand")
        self.states = {group: graph.publisher(self, f"{group}/state") for group in groups}

    def say(self, tick, q, order=("body", "l_hand", "r_hand"), pad_force=0.0):
        body = BodyState(tick=tick, time=tick / 500, joint_position=q[:31])
        body.pelvis_angular_velocity = np.array([0.1, 0.2, 0.3])
        body.head_linear_acceleration = np.array([0.0, 0.0, 9.8])
        body.l_wrist_wrench = np.arange(6.0)
        messages = {"body": convert.body_state_message(body)}
        for side, part in (("l", q[31:53]), ("r", q[53:])):
            hand = HandState(tick=tick, time=tick / 500, joint_position=part)
            hand.taxel_force[5, 0] = pad_force
            hand.taxel_valid[0] = False
            messages[f"{side}_hand"] = convert.hand_state_message(hand, side)
        for group in order:
            self.states[group].publish(messages[group])


@pytest.fixture
def drives(start_ros, spinning):
    start_ros()
    nodes = [ProprioceptionNode(), TactileNode(), Drives()]
    spin = spinning(*nodes)
    drives = nodes[-1]
    spin.until(lambda: drives.states["body"].get_subscription_count() == 1)
    spin.until(lambda: all(drives.states[f"{s}_hand"].get_subscription_count() == 2 for s in "lr"))
    spin.until(lambda: all(drives.count_publishers(topic) for topic in HEARD))
    spin.until(lambda: nodes[0]._joints.get_subscription_count() == 1)
    yield drives, spin
    for node in nodes:
        node.destroy_node()


def test_joints_frames_wrenches_and_imus_of_one_instant(drives):
    drives, spin = drives
    q = np.linspace(-0.3, 0.3, len(JOINTS))
    tick = 500
    spin.until(lambda: _say_until(drives, tick, q, "joint_states"))
    joints = drives.heard["joint_states"][0]
    assert tuple(joints.name) == JOINTS
    np.testing.assert_allclose(joints.position, q)
    assert convert.stamp(joints) == 1.0
    spin.until(lambda: drives.heard["/tf"] and drives.heard["/tf_static"])
    tree = FrameTree()
    places, _ = tree.moving_poses(q)
    rows = drives.heard["/tf"][0].transforms
    assert [(row.header.frame_id, row.child_frame_id) for row in rows] == [
        (frame.parent, frame.name) for frame in tree.moving
    ]
    np.testing.assert_allclose([convert.xyz(row.transform.translation) for row in rows], places, atol=1e-12)
    assert {row.header.stamp.sec for row in rows} == {1}
    fixed = {row.child_frame_id for row in drives.heard["/tf_static"][0].transforms}
    assert {"gaze", "l_gripper", "head_left_camera_optical_frame"} <= fixed
    spin.until(lambda: _say_until(drives, 1000, q, "imu/data") and drives.heard["l_wrist/wrench"])
    imu = drives.heard["imu/data"][0]
    assert convert.xyz(imu.angular_velocity).tolist() == [0.1, 0.2, 0.3]
    assert imu.orientation_covariance[0] == -1.0
    wrench = drives.heard["l_wrist/wrench"][0]
    assert convert.xyz(wrench.wrench.torque).tolist() == [3.0, 4.0, 5.0]
    assert wrench.header.frame_id == "l_wrist"


def _say_until(drives, tick, q, topic, **said):
    """Says it again, as the plant does, until somebody heard it."""
    if not drives.heard[topic]:
        drives.say(tick, q, **said)
    return bool(drives.heard[topic])


def test_ticks_between_the_rates_publish_nothing_and_late_hands_are_waited_for(drives):
    drives, spin = drives
    q = np.zeros(len(JOINTS))
    spin.until(lambda: _say_until(drives, 10, q, "joint_states"))
    for tick in range(11, 20):
        drives.say(tick, q)
    moved = np.full(len(JOINTS), 0.1)
    spin.until(lambda: _say_last(drives, moved))
    times = [round(convert.stamp(message) * 500) for message in drives.heard["joint_states"]]
    assert set(times) == {10, 20}, "only multiples of ten ticks are due at 50 Hz"
    np.testing.assert_allclose(drives.heard["joint_states"][-1].position, moved)


def _say_last(drives, q):
    """Tick 20 with the hands first; what follows it on the topic proves that nothing came between."""
    if round(convert.stamp(drives.heard["joint_states"][-1]) * 500) == 20:
        return True
    drives.say(20, q, order=("r_hand", "l_hand", "body"))
    return False


def test_pads_show_the_force_they_feel_and_dead_ones_are_named(drives):
    drives, spin = drives
    q = np.zeros(len(JOINTS))
    spin.until(lambda: _say_until(drives, 50, q, "l_hand/pads", pad_force=3.0))
    markers = drives.heard["l_hand/pads"][0].markers
    assert len(markers) == len(TAXELS)
    shown = [marker for marker in markers if marker.action == Marker.ADD]
    assert [marker.header.frame_id for marker in shown] == [f"l_{TAXELS[5]}_pad"]
    assert shown[0].points[1].x == pytest.approx(-0.03)

    def named():
        rows = [status for array in drives.heard["/diagnostics"] for status in array.status]
        return any(status.name == "/tactile" and TAXELS[0] in status.message for status in rows)

    spin.until(named)
