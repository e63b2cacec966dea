"""Node ``perception``: stereo pairs in, ``perception/objects`` (and depth, points, markers) out.

A pair waits until the joint encoders reach its stamp; a newer pair replaces one that still waits.
"""

from __future__ import annotations

import time
from array import array
from collections import deque
from functools import partial
from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from neo_description import objects
from neo_description.errors import NeoError
from neo_description.signals import CameraModel, Scene, StereoFrame
from neo_description.tables import CONTROL_RATE, JOINTS
from neo_perception import stereo
from neo_perception.head_pose import CAMERA_FRAME, HeadPose
from neo_perception.perception import PARAMETERS, Perception
from neo_ros import convert, graph
from neo_ros.cv_bridge import CvBridge
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode

SIDES = ("left", "right")
KEPT = 4  # unpaired images of a side, poses of odom
POINT_STEP = 2  # every second pixel of a row and column becomes a point


class PerceptionNode(ManagedNode):
    """Feeds :class:`Perception` with pairs, encoders and odometry of the same instant."""

    def __init__(self) -> None:
        super().__init__("perception", PARAMETERS)

    def configure(self) -> None:
        self._diagnostics = Diagnostics(self)
        self._core = Perception(self._params)
        self._head = HeadPose()
        self._bridge = CvBridge()
        self._colors = objects.colors(self._params.objects_file or None)
        self._images: dict[str, dict[float, Image]] = {side: {} for side in SIDES}
        self._cameras: dict[str, CameraModel] = {}
        self._pending: tuple[float, Image, Image] | None = None
        self._odom: deque[tuple[float, np.ndarray]] = deque(maxlen=64)
        self._due = {"look": -np.inf, "depth": -np.inf, "points": -np.inf}
        self._cpu = deque[float](maxlen=50)
        self._objects = graph.publisher(self, "perception/objects")
        self._depth = graph.publisher(self, "perception/depth")
        self._points = graph.publisher(self, "perception/points")
        self._markers = graph.publisher(self, "perception/markers")
        guarded = self._diagnostics.guarded
        for side in SIDES:
            image, info = f"head_camera/{side}/image_raw", f"head_camera/{side}/camera_info"
            graph.subscription(self, image, guarded(image, partial(self._on_image, side)))
            graph.subscription(self, info, guarded(info, partial(self._on_info, side)))
        graph.subscription(self, "joint_states", guarded("joint_states", self._on_joints))
        graph.subscription(self, "odom", guarded("odom", self._on_odom))

    def _on_info(self, side: str, message: CameraInfo) -> None:
        if side in self._cameras and np.array_equal(self._cameras[side].P.ravel(), message.p):
            return
        if message.k[0] <= 0.0 or message.p[0] <= 0.0:
            raise NeoError(f"focal length {message.k[0]}; the camera is not calibrated")
        self._cameras[side] = convert.camera_model(message)

    def _on_image(self, side: str, message: Image) -> None:
        now = convert.stamp(message)
        waiting = self._images[side]
        waiting[now] = message
        while len(waiting) > KEPT:
            del waiting[next(iter(waiting))]
        if now not in self._images[SIDES[1 - SIDES.index(side)]]:
            return
        left, right = (self._images[s].pop(now) for s in SIDES)
        for other in self._images.values():
            for old in [t for t in other if t < now]:
                del other[old]
        if self._pending is not None:
            self._diagnostics.count("pairs dropped")
        self._pending = (now, left, right)
        self._look_when_ready()

    def _on_joints(self, message: Any) -> None:
        if list(message.name) != list(JOINTS):
            raise NeoError(
                f"{len(message.name)} joints; the {len(JOINTS)} of robot.yaml are needed, in order"
            )
        self._head.add(convert.stamp(message), np.frombuffer(message.position, float))
        self._look_when_ready()

    def _on_odom(self, message: Any) -> None:
        now = convert.stamp(message)
        if self._odom and now < self._odom[-1][0]:
            self._odom.clear()
        self._odom.append((now, convert.pose(message.pose.pose, "odom")))

    def _look_when_ready(self) -> None:
        if self._pending is None or not self._head.ready(self._pending[0]):
            return
        now, left, right = self._pending
        self._pending = None
        if len(self._cameras) < 2:
            self._diagnostics.warn("no camera_info yet")
            return
        if now < self._due["look"] - 1.0:  # the plant was started anew
            self._due = dict.fromkeys(self._due, -np.inf)
        if not self._is_due("look", now, self._params.rate):
            return
        frame = StereoFrame(
            now,
            round(now * CONTROL_RATE),
            self._bridge.imgmsg_to_cv2(left, "rgb8"),
            self._bridge.imgmsg_to_cv2(right, "rgb8"),
            self._cameras["left"],
            self._cameras["right"],
        )
        start = time.process_time()
        seen = self._core.update(frame, self._head.at(now), self._base_at(now), self._head.joints(now))
        self._cpu.append(1e3 * (time.process_time() - start))
        self._objects.publish(convert.scene_message(seen))
        self._extras(frame, seen, left.header.stamp)
        self._diagnostics.count("pairs seen")
        self._diagnostics.set("objects", len(seen.objects))
        self._diagnostics.set("cpu ms (median)", float(np.median(self._cpu)))

    def _base_at(self, now: float) -> np.ndarray | None:
        """``T_odom_base`` of the odometry nearest to ``now``; None while the body says nothing."""
        if not self._odom:
            return None
        return min(self._odom, key=lambda item: abs(item[0] - now))[1]

    def _is_due(self, what: str, now: float, rate: float) -> bool:
        if rate <= 0.0 or now < self._due[what] - 1e-6:
            return False
        self._due[what] = now + 1.0 / rate - 0.2 / self._params.rate
        return True

    def _extras(self, frame: StereoFrame, seen: Scene, stamp: Any) -> None:
        if self._markers.get_subscription_count() > 0:
            self._markers.publish(markers(seen, stamp, self._colors))
        depth = self._depth.get_subscription_count() > 0
        depth = depth and self._is_due("depth", frame.time, self._params.depth_rate)
        points = self._points.get_subscription_count() > 0
        points = points and self._is_due("points", frame.time, self._params.points_rate)
        if not (depth or points):
            return
        image = self._core.depth(frame)
        if depth:
            message = self._bridge.cv2_to_imgmsg(image, "32FC1")
            message.header.stamp, message.header.frame_id = stamp, CAMERA_FRAME
            self._depth.publish(message)
        if points:
            self._points.publish(cloud(image, frame, stamp))


def cloud(depth: np.ndarray, frame: StereoFrame, stamp: Any) -> PointCloud2:
    """The coloured points of a depth image (H, W) m, in the left camera's optical frame."""
    z = depth[::POINT_STEP, ::POINT_STEP]
    v, u = np.nonzero(z > 0.0)
    z = z[v, u]
    v, u = v * POINT_STEP, u * POINT_STEP
    rows = np.zeros(len(z), dtype=[("xyz", "<f4", 3), ("rgb", "<u4")])
    K = frame.K
    rows["xyz"] = np.column_stack([(u - K[0, 2]) / K[0, 0] * z, (v - K[1, 2]) / K[1, 1] * z, z])
    rgb = stereo.Rectifier()(frame)[0][v, u].astype(np.uint32)
    rows["rgb"] = (rgb[:, 0] << 16) | (rgb[:, 1] << 8) | rgb[:, 2]
    message = PointCloud2(height=1, width=len(rows), point_step=16, row_step=16 * len(rows), is_dense=True)
    message.header.stamp, message.header.frame_id = stamp, CAMERA_FRAME
    message.fields = [
        PointField(name=name, offset=4 * k, datatype=PointField.FLOAT32, count=1)
        for k, name in enumerate(("x", "y", "z", "rgb"))
    ]
    message.data = array("B", rows.tobytes())
    return message


def markers(seen: Scene, stamp: Any, colors: dict[str, tuple[float, float, float]]) -> MarkerArray:
    """A body and a name for each object, for rviz and the console; paler while it is only remembered."""
    found = [Marker(action=Marker.DELETEALL)]
    shapes = {"box": Marker.CUBE, "ball": Marker.SPHERE, "fruit": Marker.SPHERE}
    for thing in seen.objects:
        body = Marker(ns="objects", id=thing.id, type=shapes.get(thing.class_name, Marker.CYLINDER))
        name = Marker(ns="names", id=thing.id, type=Marker.TEXT_VIEW_FACING)
        body.scale = convert.vector_message(thing.size)
        name.scale.z = 0.03
        red, green, blue = colors.get(thing.color, (0.5, 0.5, 0.5))
        body.color = ColorRGBA(r=red, g=green, b=blue, a=0.8 if thing.visible_fraction > 0.0 else 0.3)
        name.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
        name.text = f"{thing.color} {thing.class_name} {thing.id}"
        body.pose = convert.pose_message(thing.T_base_object)
        name.pose = convert.pose_message(thing.T_base_object)
        name.pose.position.z += 0.5 * float(thing.size[2]) + 0.03
        found += [body, name]
    for marker in found:
        marker.header.stamp, marker.header.frame_id = stamp, "base_link"
    return MarkerArray(markers=found)


def main() -> None:
    """Entry point of ``perception_node``."""
    run(PerceptionNode, pictures=True)


if __name__ == "__main__":
    main()
