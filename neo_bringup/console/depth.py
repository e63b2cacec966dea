"""The depth picture: near is warm, far is cool, unknown is grey."""

from __future__ import annotations

import base64

import cv2
import numpy as np

NEAREST, FARTHEST = 0.25, 2.5  # m: the ends of the colours
WIDTH = 320  # px, as drawn
UNKNOWN = (180, 172, 164)  # BGR
QUALITY = 80  # of the JPEG


def coloured(depth: np.ndarray) -> np.ndarray:
    """``depth`` (H, W) m, NaN or 0 where unknown → (h, w, 3) uint8 BGR, at most WIDTH wide."""
    step = max(1, -(-depth.shape[1] // WIDTH))
    small = np.asarray(depth, np.float32)[::step, ::step]
    known = np.isfinite(small) & (small > 0.0)
    share = (np.where(known, small, FARTHEST) - NEAREST) / (FARTHEST - NEAREST)
    levels = (255.0 * (1.0 - np.clip(share, 0.0, 1.0))).astype(np.uint8)
    picture = np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO))
    picture[~known] = UNKNOWN
    return picture


def drawn(depth: np.ndarray | None) -> str:
    """The picture with its scale as HTML text; a hint without one."""
    if depth is None or not depth.size:
        return '<div class="neo"><small>no depth heard on perception/depth</small></div>'
    jpeg = cv2.imencode(".jpg", coloured(depth), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
    data = base64.b64encode(jpeg).decode()
    known = np.isfinite(depth) & (depth > 0.0)
    near = f"nearest {depth[known].min():.2f} m" if known.any() else "nothing known"
    return (
        '<div class="neo"><div class="neo-depth" data-depth><img decoding="sync" alt="depth" '
        f'src="data:image/jpeg;base64,{data}"><span>{near}; red {NEAREST:g} m, blue {FARTHEST:g} m, '
        "grey unknown</span></div></div>"
    )
