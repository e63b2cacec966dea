"""What a fitted thing should look like in an image: its outline as convex polygons."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from neo_perception.fit import Fit
from neo_perception.models import Model

RING = np.linspace(0.0, 2 * np.pi, 16, endpoint=False)
CIRCLE = np.column_stack([np.cos(RING), np.sin(RING)])
BOX = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
CYLINDER = np.array([[x, y, z] for z in (-1.0, 1.0) for x, y in CIRCLE])
BALL = np.array([[*np.sqrt(1 - z * z) * xy, z] for z in np.linspace(-1.0, 1.0, 7) for xy in CIRCLE])


def silhouette(model: Model, fitted: Fit, K: np.ndarray, T_level_camera: np.ndarray) -> list[np.ndarray]:
    """Convex polygons (n, 2) px whose union is the outline of the parts in the thing's own colour."""
    radii = fitted.solution.x[4:] if model.shape == "stack" else ()
    return _hulls(_parts(model, fitted.center, fitted.size / 2, fitted.yaw, radii), K, T_level_camera)


def silhouette_area(model: Model, fitted: Fit, K: np.ndarray, T_level_camera: np.ndarray) -> float:
    """Area (px) of the whole outline, also where it lies beyond the image or behind something."""
    return _area(silhouette(model, fitted, K, T_level_camera))


def usual_area(model: Model, center: np.ndarray, K: np.ndarray, T_level_camera: np.ndarray) -> float:
    """The same for a thing of the model's own size at ``center`` (3,) m."""
    radii = [segment.radius for segment in model.segments]
    return _area(_hulls(_parts(model, center, model.size / 2, 0.0, radii), K, T_level_camera))


def _area(hulls: list[np.ndarray]) -> float:
    area = sum(cv2.contourArea(hull) for hull in hulls)
    for a, b in pairwise(hulls):
        area -= cv2.intersectConvexConvex(a, b)[0]
    return float(area)


def _hulls(parts: list[np.ndarray], K: np.ndarray, T_level_camera: np.ndarray) -> list[np.ndarray]:
    hulls = []
    for points in parts:
        p = (points - T_level_camera[:3, 3]) @ T_level_camera[:3, :3]
        p = p[p[:, 2] > 0.05]
        if len(p) < 3:
            continue
        pixel = (p @ K.T)[:, :2] / p[:, 2:]
        hulls.append(cv2.convexHull(pixel.astype(np.float32))[:, 0, :])
    return hulls


def _parts(
    model: Model, center: np.ndarray, half: np.ndarray, yaw: float, radii: Sequence[float] | np.ndarray
) -> list[np.ndarray]:
    """Points (n, 3) m on each part; ``half`` (3,) m its half size, ``radii`` m of a stack's segments."""
    if model.shape == "box":
        c, s = np.cos(yaw), np.sin(yaw)
        R = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        return [center + BOX * half @ R.T]
    if model.shape == "spheroid":
        return [center + BALL * half]
    parts = []
    for segment, radius in zip(model.segments, radii, strict=True):
        height, middle = segment.high - segment.low, segment.high + segment.low - 1.0
        parts.append(center + CYLINDER * (radius, radius, height * half[2]) + (0.0, 0.0, middle * half[2]))
    return parts
