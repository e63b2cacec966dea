"""Calibration of a real stereo camera, from a YAML file.

width: 640            # px, of one image
height: 480
left:  {K: [[…], […], […]], D: [k1, k2, p1, p2, k3]}     # as cv2.calibrateCamera gives them
right: {K: …, D: …}
R: [[…], […], […]]    # as cv2.stereoCalibrate gives them: x_right = R @ x_left + T
T: [-0.08, 0.0, 0.0]  # m
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import yaml

from neo_description.errors import NeoError
from neo_description.signals import CameraModel


def load(file: Path) -> tuple[CameraModel, CameraModel]:
    """Left and right camera with the rectification of :func:`cv2.stereoRectify`; NeoError names the fault."""
    try:
        rows = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise NeoError(f"cannot read the camera calibration {file}: {error}") from None
    if not isinstance(rows, dict):
        raise NeoError(f"calibration {file} is no table; see docs/how-to/real-camera.md")
    size = (int(_number(rows, "width", file)), int(_number(rows, "height", file)))
    K1, K2 = (_array(rows.get(side, {}), "K", (3, 3), file, side) for side in ("left", "right"))
    D1, D2 = (_array(rows.get(side, {}), "D", (5,), file, side) for side in ("left", "right"))
    R, T = _array(rows, "R", (3, 3), file), _array(rows, "T", (3,), file)
    if abs(np.linalg.det(R) - 1.0) > 1e-3:
        raise NeoError(
            f"calibration {file}: R is no rotation (determinant {np.linalg.det(R):.3f}, should be 1)"
        )
    if not -1.0 < T[0] < -0.01:
        raise NeoError(
            f"calibration {file}: T[0] is {T[0]}, should be minus the baseline (m), between -1 and -0.01"
        )
    R1, R2, P1, P2, *_ = cv2.stereoRectify(
        K1, D1, K2, D2, size, R, T, flags=cv2.CALIB_ZERO_DISPARITY, alpha=0
    )
    return CameraModel(*size, K1, D1, R1, P1), CameraModel(*size, K2, D2, R2, P2)


def _number(rows: dict, key: str, file: Path) -> float:
    value = rows.get(key)
    if not isinstance(value, (int, float)) or value <= 0:
        raise NeoError(f"calibration {file}: {key} is {value!r}, should be a positive number")
    return value


def _array(rows: dict, key: str, shape: tuple[int, ...], file: Path, side: str = "") -> np.ndarray:
    name = f"{side}.{key}" if side else key
    try:
        array = np.array(rows[key], float)
    except (KeyError, TypeError, ValueError):
        raise NeoError(
            f"calibration {file}: {name} is missing or not numeric, should be of shape {shape}"
        ) from None
    if array.shape != shape or not np.isfinite(array).all():
        raise NeoError(f"calibration {file}: {name} has shape {array.shape}, should be {shape} and finite")
    return array
