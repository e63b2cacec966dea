"""Rectification, disparity, depth and points from the two images of a pair (OpenCV)."""

from __future__ import annotations

import cv2
import numpy as np

from neo_description.signals import CameraModel, StereoFrame


class Rectifier:
    """Undoes lens distortion and aligns the rows of a pair; ideal cameras pass through untouched."""

    def __init__(self) -> None:
        self._maps: dict[int, tuple[CameraModel, tuple[np.ndarray, np.ndarray] | None]] = {}

    def __call__(self, frame: StereoFrame) -> tuple[np.ndarray, np.ndarray]:
        """Rectified left and right (H, W, 3) uint8 RGB, to go with ``frame.K`` and ``frame.baseline``."""
        left = self._rectify(0, frame.left_camera, frame.left)
        return left, self._rectify(1, frame.right_camera, frame.right)

    def _rectify(self, side: int, camera: CameraModel, image: np.ndarray) -> np.ndarray:
        known = self._maps.get(side)
        if known is None or not _same(known[0], camera):
            known = (camera, _maps(camera))
            self._maps[side] = known
        return image if known[1] is None else cv2.remap(image, *known[1], cv2.INTER_LINEAR)


def _same(a: CameraModel, b: CameraModel) -> bool:
    return a is b or all(np.array_equal(getattr(a, k), getattr(b, k)) for k in ("K", "D", "R", "P"))


def _maps(camera: CameraModel) -> tuple[np.ndarray, np.ndarray] | None:
    ideal = (
        not np.any(camera.D) and np.allclose(camera.R, np.eye(3)) and np.allclose(camera.K, camera.P[:, :3])
    )
    if ideal:
        return None
    size = (camera.width, camera.height)
    return cv2.initUndistortRectifyMap(camera.K, camera.D, camera.R, camera.P[:, :3], size, cv2.CV_16SC2)


class Disparity:
    """Semi-global matching (Hirschmüller 2008) of rectified images, ``scale`` times smaller for speed.

    ``nearest`` m sets the range that is searched.
    """

    def __init__(self, scale: int, nearest: float) -> None:
        self.scale, self._nearest = scale, nearest
        self._matcher: cv2.StereoSGBM | None = None
        self._focal_baseline = 0.0

    def __call__(self, left: np.ndarray, right: np.ndarray, K: np.ndarray, baseline: float) -> np.ndarray:
        """(H / scale, W / scale) float32 disparities in px of the full image; 0 where unknown."""
        if self._matcher is None or self._focal_baseline != K[0, 0] * baseline:
            self._focal_baseline = K[0, 0] * baseline
            widest = self._focal_baseline / self._nearest / self.scale
            self._matcher = cv2.StereoSGBM.create(
                minDisparity=0, numDisparities=16 * int(np.ceil(widest / 16)), blockSize=5,
                P1=8 * 25, P2=32 * 25, disp12MaxDiff=1, uniquenessRatio=10, speckleWindowSize=50,
                speckleRange=2, mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
            )  # fmt: skip
        gray = [self._small(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)) for image in (left, right)]
        disparity = self._matcher.compute(*gray).astype(np.float32) * (self.scale / 16.0)
        return np.maximum(disparity, 0.0)

    def _small(self, image: np.ndarray) -> np.ndarray:
        if self.scale == 1:
            return image
        size = (image.shape[1] // self.scale, image.shape[0] // self.scale)
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def depth(disparity: np.ndarray, K: np.ndarray, baseline: float) -> np.ndarray:
    """(H, W) float32 m along the left camera's axis; 0 where the disparity is unknown."""
    z = np.zeros_like(disparity)
    np.divide(K[0, 0] * baseline, disparity, out=z, where=disparity > 0.5)
    return z


def points(disparity: np.ndarray, K: np.ndarray, baseline: float, scale: int = 1, step: int = 1) -> tuple:
    """Points (n, 3) m in the left optical frame, and their rows and columns in ``disparity``.

    ``scale``: how much smaller ``disparity`` is than the image of ``K``; every ``step``-th pixel is taken.
    """
    d = disparity[::step, ::step]
    v, u = np.nonzero(d > 2.0)
    z = K[0, 0] * baseline / d[v, u]
    v, u = v * step, u * step
    # the centre of a small pixel lies in the middle of the scale × scale pixels that it stands for
    x = (u * scale + 0.5 * (scale - 1) - K[0, 2]) / K[0, 0] * z
    y = (v * scale + 0.5 * (scale - 1) - K[1, 2]) / K[1, 1] * z
    return np.column_stack([x, y, z]), v, u
