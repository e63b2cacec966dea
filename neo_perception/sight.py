"""Which regions of the two images belong to one thing, and which of their outlines are its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_perception import segment
from neo_perception.contour import Planes, outline, planes
from neo_perception.segment import Blob
from neo_perception.view import Hint, View

IN_FRONT = 2.0  # px of disparity: what is nearer than this beside an outline hides part of the thing
BESIDE = 0.03  # m: an arm this much further than an outline may still cover it
BEHIND = 1.0  # px of disparity: a neighbour this much further is no cover


@dataclass(slots=True)
class Sight:
    """The regions of one thing in both images, its ``disparity`` px, and what is remembered of it."""

    left: Blob
    right: Blob | None
    disparity: float
    hint: Hint | None


def by_hint(found: list[Blob], hints: list[Hint], view: View) -> list[tuple[list[Blob], Hint | None]]:
    """Regions grouped by the remembered thing that they are part of; those of none stand alone."""
    groups: dict[int, list[Blob]] = {}
    alone = []
    for blob in found:
        near: list[tuple[float, int]] = []
        for k, hint in enumerate(hints):
            if hint.color != blob.color:
                continue
            pixel, z = view.project(hint.center)
            reach = view.K[0, 0] * 0.6 * float(np.linalg.norm(hint.size)) / max(z, 0.1) + 4.0
            away = float(np.linalg.norm(pixel - blob.center))
            if away < reach:
                near.append((away, k))
        if near:
            groups.setdefault(min(near)[1], []).append(blob)
        else:
            alone.append(blob)
    return [(parts, hints[k]) for k, parts in groups.items()] + [([blob], None) for blob in alone]


def partner(blob: Blob, right: list[Blob], near: float | None) -> tuple[Blob | None, float | None]:
    """The regions of the right image that show the same thing, and the disparity (px) of their middles."""
    best: tuple[float, list[Blob], float] | None = None
    _, y, w, h = blob.box
    for other in right:
        if other.color != blob.color:
            continue
        disparity = float(blob.center[0] - other.center[0])
        _, oy, ow, oh = other.box
        overlap = min(y + h, oy + oh) - max(y, oy)
        if disparity < 2.0 or overlap < 0.5 * min(h, oh):
            continue
        cost = abs(oy - y) + abs(oy + oh - y - h) + 0.5 * abs(ow - w)
        if near is not None:
            cost += abs(disparity - near)
            if abs(disparity - near) > 0.25 * near + 4.0 + 0.3 * w:
                continue
        if best is None or cost < best[0]:
            best = (cost, [other], disparity)
    if best is None:
        return None, near
    # Further parts of it: regions that lie where the left one would, moved by the disparity.
    left, top, right_end, bottom = blob.shifted(best[2])
    for other in right:
        if other.color == blob.color and other is not best[1][0]:
            u, v = other.center
            if left - 3 <= u <= right_end + 3 and top - 3 <= v <= bottom + 3:
                best[1].append(other)
    joined = segment.join(best[1])
    if not (blob.whole and joined.whole) and near is not None:
        return joined, near
    return joined, best[2]


def order(sights: list[Sight], right: list[Blob], shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Disparity (px) of the thing at each pixel of the left and right image, 0 for none.

    Regions of the right image that belong to nothing known count as in front of everything.
    """
    left, other = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for blob in right:
        other[blob.window][blob.mask[blob.window] > 0] = np.inf
    for sight in sights:
        for image, part in ((left, sight.left), (other, sight.right)):
            if part is not None:
                image[part.window][part.mask[part.window] > 0] = sight.disparity
    return left, other


def touching_planes(
    blob: Blob, view: View, T: np.ndarray, depth_order: np.ndarray, disparity: float, side: int
) -> tuple[Planes, float]:
    """Touching planes of a region's outline, without the parts at the border or made by what stands in front;
    and the share of the outline that is left.

    ``side``: 0 for the left image, 1 for the right one, whose points are moved to the left one's, where
    disparities are known. ``depth_order``: that of :func:`order`.
    """
    shift = disparity * side
    edge = outline(blob.mask, blob.box)
    beside = view.disparity_at(edge.pixel + 5.0 * edge.normal + (shift, 0.0))
    own = view.disparity_at(edge.pixel - 3.0 * edge.normal + (shift, 0.0))
    own = np.where(own > 1.0, own, disparity)
    hidden = beside > own + IN_FRONT
    # Another thing right there, not clearly behind: the line between is that one's outline, not this one's.
    row, column = edge.outside[:, 1], edge.outside[:, 0]
    hidden |= (blob.mask[row, column] == 0) & (depth_order[row, column] > disparity - BEHIND)
    if view.own is not None:
        arm = view.own[side][row, column]
        hidden |= (arm > 0.0) & (arm < view.K[0, 0] * view.baseline / own + BESIDE)
    use = edge.inside_image & ~hidden
    return planes(edge.pixel[use], edge.normal[use], view.K, T), float(np.mean(use)) if len(use) else 0.0
