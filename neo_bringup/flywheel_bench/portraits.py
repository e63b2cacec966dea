"""How many faces does the detector find? One photograph of one person, that ships with matplotlib.

It measures the detector's limits in size, tilt and light; it says nothing about other people.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from neo_description.errors import NeoError
from neo_flywheel import faces

WIDTH, HEIGHT = 424, 240  # px: the head camera's pictures
FACE = (0.5, 0.36, 0.4)  # of the photograph's width and height: centre, and the face's width of its width
TRIALS = 40  # of each
SIZES = (18, 80)  # px: a face's width in the picture
GAINS = (0.4, 1.3)


def measure(seed: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """Recall of upright faces (tilted to 10 degrees) and of turned ones (25 to 60 degrees)."""
    photo = _photo()
    rng = np.random.default_rng(seed)
    sample: dict[str, Any] = {}
    for kind, tilt in (("upright", (0.0, 10.0)), ("turned", (25.0, 60.0))):
        found = 0
        for _ in range(TRIALS):
            image, box = _shown(photo, rng, tilt)
            found += any(_overlap(box, seen) > 0.3 for seen in faces.find(image))
        sample |= {kind: found / TRIALS, f"n_{kind}": TRIALS}
        progress(f"faces, {kind}: {found} of {TRIALS}")
    return sample


def _photo() -> np.ndarray:
    try:
        import matplotlib
    except ImportError:
        raise NeoError(
            "no photograph to test with: matplotlib is not installed (requirements/dev.txt)"
        ) from None
    file = Path(matplotlib.__file__).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"
    photo = cv2.imread(str(file))
    if photo is None:
        raise NeoError(f"no photograph to test with: {file} is missing")
    return np.asarray(photo)


def _shown(
    photo: np.ndarray, rng: np.random.Generator, tilt: tuple[float, float]
) -> tuple[np.ndarray, faces.Box]:
    """The photograph somewhere in a picture; the face's box in it."""
    size = np.exp(rng.uniform(*np.log(SIZES)))
    scale = size / (FACE[2] * photo.shape[1])
    angle = rng.uniform(*tilt) * rng.choice([-1.0, 1.0])
    centre = (FACE[0] * photo.shape[1], FACE[1] * photo.shape[0])
    at = rng.uniform([size, size], [WIDTH - size, HEIGHT - size])
    turn = cv2.getRotationMatrix2D(centre, angle, scale)
    turn[:, 2] += at - np.array(centre)
    image = cv2.warpAffine(
        photo, turn, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT,
        borderValue=(120, 125, 130),
    )  # fmt: skip
    if rng.random() < 0.5:
        image, at[0] = np.ascontiguousarray(image[:, ::-1]), WIDTH - at[0]
    lit = image * rng.uniform(*GAINS) + rng.normal(0.0, 3.0, image.shape)
    half = size / 2
    box = (round(at[0] - half), round(at[1] - half), round(size), round(size))
    return np.clip(lit, 0, 255).astype(np.uint8), box


def _overlap(a: faces.Box, b: faces.Box) -> float:
    """Intersection over union."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inside = max(0, w) * max(0, h)
    return inside / (a[2] * a[3] + b[2] * b[3] - inside)
