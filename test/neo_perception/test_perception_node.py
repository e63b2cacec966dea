"""The perception node over real DDS: pairs, encoders and odometry in, objects out."""

import numpy as np
import pytest
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import JointState

from neo_description.tables import BODY, JOINTS
from neo_perception.head_pose import CAMERA_FRAME
from neo_perception.node import PerceptionNode
from neo_ros import convert, graph
from neo_ros.cv_bridge import CvBridge
from neo_sensors.camera import open_camera

HEARD = ("perception/objects", "perception/depth", "perception/points", "perception/markers", "/diagnostics")
SIDES = ("left", "right")


class Robot(Node):
    """Camera, encoders and odometry; keeps what perception says."""

    def __init__(self, scene, topics=HEARD):
        super().__init__("robot")
        self.heard = {topic: [] for topic in topics}
        for topic in topics:
            graph.subscription(self, topic, self.heard[topic].append)
        self._image = {s: graph.publisher(self, f"head_camera/{s}/image_raw") for s in SIDES}
        self._info = {s: graph.publisher(self, f"head_camera/{s}/camera_info") for s in SIDES}
        self._joints = graph.publisher(self, "joint_states")
        self._odom = graph.publisher(self, "odom")
        self._camera = open_camera("sim", scene.model)
        self.qpos = scene.qpos.copy()
        self._body = scene.index.body_qpos
        self.qpos[self._body[BODY.index("neck_pitch")]] = 0.85
        self._camera.set_state(self.qpos)
        self._bridge = CvBridge()

    def connected(self):
        publishers = (*self._image.values(), *self._info.values(), self._joints, self._odom)
        return all(p.get_subscription_count() == 1 for p in publishers)

    def pair(self, time):
        """Images and calibration of one pair."""
        frame = self._camera.read(time, 0)
        for side, image, camera in (
            ("left", frame.left, frame.left_camera),
            ("right", frame.right, frame.right_camera),
        ):
            name = f"head_{side}_camera_optical_frame"
            self._info[side].publish(convert.camera_info_message(camera, name, time))
            message = self._bridge.cv2_to_imgmsg(image, "rgb8")
            message.header.stamp, message.header.frame_id = convert.to_time(time), name
            self._image[side].publish(message)

    def body(self, time, names=JOINTS):
        """Encoders and odometry."""
        joints = JointState(name=list(names))
        q = np.zeros(len(JOINTS))
        q[: len(BODY.joints)] = self.qpos[self._body]
        joints.position = convert.sequence(q)
        joints.header.stamp = convert.to_time(time)
        self._joints.publish(joints)
        odom = Odometry()
        odom.header.stamp = joints.header.stamp
        odom.pose.pose = convert.pose_message(np.eye(4))
        self._odom.publish(odom)

    def close(self):
        self._camera.close()
        self.destroy_node()


@pytest.fixture
def robot(start_ros, spinning, kitchen):
    start_ros()
    perception, robot = PerceptionNode(), Robot(kitchen)
    spin = spinning(perception, robot)
    spin.until(robot.connected)
    spin.until(lambda: all(robot.count_publishers(topic) for topic in HEARD))
    spin.until(lambda: perception._objects.get_subscription_count() == 1)
    yield perception, robot, spin
    robot.close()
    perception.destroy_node()


def test_pairs_become_objects_with_the_images_stamp_in_base_link(robot):
    _, robot, spin = robot
    for k in range(4):
        time = 1.0 + 0.1 * k
        robot.body(time - 0.01)
        robot.body(time + 0.01)
        heard = robot.heard["perception/objects"]
        spin.until_said(lambda n=k + 1, heard=heard: len(heard) >= n, lambda time=time: robot.pair(time))
    message = robot.heard["perception/objects"][-1]
    assert convert.stamp(message) == pytest.approx(1.3)
    assert message.header.frame_id == "base_link"
    seen = convert.scene(message)
    assert len(seen.objects) >= 3
    assert seen.table is not None
    spin.until(lambda: all(robot.heard[topic] for topic in HEARD))
    depth = robot.heard["perception/depth"][0]
    assert (depth.encoding, depth.header.frame_id) == ("32FC1", CAMERA_FRAME)
    cloud = robot.heard["perception/points"][0]
    points = np.frombuffer(cloud.data, dtype=[("xyz", "<f4", 3), ("rgb", "<u4")])
    assert len(points) == cloud.width > 2000
    assert 0.3 < np.median(points["xyz"][:, 2]) < 2.5
    names = [m.text for m in robot.heard["perception/markers"][-1].markers if m.ns == "names"]
    assert len(names) == len(seen.objects)


def test_a_pair_waits_for_encoders_and_a_newer_pair_replaces_it(robot):
    perception, robot, spin = robot
    robot.body(0.9)
    spin.until_said(lambda: perception._pending is not None, lambda: robot.pair(1.0))
    spin.until_said(lambda: perception._pending[0] > 1.05, lambda: robot.pair(1.1))
    robot.body(1.12)
    heard = robot.heard["perception/objects"]
    spin.until(lambda: heard)
    robot.body(1.31)
    spin.until_said(lambda: convert.stamp(heard[-1]) > 1.25, lambda: robot.pair(1.3))
    stamps = {round(convert.stamp(message), 3) for message in heard}
    assert stamps == {1.1, 1.3}, "the pair of 1.0 s must never be looked at"


def test_joint_states_of_another_robot_are_refused(robot):
    perception, robot, spin = robot
    robot.body(1.0, names=("a", "b"))
    spin.until(lambda: perception._diagnostics.refusals)
    assert perception._diagnostics.refusals == {"joint_states": 1}
