"""Outlines of coloured regions, finer than a pixel, and the planes in which they bound a body.

A point of an outline and the outline's direction there span, with the camera's centre, a plane that touches
the body from outside. Primitives are fitted to these planes (:mod:`neo_perception.fit`), left and right
together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

BLUR = 1.2  # px: of the region before its half-way line is taken
OUTSIDE = 3.0  # px: how far out of the outline one looks for what lies there


@dataclass(slots=True)
class Outline:
    """``pixel`` (n, 2) px on the outline, ``normal`` (n, 2) unit, outwards, ``outside`` (n, 2) int px just
    outside (clipped to the image), ``inside_image`` (n,) bool: false at the image's border."""

    pixel: np.ndarray
    normal: np.ndarray
    outside: np.ndarray
    inside_image: np.ndarray

    def __len__(self) -> int:
        return len(self.pixel)


def outline(mask: np.ndarray, box: tuple[int, int, int, int], limit: int = 80) -> Outline:
    """The outer outline of ``mask`` (H, W) uint8 0/1 within ``box`` (x, y, w, h), at most ``limit`` points.

    The half-way line of the blurred region: hard, aliased edges come out unbiased and with smooth normals.
    A circle of radius R px shrinks by BLUR² / 2R; that is given back by the caller's noise, not corrected.
    """
    height, width = mask.shape
    x, y, w, h = box
    pad = 6
    x0, y0 = x - pad, y - pad
    crop = np.zeros((h + 2 * pad, w + 2 * pad), np.uint8)
    crop[pad : pad + h, pad : pad + w] = mask[y : y + h, x : x + w]
    contours, _ = cv2.findContours(crop, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        empty = np.zeros((0, 2))
        return Outline(empty, empty, empty.astype(int), np.zeros(0, bool))
    points = np.concatenate(contours)[:, 0, :]
    if len(points) > limit:
        points = points[(np.arange(limit) * len(points)) // limit]
    soft = cv2.GaussianBlur(crop.astype(np.float32), (0, 0), BLUR)
    gx = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    gy = cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    u, v = points.T
    gradient = np.stack([gx[v, u], gy[v, u]], 1).astype(float)
    steep = np.linalg.norm(gradient, axis=1)
    keep = steep > 0.05
    points, gradient, steep = points[keep], gradient[keep], steep[keep]
    normal = -gradient / steep[:, None]
    level = soft[points[:, 1], points[:, 0]]
    step = np.clip((level - 0.5) / steep, -1.5, 1.5)
    pixel = points + normal * step[:, None] + (x0, y0)
    outside = np.rint(pixel + OUTSIDE * normal).astype(int)
    border = 1.5
    inside_image = (
        (pixel[:, 0] > border)
        & (pixel[:, 0] < width - 1 - border)
        & (pixel[:, 1] > border)
        & (pixel[:, 1] < height - 1 - border)
    )
    outside[:, 0] = np.clip(outside[:, 0], 0, width - 1)
    outside[:, 1] = np.clip(outside[:, 1], 0, height - 1)
    return Outline(pixel, normal, outside, inside_image)


@dataclass(slots=True)
class Planes:
    """Touching planes: ``normal`` (n, 3) unit, out of the body; ``ray`` (n, 3) unit, from the camera through
    the outline's point; ``origin`` (n, 3) m, the camera's centre; ``pixel`` (n,) rad: one pixel's angle."""

    normal: np.ndarray
    ray: np.ndarray
    origin: np.ndarray
    pixel: np.ndarray
    _upright: tuple[np.ndarray, np.ndarray] | None = None

    def upright(self, snap: Callable) -> tuple[np.ndarray, np.ndarray]:
        """``snap(self, up)``, computed once."""
        if self._upright is None:
            self._upright = snap(self, np.array([0.0, 0.0, 1.0]))
        return self._upright

    @staticmethod
    def join(parts: list[Planes]) -> Planes:
        """All planes of ``parts``."""
        return Planes(
            np.concatenate([p.normal for p in parts]),
            np.concatenate([p.ray for p in parts]),
            np.concatenate([p.origin for p in parts]),
            np.concatenate([p.pixel for p in parts]),
        )

    def __getitem__(self, which: np.ndarray) -> Planes:
        return Planes(self.normal[which], self.ray[which], self.origin[which], self.pixel[which])

    def __len__(self) -> int:
        return len(self.normal)


def planes(pixel: np.ndarray, normal: np.ndarray, K: np.ndarray, T_level_camera: np.ndarray) -> Planes:
    """Touching planes of outline points ``pixel``, ``normal`` (n, 2) of a camera at ``T_level_camera``."""
    f, cx, cy = K[0, 0], K[0, 2], K[1, 2]
    n = len(pixel)
    ray = np.column_stack([(pixel[:, 0] - cx) / f, (pixel[:, 1] - cy) / f, np.ones(n)])
    along = np.column_stack([-normal[:, 1], normal[:, 0], np.zeros(n)])
    plane = np.cross(ray, along)
    outwards = plane[:, 0] * normal[:, 0] + plane[:, 1] * normal[:, 1]
    plane *= np.sign(outwards)[:, None] / np.linalg.norm(plane, axis=1)[:, None]
    length = np.linalg.norm(ray, axis=1)
    R = T_level_camera[:3, :3]
    origin = np.broadcast_to(T_level_camera[:3, 3], (n, 3))
    return Planes(plane @ R.T, (ray / length[:, None]) @ R.T, origin, 1.0 / (f * length))
