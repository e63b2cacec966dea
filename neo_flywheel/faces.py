"""Covers faces in pictures before they leave the robot.

Haar cascades (Viola & Jones 2001; Lienhart & Maydt 2002) come with OpenCV's wheel: no weights to fetch. They
find upright faces seen from the front, fewer from the side, and miss many that are turned, dark, covered or
smaller than about 14 pixels of 424. So what is found is covered for longer and wider than it was seen, in
both eyes; and it is no promise. Who needs one does not consent to images at all.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from neo_description.errors import NeoError

CASCADES = (
    "haarcascade_frontalface_alt2.xml",
    "haarcascade_frontalface_default.xml",
    "haarcascade_profileface.xml",
)
WORK_WIDTH = 640  # px to which pictures are brought: the cascades know faces from 20 px on
MOST_TIMES = 4  # that a small picture is enlarged: in fewer than 5 px nobody is known
NEIGHBOURS = 3
GROW = 0.35  # of a face's size on every side: hair, chin, and the other eye's parallax
STEP = 1.2  # of the sizes that are tried
LOOK_EVERY = 0.3  # s: of pictures that come faster, some are covered as their neighbours are
AROUND = 0.7  # s before and after: a face does not go away because one picture missed it
CELLS = 4  # of what is left of a face across
Box = tuple[int, int, int, int]  # column, row, width, height in px


@cache
def _cascades() -> tuple[cv2.CascadeClassifier, ...]:
    folder = Path(getattr(getattr(cv2, "data", None), "haarcascades", ""))
    found = []
    for name in CASCADES:
        cascade = cv2.CascadeClassifier(str(folder / name)) if (folder / name).is_file() else None
        if cascade is None or cascade.empty():
            raise NeoError(
                f"no face detector: {folder / name} is not there; pictures cannot leave without it"
            )
        found.append(cascade)
    return tuple(found)


def find(image: np.ndarray) -> list[Box]:
    """Faces in (H, W, 3) uint8 BGR; NeoError when there is no detector."""
    cascades = _cascades()
    scale = min(WORK_WIDTH / image.shape[1], MOST_TIMES)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    grey = cv2.equalizeHist(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR))
    boxes: list[Box] = []
    for cascade in cascades:
        boxes += _seen(cascade, grey, scale)
    mirrored = _seen(cascades[-1], np.ascontiguousarray(grey[:, ::-1]), scale)  # it knows one side only
    boxes += [(image.shape[1] - x - w, y, w, h) for x, y, w, h in mirrored]
    return boxes


def _seen(cascade: cv2.CascadeClassifier, grey: np.ndarray, scale: float) -> list[Box]:
    found = cascade.detectMultiScale(grey, STEP, NEIGHBOURS, minSize=(20, 20))
    return [tuple(round(float(v) / scale) for v in box) for box in found]  # type: ignore[misc]


def cover(image: np.ndarray, boxes: list[Box]) -> None:
    """Leaves ``CELLS`` × ``CELLS`` colours of each face, in place."""
    height, width = image.shape[:2]
    for x, y, w, h in boxes:
        left, right = max(0, round(x - GROW * w)), min(width, round(x + (1 + GROW) * w))
        top, bottom = max(0, round(y - GROW * h)), min(height, round(y + (1 + GROW) * h))
        if right > left and bottom > top:
            small = cv2.resize(image[top:bottom, left:right], (CELLS, CELLS), interpolation=cv2.INTER_AREA)
            image[top:bottom, left:right] = cv2.resize(
                small, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR
            )


class Faces:
    """Faces of one or several cameras that look the same way, over time."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._boxes: list[list[Box]] = []

    def see(self, time_ns: int, image: np.ndarray) -> None:
        """The next picture, in the order of time."""
        self._times.append(time_ns)
        self._boxes.append(find(image))

    def at(self, time_ns: int) -> list[Box]:
        """What to cover in a picture of ``time_ns``."""
        around = round(AROUND * 1e9)
        first = bisect_left(self._times, time_ns - around)
        last = bisect_right(self._times, time_ns + around)
        return [box for boxes in self._boxes[first:last] for box in boxes]

    @property
    def found(self) -> int:
        """Boxes in all pictures."""
        return sum(map(len, self._boxes))
