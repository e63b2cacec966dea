"""A rectified stereo pair, where it was taken from, and what is remembered of what it may show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_perception.models import Model


@dataclass(slots=True)
class View:
    """A rectified pair and where it was taken: images (H, W, 3) RGB, ``K``, ``baseline`` m,
    ``T_level_camera`` (4, 4) of the left camera, ``disparity`` (H / scale, W / scale) px, left;
    ``own``: depth (H, W) m of the robot's own arms in the left and right image, 0 elsewhere."""

    left: np.ndarray
    right: np.ndarray
    K: np.ndarray
    baseline: float
    T_level_camera: np.ndarray
    disparity: np.ndarray
    scale: int
    own: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def T_level_right(self) -> np.ndarray:
        T = self.T_level_camera.copy()
        T[:3, 3] += self.baseline * T[:3, 0]
        return T

    def project(self, point: np.ndarray) -> tuple[np.ndarray, float]:
        """Pixel (2,) in the left image and depth (m) of ``point`` (3,) in the level frame."""
        p = self.T_level_camera[:3, :3].T @ (point - self.T_level_camera[:3, 3])
        return (self.K @ p)[:2] / max(p[2], 1e-6), float(p[2])

    def lift(self, pixel: np.ndarray, disparity: float) -> np.ndarray:
        """Point (3,) in the level frame of a left ``pixel`` at ``disparity`` px."""
        z = self.K[0, 0] * self.baseline / disparity
        p = np.linalg.solve(self.K, np.r_[pixel, 1.0]) * z
        return self.T_level_camera[:3, :3] @ p + self.T_level_camera[:3, 3]

    def disparity_at(self, pixels: np.ndarray) -> np.ndarray:
        """Disparities (n,) at left ``pixels`` (n, 2); 0 where unknown."""
        h, w = self.disparity.shape
        i = np.clip((pixels / self.scale).astype(int), 0, (w - 1, h - 1))
        return self.disparity[i[:, 1], i[:, 0]]


@dataclass(slots=True)
class Hint:
    """What is remembered of a thing: helps to join its parts and to fit it. ``size`` (3,) m; ``sure``: other
    classes need not be tried this time."""

    id: int
    color: str
    model: Model
    center: np.ndarray
    size: np.ndarray
    yaw: float
    sure: bool = False
