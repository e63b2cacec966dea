"""The camera node over real DDS: what it renders, when, and how it tells the plant that it is done."""

from functools import partial
from itertools import count

import cv2
import numpy as np
import pytest
import rclpy
import yaml
from neo_msgs.msg import PrivilegedState

from neo_description.errors import NeoError
from neo_ros import convert, graph
from neo_ros.cv_bridge import CvBridge
from neo_sensors.camera import open_camera
from neo_sensors.camera_node import CameraNode

PERIOD = 10  # ticks between privileged states, as the plant publishes them


class FakePlant(rclpy.node.Node):
    """Publishes plant states and keeps what the camera makes of them."""

    TOPICS = (
        "head_camera/left/image_raw",
        "head_camera/right/image_raw",
        "head_camera/left/image_raw/compressed",
        "head_camera/right/camera_info",
        "head_camera/depth/image_raw",
        "outside_camera/image_raw/compressed",
        "sim/camera_done",
    )

    def __init__(self, topics=TOPICS):
        super().__init__("fake_plant")
        self.heard = {topic: [] for topic in topics}
        for topic in topics:
            graph.subscription(self, topic, self.heard[topic].append)
        self._state = graph.publisher(self, "sim/privileged_state")

    def connected(self):
        return self._state.get_subscription_count() > 0

    def say(self, tick, qpos):
        message = PrivilegedState(tick=tick)
        message.header.stamp = convert.to_time(tick / 500)
        message.qpos = convert.sequence(qpos)
        self._state.publish(message)


@pytest.fixture
def camera_and_plant(start_ros, spinning):
    made = []

    def make(*parameters, topics=FakePlant.TOPICS):
        start_ros(*parameters)
        camera, plant = CameraNode(), FakePlant(topics)
        made.extend([camera, plant])
        spin = spinning(camera, plant)
        spin.until(plant.connected)
        spin.until(lambda: all(plant.count_publishers(topic) for topic in topics))
        spin.until(lambda: camera._raw["left"].get_subscription_count() == 1)
        return camera, plant, spin

    yield make
    for node in made:
        if isinstance(node, CameraNode):
            node.close()
        node.destroy_node()


def test_frames_come_at_their_rate_of_plant_time_with_its_stamp_and_then_the_plant_is_told(
    camera_and_plant, kitchen
):
    _, plant, spin = camera_and_plant()
    spin.until(lambda: plant.count_publishers("head_camera/depth/image_raw") == 1)
    for tick in range(0, 201, PERIOD):
        if tick % 50:
            plant.say(tick, kitchen.qpos)
        else:
            done, say = plant.heard["sim/camera_done"], partial(plant.say, tick, kitchen.qpos)
            spin.until_said(lambda n=tick // 50 + 1, done=done: len(done) == n, say)
    assert [done.tick for done in plant.heard["sim/camera_done"]] == [0, 50, 100, 150, 200]
    spin.until(lambda: plant.heard["head_camera/left/image_raw"])
    stamps = [convert.stamp(image) for image in plant.heard["head_camera/left/image_raw"]]
    assert stamps == sorted(set(stamps))
    assert set(np.round(np.array(stamps) * 10, 9)) <= {0, 1, 2, 3, 4}
    outside = [convert.stamp(image) for image in plant.heard["outside_camera/image_raw/compressed"]]
    assert set(np.round(np.array(outside) * 5, 9)) <= {0, 1, 2}


def test_no_due_frame_is_lost_when_states_come_faster_than_images(camera_and_plant, kitchen):
    _, plant, spin = camera_and_plant(topics=("sim/camera_done", "head_camera/left/image_raw"))
    for tick in range(0, 151, PERIOD):  # all at once, as a plant that runs ahead of a slow camera does
        plant.say(tick, kitchen.qpos)
    spin.until(lambda: len(plant.heard["sim/camera_done"]) == 4)
    assert [done.tick for done in plant.heard["sim/camera_done"]] == [0, 50, 100, 150]


def test_images_show_what_the_scene_holds_and_agree_with_the_camera_alone(camera_and_plant, kitchen):
    _, plant, spin = camera_and_plant("image_noise:=0.0")
    ticks = count(0, 100)  # images are best effort: another one when one was lost
    spin.until_said(lambda: all(plant.heard.values()), lambda: plant.say(next(ticks), kitchen.qpos))
    bridge = CvBridge()
    alone = open_camera("sim", kitchen.model, image_noise=0.0)
    alone.set_state(kitchen.qpos)
    frame = alone.read(0.0, 0, depth=True)
    alone.close()
    left = bridge.imgmsg_to_cv2(plant.heard["head_camera/left/image_raw"][0], "rgb8")
    np.testing.assert_array_equal(left, frame.left)
    depth = bridge.imgmsg_to_cv2(plant.heard["head_camera/depth/image_raw"][0])
    np.testing.assert_array_equal(depth, frame.depth)
    jpeg = plant.heard["head_camera/left/image_raw/compressed"][0]
    decoded = bridge.compressed_imgmsg_to_cv2(jpeg, "rgb8")
    assert np.abs(decoded.astype(int) - left).mean() < 4.0
    info = plant.heard["head_camera/right/camera_info"][0]
    assert info.p[3] == pytest.approx(-info.p[0] * frame.baseline)
    assert info.header.frame_id == "head_right_camera_optical_frame"


def test_a_plant_that_starts_anew_gets_frames_again(camera_and_plant, kitchen):
    _, plant, spin = camera_and_plant(topics=("sim/camera_done", "head_camera/left/image_raw"))
    done = plant.heard["sim/camera_done"]
    spin.until_said(lambda: done, lambda: plant.say(5000, kitchen.qpos))
    spin.until_said(lambda: len(done) == 2, lambda: plant.say(10, kitchen.qpos))
    assert plant.heard["sim/camera_done"][1].tick == 10


def test_a_state_of_another_scene_is_refused_with_the_likely_reason(camera_and_plant):
    camera, plant, spin = camera_and_plant(topics=("sim/camera_done", "head_camera/left/image_raw"))
    spin.until_said(lambda: camera._diagnostics.refusals, lambda: plant.say(0, np.zeros(7)))
    assert list(camera._diagnostics.refusals) == ["sim/privileged_state"]
    assert not plant.heard["sim/camera_done"]


def test_an_unknown_backend_is_refused(start_ros):
    start_ros("backend:=webcam")
    with pytest.raises(NeoError, match=r"webcam.*sim, v4l2"):
        CameraNode()


def test_a_video_goes_through_the_same_node_and_its_end_is_an_error(start_ros, spinning, tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "pair.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 240))
    for shade in range(40):
        writer.write(np.full((240, 640, 3), 5 * shade, np.uint8))
    writer.release()
    K = [[300.0, 0.0, 159.5], [0.0, 300.0, 119.5], [0.0, 0.0, 1.0]]
    side = {"K": K, "D": [0.1, 0.0, 0.0, 0.0, 0.0]}
    rows = {"width": 320, "height": 240, "left": side, "right": side, "R": np.eye(3).tolist()}
    file = tmp_path / "calibration.yaml"
    file.write_text(yaml.safe_dump(rows | {"T": [-0.08, 0.0, 0.0]}))
    start_ros("backend:=v4l2", f"device:={tmp_path / 'pair.avi'}", f"calibration:={file}", "rate:=30.0")
    camera = CameraNode()
    plant = FakePlant(("head_camera/left/image_raw", "head_camera/right/camera_info"))
    spin = spinning(camera, plant)
    spin.until(lambda: plant.heard["head_camera/left/image_raw"])
    image = plant.heard["head_camera/left/image_raw"][0]
    assert (image.width, image.height, image.encoding) == (320, 240, "rgb8")
    info = plant.heard["head_camera/right/camera_info"][0]
    assert info.d[0] == pytest.approx(0.1)
    with pytest.raises(NeoError, match="gives no more images"):
        spin.until(lambda: False, timeout=30.0)
    camera.close()
    for node in (camera, plant):
        node.destroy_node()
