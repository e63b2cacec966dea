"""Coloured regions: names of ``objects.yaml``'s colours per pixel, and their connected regions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from neo_description import objects

BITS = 5  # of each channel that the table of colours distinguishes
HUE = 12.0  # degrees a colour may be off
CLOSE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
MOST = 0.25  # of the image: larger regions are walls
GROW = np.ones((5, 5), np.uint8)
SHADE = 0.45  # how much darker or brighter a white, grey or black may look
DARK = 0.16  # below this a pixel has no colour to speak of
SATURATED = 0.3  # colours below this are told by brightness, not hue


class Colors:
    """Which colour a pixel has, of ``names``: a table over all RGB values, made once.

    Shading scales RGB and leaves hue and saturation, so a coloured pixel is one with about the hue and at
    least 0.6 of the saturation of the name's colour. White, grey and black are told by brightness.
    """

    def __init__(self, names: tuple[str, ...], objects_file: Path | str | None = None) -> None:
        self.names = names
        known = objects.colors(objects_file or None)
        steps = 1 << BITS
        level = ((np.arange(steps) + 0.5) / steps).astype(np.float32)
        rgb = np.stack(np.meshgrid(level, level, level, indexing="ij"), -1).reshape(1, -1, 3)
        hue, saturation, value = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)[0].T
        table = np.zeros(rgb.shape[1], np.uint8)
        best, closest = np.full(rgb.shape[1], HUE), np.full(rgb.shape[1], SHADE)
        for k, name in enumerate(names):
            own = np.array([[known[name]]], np.float32)
            h, s, v = cv2.cvtColor(own, cv2.COLOR_RGB2HSV)[0, 0]
            off = np.abs((hue - h + 180.0) % 360.0 - 180.0)
            if s >= SATURATED:
                fits = (off < best) & (saturation > 0.6 * s) & (value > DARK)
                best[fits] = off[fits]
            else:
                gray = (saturation < s + 0.06) | (value < DARK)
                fits = gray & (np.abs(value - v) < closest)
                closest[fits] = np.abs(value - v)[fits]
            table[fits] = k + 1
        self._table = table

    def label(self, image: np.ndarray) -> np.ndarray:
        """(H, W) uint8 of an (H, W, 3) uint8 RGB image: 0 for none, k + 1 for ``names[k]``."""
        smooth = cv2.GaussianBlur(image, (3, 3), 0)
        r, g, b = (smooth[..., k].astype(np.uint16) >> (8 - BITS) for k in range(3))
        return self._table[(r << (2 * BITS)) | (g << BITS) | b]


@dataclass(slots=True)
class Blob:
    """A connected region of one colour: ``box`` (x, y, w, h) px, ``area`` px, ``center`` (2,) px (u, v),
    ``mask`` (H, W) uint8, 1 inside; ``whole``: it does not touch the image's border."""

    color: str
    box: tuple[int, int, int, int]
    area: int
    center: np.ndarray
    mask: np.ndarray
    whole: bool

    @property
    def window(self) -> tuple[slice, slice]:
        """The box as rows and columns."""
        x, y, w, h = self.box
        return slice(y, y + h), slice(x, x + w)

    def pixels(self, most: int) -> np.ndarray:
        """About ``most`` of its pixels (n, 2), u and v, evenly spread."""
        inside = np.argwhere(self.mask[self.window])[:: max(1, self.area // most), ::-1]
        return inside + self.box[:2]

    def shifted(self, pixels: float) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the box, moved ``pixels`` to the left."""
        x, y, w, h = self.box
        return x - pixels, y, x + w - pixels, y + h


def blobs(labels: np.ndarray, names: tuple[str, ...], least_area: int) -> list[Blob]:
    """Regions of at least ``least_area`` px in a label image of :meth:`Colors.label`, largest first."""
    height, width = labels.shape
    found = []
    for k, name in enumerate(names):
        mask = (labels == k + 1).astype(np.uint8)
        if cv2.countNonZero(mask) < least_area:
            continue
        # A cup's rim is thin: a gap in it would let the outline in.
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, CLOSE)
        n, marks, stats, centers = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_16U)
        for i in range(1, n):
            x, y, w, h, area = map(int, stats[i])
            if not least_area <= area <= MOST * labels.size:
                continue
            own = np.zeros_like(mask)
            own[y : y + h, x : x + w] = marks[y : y + h, x : x + w] == i
            whole = x > 0 and y > 0 and x + w < width and y + h < height
            found.append(Blob(name, (x, y, w, h), area, centers[i], own, whole))
    return sorted(found, key=lambda blob: -blob.area)


def join(parts: list[Blob]) -> Blob:
    """One blob of several regions, such as a bottle behind a finger."""
    if len(parts) == 1:
        return parts[0]
    mask = np.maximum.reduce([part.mask for part in parts])
    x, y, w, h = cv2.boundingRect(mask)
    area = sum(part.area for part in parts)
    center = sum((part.area * part.center for part in parts), np.zeros(2)) / area
    return Blob(parts[0].color, (x, y, w, h), area, center, mask, all(part.whole for part in parts))


def attach(found: list[Blob], trims: dict[str, set[str]]) -> list[Blob]:
    """Lesser parts in another colour (a white cap, a dark inside) joined to the thing they touch most.

    ``trims``: for each thing's colour those of its lesser parts. A part goes to one thing only; things of
    colours without an entry in ``trims`` are parts alone.
    """
    extra: dict[int, list[Blob]] = {}
    used: set[int] = set()
    for part in found:
        touches = [
            (_contact(part, thing), k)
            for k, thing in enumerate(found)
            if part.color in trims.get(thing.color, ()) and part.area < 4 * thing.area
        ]
        most = max(touches, default=(0, -1))
        if most[0] >= 4:
            extra.setdefault(most[1], []).append(part)
            used.add(id(part))
    things = [join([thing, *extra.get(k, [])]) for k, thing in enumerate(found) if id(thing) not in used]
    return [thing for thing in things if thing.color in trims]


def _contact(a: Blob, b: Blob) -> int:
    """How many pixels of ``a``, grown by two, lie on ``b``."""
    x, y, w, h = a.box
    bx, by, bw, bh = b.box
    if x - 2 > bx + bw or bx > x + w + 2 or y - 2 > by + bh or by > y + h + 2:
        return 0
    rows, columns = slice(max(y - 2, 0), y + h + 2), slice(max(x - 2, 0), x + w + 2)
    grown = cv2.dilate(a.mask[rows, columns], GROW)
    return int(cv2.countNonZero(grown & b.mask[rows, columns]))
