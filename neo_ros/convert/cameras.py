"""Calibration of a camera."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo

from neo_description.signals import CameraModel
from neo_ros.convert.fields import sequence, stamped


def camera_model(message: CameraInfo) -> CameraModel:
    """The calibration in a ``camera_info`` message."""
    return CameraModel(
        width=message.width,
        height=message.height,
        K=np.array(message.k).reshape(3, 3),
        D=np.array(message.d),
        R=np.array(message.r).reshape(3, 3),
        P=np.array(message.p).reshape(3, 4),
    )


def camera_info_message(camera: CameraModel, frame: str, time: Time | float) -> CameraInfo:
    """The ``camera_info`` message of a camera whose optical frame is ``frame``."""
    message = CameraInfo(width=camera.width, height=camera.height, distortion_model="plumb_bob")
    message.d = sequence(camera.D)
    message.k = np.ascontiguousarray(camera.K, float).ravel()
    message.r = np.ascontiguousarray(camera.R, float).ravel()
    message.p = np.ascontiguousarray(camera.P, float).ravel()
    message.header.frame_id = frame
    return stamped(message, time)
