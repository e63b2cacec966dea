"""The whole of perception: a stereo pair and the head's pose in, the scene in ``base_link`` out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from neo_description import parameters
from neo_description.signals import DetectedObject, Scene, StereoFrame, Table
from neo_perception import stereo
from neo_perception.detect import Detection, Detector
from neo_perception.models import Models
from neo_perception.own_body import OwnBody
from neo_perception.table import TableFinder
from neo_perception.track import Track, Tracker
from neo_perception.view import Hint, View

PARAMETERS = Path(__file__).with_name("parameters.yaml")
SCALE = 2  # of the disparities that serve table and occlusion
DOUBT = 5  # every so many sights all classes are tried again
MARGIN = 12  # px: a thing closer to the border than this need not be seen


class Perception:
    """Finds and follows the table and the registry's classes of things. ``params``: ``parameters.yaml``."""

    def __init__(self, params: SimpleNamespace | None = None) -> None:
        self.params = parameters.load(PARAMETERS) if params is None else params
        self._rectifier = stereo.Rectifier()
        self._disparity = stereo.Disparity(SCALE, self.params.nearest)
        self._full = stereo.Disparity(1, self.params.nearest)
        self._detector = Detector(Models(self.params.objects_file), self.params)
        self._table = TableFinder(self.params.table_low, self.params.table_high)
        self._tracker = Tracker(self.params)
        self._own = OwnBody()
        self._fixed_frame = ""
        self.view: View | None = None
        self.detections: list[Detection] = []

    def update(
        self,
        frame: StereoFrame,
        T_base_camera: np.ndarray,
        T_odom_base: np.ndarray | None = None,
        joint_position: np.ndarray | None = None,
    ) -> Scene:
        """The scene at ``frame.time``. ``T_base_camera`` (4, 4): left optical frame, from joint encoders.

        ``T_odom_base`` (4, 4): the body's estimate; with it things keep their places while the base moves
        and "up" is known. Without it the pelvis is taken to be upright and at rest.
        ``joint_position`` (31,) or (75,) rad: encoders then; with them the robot knows its own arms.
        """
        if (T_odom_base is None) != (self._fixed_frame == "base_link"):
            self._fixed_frame = "base_link" if T_odom_base is None else "odom"
            self._tracker.tracks.clear()  # their places were in another frame
        T_fixed_base = np.eye(4) if T_odom_base is None else T_odom_base
        T_level_base = _level(T_fixed_base)
        T_fixed_level = T_fixed_base @ np.linalg.inv(T_level_base)
        left, right = self._rectifier(frame)
        disparity = self._disparity(left, right, frame.K, frame.baseline)
        view = View(left, right, frame.K, frame.baseline, T_level_base @ T_base_camera, disparity, SCALE)
        if joint_position is not None:
            self._own.pose(joint_position)
            T_base_right = T_base_camera.copy()
            T_base_right[:3, 3] += frame.baseline * T_base_camera[:3, 0]
            shape = (frame.left_camera.height, frame.left_camera.width)
            view.own = (
                self._own.depth(frame.K, T_base_camera, shape),
                self._own.depth(frame.K, T_base_right, shape),
            )
        self.view = view
        self._find_table(view)
        self._tracker.predict(frame.time)
        hints = [_hint(track, T_fixed_level) for track in self._tracker.tracks]
        self.detections = self._detector.detect(view, self._table.z, hints)
        for track in self._tracker.update(self.detections, T_fixed_level):
            self._tracker.missed(track, self._should_be_seen(_hint(track, T_fixed_level), view))
        T_base_fixed = np.linalg.inv(T_fixed_base)
        objects = [_object(t, T_base_fixed) for t in self._tracker.tracks if t.confirmed]
        return Scene(frame.time, objects, self._table_in(np.linalg.inv(T_level_base)))

    def depth(self, frame: StereoFrame) -> np.ndarray:
        """(H, W) float32 m of the rectified left image, from stereo; 0 where unknown."""
        left, right = self._rectifier(frame)
        return stereo.depth(self._full(left, right, frame.K, frame.baseline), frame.K, frame.baseline)

    def _find_table(self, view: View) -> None:
        points, *_ = stereo.points(view.disparity, view.K, view.baseline, SCALE, step=2)
        points = points[points[:, 2] < self.params.farthest]
        self._table.update(points @ view.T_level_camera[:3, :3].T + view.T_level_camera[:3, 3])

    def _table_in(self, T_base_level: np.ndarray) -> Table | None:
        if self._table.z is None:
            return None
        T = np.eye(4)
        T[:3, 3] = (*self._table.center, self._table.z)
        return Table(T_base_level @ T, np.r_[self._table.size, 0.0])

    def _should_be_seen(self, hint: Hint, view: View) -> bool:
        """Whether the thing's middle lies well inside the image with nothing nearer in front of it."""
        pixel, z = view.project(hint.center)
        h, w = view.left.shape[:2]
        if z < self.params.nearest or z > self.params.farthest:
            return False
        if not (MARGIN < pixel[0] < w - MARGIN and MARGIN < pixel[1] < h - MARGIN):
            return False
        expected = view.K[0, 0] * view.baseline / z
        around = pixel + 4.0 * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
        there = view.disparity_at(around)
        return bool(np.median(there) < expected + 2.0)


def _level(T_fixed_base: np.ndarray) -> np.ndarray:
    """``T_level_base``: base_link's origin, z up, x as nearly as can be forward."""
    up = T_fixed_base[2, :3]  # the fixed frame's z axis in base_link
    x = np.array([1.0, 0.0, 0.0]) - up[0] * up
    x /= np.linalg.norm(x)
    T = np.eye(4)
    T[:3, :3] = np.array([x, np.cross(up, x), up])
    return T


def _hint(track: Track, T_fixed_level: np.ndarray) -> Hint:
    T = np.linalg.inv(T_fixed_level)
    turn = float(np.arctan2(T[1, 0], T[0, 0]))
    center = T[:3, :3] @ track.center + T[:3, 3]
    sure = track.confirmed and track.hits % DOUBT != 0
    return Hint(track.id, track.color, track.model, center, track.size, track.yaw + turn, sure)


def _object(track: Track, T_base_fixed: np.ndarray) -> DetectedObject:
    c, s = np.cos(track.yaw), np.sin(track.yaw)
    T = np.eye(4)
    T[:2, :2] = [[c, -s], [s, c]]
    T[:3, 3] = track.center
    R = T_base_fixed[:3, :3]
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = R @ track.covariance @ R.T
    covariance[3, 3] = covariance[4, 4] = 0.05**2
    covariance[5, 5] = track.yaw_variance if track.model.shape == "box" else np.pi**2
    return DetectedObject(
        id=track.id,
        class_name=track.model.class_name,
        color=track.color,
        T_base_object=T_base_fixed @ T,
        covariance=covariance,
        size=track.size.copy(),
        confidence=track.confidence,
        visible_fraction=track.visible_fraction,
        last_seen=track.last_seen,
    )
