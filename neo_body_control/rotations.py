"""The few rotations that run every tick, written out: numpy calls on 3-vectors cost more than the maths."""

from __future__ import annotations

import math

import numpy as np

EYE = np.eye(3)
EYE.setflags(write=False)


def hat(v: np.ndarray) -> np.ndarray:
    """(3, 3) with ``hat(v) @ u == v × u``."""
    x, y, z = v.tolist()
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a × b`` of two (3,), ten times faster than ``np.cross``."""
    ax, ay, az = a.tolist()
    bx, by, bz = b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def exp(v: np.ndarray) -> np.ndarray:
    """Rotation matrix (3, 3) of the rotation vector ``v`` (3,) rad (Rodrigues)."""
    x, y, z = v.tolist()
    angle2 = x * x + y * y + z * z
    if angle2 < 1e-12:
        s, c = 1.0, 0.5
    else:
        angle = math.sqrt(angle2)
        s, c = math.sin(angle) / angle, (1.0 - math.cos(angle)) / angle2
    return np.array(
        [
            [1.0 - c * (y * y + z * z), c * x * y - s * z, c * x * z + s * y],
            [c * x * y + s * z, 1.0 - c * (x * x + z * z), c * y * z - s * x],
            [c * x * z - s * y, c * y * z + s * x, 1.0 - c * (x * x + y * y)],
        ]
    )


def log(R: np.ndarray) -> np.ndarray:
    """Rotation vector (3,) rad of ``R`` (3, 3), its length in [0, pi]."""
    (a, b, c), (d, e, f), (g, h, i) = R.tolist()
    x, y, z = h - f, c - g, d - b
    sine2 = math.sqrt(x * x + y * y + z * z)
    cosine2 = a + e + i - 1.0
    angle = math.atan2(sine2, cosine2)
    if sine2 > 1e-6:
        k = angle / sine2
        return np.array([k * x, k * y, k * z])
    if cosine2 > 0.0:
        return np.array([0.5 * x, 0.5 * y, 0.5 * z])
    diagonal = np.maximum((np.diag(R) + 1.0) / 2.0, 0.0)  # half a turn: R = 2 u uᵀ - 1
    axis = np.sqrt(diagonal)
    k = int(np.argmax(axis))
    axis = (R[:, k] + EYE[k]) / 2.0 / axis[k]
    return angle * axis


def orthonormal(R: np.ndarray) -> np.ndarray:
    """``R`` (3, 3), nearly a rotation, put right by one step of ``R (3 - RᵀR) / 2``."""
    return R @ (1.5 * EYE - 0.5 * (R.T @ R))


def yaw(R: np.ndarray) -> float:
    """Heading (rad) of the x axis of ``R`` in the horizontal plane."""
    return math.atan2(R[1, 0], R[0, 0])


def about_z(angle: float) -> np.ndarray:
    """Rotation (3, 3) by ``angle`` rad about z."""
    s, c = math.sin(angle), math.cos(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def transform(R: np.ndarray, p: np.ndarray) -> np.ndarray:
    """``T`` (4, 4) of ``R`` (3, 3) and ``p`` (3,)."""
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, p
    return T
