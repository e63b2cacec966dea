"""What a fitted thing should look like in an image: its outline as convex polygons."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from neo_perception.fit import Fit
from neo_perception.models import Model

RING = np.linspace(0.0, 2 * np.pi, 16, endpoint=False)
CIRCLE = np.column_stack([np.cos(RING), np.sin(RING)])


def silhouette(model: Model, fitted: Fit, K: np.ndarray, T_level_camera: np.ndarray) -> list[np.ndarray]:
    """Convex polygons (n, 2) px whose union is the outline of the parts in the thing's own colour."""
    hulls = []
    for points in _parts(model, fitted):
        p = (points - T_level_camera[:3, 3]) @ T_level_camera[:3, :3]
        p = p[p[:, 2] > 0.05]
        if len(p) < 3:
            continue
        pixel = (p @ K.T)[:, :2] / p[:, 2:]
        hulls.append(cv2.convexHull(pixel.astype(np.float32))[:, 0, :])
    return hulls


def silhouette_area(model: Model, fitted: Fit, K: np.ndarray, T_level_camera: np.ndarray) -> float:
    """Area (px) of the whole outline, also where it lies beyond the image or behind something."""
    hulls = silhouette(model, fitted, K, T_level_camera)
    area = sum(cv2.contourArea(hull) for hull in hulls)
    for a, b in pairwise(hulls):
        area -= cv2.intersectConvexConvex(a, b)[0]
    return float(area)


def _parts(model: Model, fitted: Fit) -> list[np.ndarray]:
    half = fitted.size / 2
    if model.shape == "box":
        c, s = np.cos(fitted.yaw), np.sin(fitted.yaw)
        corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * half
        R = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        return [fitted.center + corners @ R.T]
    if model.shape == "spheroid":
        levels = np.linspace(-1.0, 1.0, 7)
        rings = [
            np.column_stack([np.sqrt(1 - z * z) * CIRCLE * half[:2], np.full(16, z * half[2])])
            for z in levels
        ]
        return [fitted.center + np.concatenate(rings)]
    parts = []
    for segment, radius in zip(model.segments, fitted.solution.x[4:], strict=True):
        ends = [(2 * share - 1) * half[2] for share in (segment.low, segment.high)]
        rings = [np.column_stack([radius * CIRCLE, np.full(16, z)]) for z in ends]
        parts.append(fitted.center + np.concatenate(rings))
    return parts
