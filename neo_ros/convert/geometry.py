"""Homogeneous transforms (4, 4) ↔ geometry messages.

Quaternions are w, x, y, z inside and x, y, z, w in messages.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from transforms3d.quaternions import mat2quat, quat2mat

from neo_description.errors import RefusedError

UNIT = 1e-3  # how far from 1 the length of an orientation's quaternion may be


def rotation(quaternion: Any, name: str = "orientation") -> np.ndarray:
    """(3, 3) of a Quaternion message; RefusedError when it is no unit quaternion (all zeros included)."""
    wxyz = np.array([quaternion.w, quaternion.x, quaternion.y, quaternion.z])
    if not abs(np.linalg.norm(wxyz) - 1.0) <= UNIT:  # also false for NaN
        raise RefusedError(
            f"{name}: orientation x={wxyz[1]:g} y={wxyz[2]:g} z={wxyz[3]:g} w={wxyz[0]:g} "
            "is no unit quaternion"
        )
    return quat2mat(wxyz)


def quaternion_message(R: np.ndarray) -> Quaternion:
    """The Quaternion message of ``R`` (3, 3), with w >= 0."""
    w, x, y, z = map(float, mat2quat(R))
    return Quaternion(x=x, y=y, z=z, w=w)


def pose(message: Any, name: str = "pose") -> np.ndarray:
    """(4, 4) of a Pose message; RefusedError when its orientation is no rotation."""
    T = np.eye(4)
    T[:3, :3] = rotation(message.orientation, name)
    T[:3, 3] = message.position.x, message.position.y, message.position.z
    return T


def transform(message: Any, name: str = "transform") -> np.ndarray:
    """(4, 4) of a Transform message."""
    T = np.eye(4)
    T[:3, :3] = rotation(message.rotation, name)
    T[:3, 3] = message.translation.x, message.translation.y, message.translation.z
    return T


def pose_message(T: np.ndarray) -> Pose:
    """The Pose message of ``T`` (4, 4)."""
    message = Pose(orientation=quaternion_message(T[:3, :3]))
    message.position.x, message.position.y, message.position.z = map(float, T[:3, 3])
    return message


def xyz(value: Any) -> np.ndarray:
    """(3,) of a Point or Vector3 message."""
    return np.array([value.x, value.y, value.z])


def point_message(vector: np.ndarray) -> Point:
    """The Point message of ``vector`` (3,)."""
    return Point(x=float(vector[0]), y=float(vector[1]), z=float(vector[2]))


def vector_message(vector: np.ndarray) -> Vector3:
    """The Vector3 message of ``vector`` (3,)."""
    return Vector3(x=float(vector[0]), y=float(vector[1]), z=float(vector[2]))
