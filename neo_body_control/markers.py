"""What rviz shows of the body's targets: ``whole_body/targets``. Part of the node, not of the core."""

from __future__ import annotations

from typing import Any

import numpy as np
from visualization_msgs.msg import Marker, MarkerArray

from neo_body_control.rotations import cross
from neo_body_control.targets import Targets
from neo_description.tables import SIDES
from neo_ros import convert

LENGTH = 0.08  # m of a frame's axes
COLOURS = ((0.9, 0.2, 0.2), (0.2, 0.8, 0.2), (0.2, 0.4, 0.9))


def target_markers(targets: Targets, stamp: Any) -> MarkerArray:
    """Both hands' targets as frames, the point looked at as a sphere; what is not there is deleted."""
    markers = []
    for k, side in enumerate(SIDES):
        T = targets.hands[side].target
        for axis in range(3):
            marker = _marker(3 * k + axis, f"{side}_hand", stamp, side in targets.busy)
            marker.type = Marker.ARROW
            marker.scale.x, marker.scale.y, marker.scale.z = LENGTH, 0.008, 0.012
            marker.color.r, marker.color.g, marker.color.b = COLOURS[axis]
            R = _along(T[:3, axis])
            marker.pose = convert.pose_message(np.block([[R, T[:3, 3:]], [np.zeros(3), 1.0]]))
            markers.append(marker)
    gaze = _marker(6, "gaze", stamp, targets.gazing)
    gaze.type = Marker.SPHERE
    gaze.scale.x = gaze.scale.y = gaze.scale.z = 0.03
    gaze.color.r, gaze.color.g, gaze.color.b = 1.0, 0.8, 0.1
    gaze.pose.position = convert.point_message(targets.gaze.target)
    markers.append(gaze)
    return MarkerArray(markers=markers)


def _marker(number: int, name: str, stamp: Any, shown: bool) -> Marker:
    marker = Marker(id=number, ns=name, action=Marker.ADD if shown else Marker.DELETE)
    marker.header.stamp, marker.header.frame_id = stamp, "odom"
    marker.color.a = 0.9
    return marker


def _along(x: np.ndarray) -> np.ndarray:
    """A rotation (3, 3) whose first column is the unit vector ``x``."""
    helper = np.eye(3)[int(np.argmin(np.abs(x)))]
    y = cross(helper, x)
    y /= np.linalg.norm(y)
    return np.column_stack([x, y, cross(x, y)])
