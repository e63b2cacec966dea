"""Node ``camera``: the stereo head camera's images, from the simulated or the real camera.

``sim``: renders the plant's state when a frame is due by plant time, and tells the plant when it is done
(``sim/camera_done``), so that lock-step can wait. ``v4l2``: reads the device at ``rate``.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from neo_msgs.msg import Heartbeat, PrivilegedState
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage

from neo_description.errors import NeoError
from neo_description.signals import StereoFrame
from neo_description.tables import CONTROL_RATE
from neo_ros import convert, graph
from neo_ros.cv_bridge import CvBridge
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode
from neo_ros.raw_stamp import decoded, raw_tick
from neo_sensors import camera

SIDES = ("left", "right")
QUEUE = 20  # plant states: 0.4 s of plant time
FRAMES = {side: f"head_{side}_camera_optical_frame" for side in SIDES}


class CameraNode(ManagedNode):
    """Publishes images, compressed images and calibration; encodes only what somebody listens to."""

    def __init__(self) -> None:
        super().__init__("camera", camera.PARAMETERS)

    def configure(self) -> None:
        p = self._params
        self._diagnostics = Diagnostics(self)
        self._bridge = CvBridge()
        self._camera = camera.make(p)
        self._raw = {s: graph.publisher(self, f"head_camera/{s}/image_raw") for s in SIDES}
        self._compressed = {s: graph.publisher(self, f"head_camera/{s}/image_raw/compressed") for s in SIDES}
        self._info = {s: graph.publisher(self, f"head_camera/{s}/camera_info") for s in SIDES}
        self._info_messages = {
            "left": convert.camera_info_message(self._camera.left_camera, FRAMES["left"], 0.0),
            "right": convert.camera_info_message(self._camera.right_camera, FRAMES["right"], 0.0),
        }
        if p.backend == "v4l2":
            self._timer = self.create_timer(1.0 / p.rate, self._on_timer)
            return
        self._depth = graph.publisher(self, "head_camera/depth/image_raw")
        self._outside = graph.publisher(self, "outside_camera/image_raw/compressed")
        self._done = graph.publisher(self, "sim/camera_done")
        self._count = 0
        self._period = max(1, round(CONTROL_RATE / p.rate))
        self._outside_period = round(CONTROL_RATE / p.outside_rate) if p.outside_rate > 0.0 else 0
        self._due = self._outside_due = 0
        self._last_tick = -1
        # Deeper than the graph's one: the state of each due tick must still be there after a slow frame.
        quality = QoSProfile(depth=QUEUE, reliability=ReliabilityPolicy.BEST_EFFORT)
        guarded = self._diagnostics.guarded("sim/privileged_state", self._on_plant)
        self.create_subscription(PrivilegedState, "sim/privileged_state", guarded, quality, raw=True)

    def cleanup(self) -> None:
        """Release the camera."""
        self._camera.close()

    def _on_plant(self, raw: bytes) -> None:
        tick = raw_tick(raw)
        if tick < self._last_tick:  # the plant was started anew
            self._due = self._outside_due = 0
        self._last_tick = tick
        frame_due, outside_due = tick >= self._due, self._outside_is_due(tick)
        if not (frame_due or outside_due):
            return
        message = decoded(raw, PrivilegedState)
        self._camera.set_state(np.frombuffer(message.qpos, float))
        if frame_due:
            self._due = (tick // self._period + 1) * self._period
            depth = self._depth.get_subscription_count() > 0
            frame = self._camera.read(convert.stamp(message), tick, depth)
            self.publish(frame, message.header.stamp)
            if depth and frame.depth is not None:
                image = self._bridge.cv2_to_imgmsg(frame.depth, "32FC1")
                self._depth.publish(_headed(image, message.header.stamp, FRAMES["left"]))
        if outside_due:
            self._outside_due = (tick // self._outside_period + 1) * self._outside_period
            picture = self._jpeg(self._camera.outside(), message.header.stamp, "outside_camera")
            self._outside.publish(picture)
        if frame_due:
            self._count += 1
            done = Heartbeat(node=self.get_fully_qualified_name(), count=self._count, tick=tick)
            done.header.stamp = message.header.stamp
            self._done.publish(done)

    def _outside_is_due(self, tick: int) -> bool:
        wanted = self._outside_period > 0 and self._camera.has_outside
        return wanted and tick >= self._outside_due and self._outside.get_subscription_count() > 0

    def _on_timer(self) -> None:
        stamp = self.get_clock().now().to_msg()
        frame = self._camera.read(convert.seconds(stamp), 0)
        if frame is None:
            raise NeoError(f"{self._params.device} gives no more images (unplugged, or the file's end)")
        self.publish(frame, stamp)

    def publish(self, frame: StereoFrame, stamp: Time) -> None:
        """One pair, as far as somebody listens."""
        for side, image in (("left", frame.left), ("right", frame.right)):
            if self._raw[side].get_subscription_count() > 0:
                message = self._bridge.cv2_to_imgmsg(image, "rgb8")
                self._raw[side].publish(_headed(message, stamp, FRAMES[side]))
            if self._compressed[side].get_subscription_count() > 0:
                self._compressed[side].publish(self._jpeg(image, stamp, FRAMES[side]))
            info = self._info_messages[side]
            info.header.stamp = stamp
            self._info[side].publish(info)
        self._diagnostics.count("frames")

    def _jpeg(self, image: np.ndarray, stamp: Time, frame_id: str) -> CompressedImage:
        quality = [cv2.IMWRITE_JPEG_QUALITY, self._params.jpeg_quality]
        _, data = cv2.imencode(".jpg", image[..., ::-1], quality)
        message = CompressedImage(format="rgb8; jpeg compressed bgr8")
        message.data.frombytes(data.tobytes())
        return _headed(message, stamp, frame_id)


def _headed(message: Any, stamp: Time, frame_id: str) -> Any:
    message.header.stamp, message.header.frame_id = stamp, frame_id
    return message


def main() -> None:
    """Entry point of ``camera_node``."""
    run(CameraNode, pictures=True)


if __name__ == "__main__":
    main()
