"""Things in one stereo pair: coloured regions, paired left and right, fitted with what the registry knows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import cv2
import numpy as np

from neo_perception import segment
from neo_perception.contour import Planes
from neo_perception.fit import Fit, Support, fit
from neo_perception.models import Model, Models
from neo_perception.segment import Blob, Colors
from neo_perception.sight import Sight, by_hint, order, partner, touching_planes
from neo_perception.silhouette import silhouette, silhouette_area, usual_area
from neo_perception.view import Hint, View

AREA = 1.5  # misfit of a region that is e times as large as its outline, or as much smaller
SIZES = 0.5  # log of how many times larger or smaller than usual an outline is at most
LEAST = (0.5, 0.1)  # misfit expected of a class before it is fitted: nothing of the outline clear, all of it
UNKNOWN = 0.7  # added misfit of a class in a colour that the registry lacks
TOLD = 0.5  # of it not counted against other classes where all of the outline is clear: area tells them apart
AFLOAT = 0.7  # added misfit of a new thing in the air
INLIERS = 0.4  # share of an outline that must fit
SURE = 1.0  # misfit below which a remembered class is not doubted
SURPRISING = 1.5  # misfit beyond which a thing is looked for anew, not where it is remembered
HOLDS = 2.0  # times as wide as another, a thing has room for it
FEWEST = 10  # outline points, both images together


@dataclass(slots=True)
class Detection:
    """A thing as seen in one pair, in the level frame; ``scores``: cost of each class that was tried."""

    color: str
    model: Model
    fit: Fit
    visible_fraction: float
    scores: dict[str, float]
    hint: int | None


class _Match(NamedTuple):
    """A class's fit: ``cost`` ranks classes, ``misfit`` says whether it is a thing at all, ``area`` px."""

    cost: float
    misfit: float
    model: Model
    fit: Fit
    area: float


class Detector:
    """Finds the registry's classes by colour and shape. ``params``: ``parameters.yaml``."""

    def __init__(self, models: Models, params: SimpleNamespace) -> None:
        self.models, self._params = models, params
        trims = (color for more in models.trims.values() for color in more)
        names = tuple(dict.fromkeys((*models.colors, *trims)))
        self._colors = Colors(names, params.objects_file)

    def detect(self, view: View, table_z: float | None, hints: list[Hint]) -> list[Detection]:
        """Everything seen; ``table_z`` m is the height of the table in the level frame, where known."""
        labels = [self._colors.label(image) for image in (view.left, view.right)]
        left, right = (
            segment.attach(
                segment.blobs(mark, self._colors.names, self._params.least_area), self.models.trims
            )
            for mark in labels
        )
        tried = [self._sight(parts, hint, right, view) for parts, hint in by_hint(left, hints, view)]
        sights = [sight for sight in tried if sight is not None]
        in_front = order(sights, right, labels[0].shape)
        found = []
        for sight in sights:
            detection = self._one(sight, view, table_z, in_front)
            if detection is not None:
                found.append(detection)
        return _distinct(found)

    def _sight(self, parts: list[Blob], hint: Hint | None, right: list[Blob], view: View) -> Sight | None:
        """The regions of one thing in both images, and its disparity."""
        blob = segment.join(parts)
        inside = view.disparity_at(blob.pixels(200))
        known = inside[inside > 1.0]
        near = float(np.median(known)) if len(known) >= 5 else None
        other, disparity = partner(blob, right, near)
        if disparity is None or not self._within_reach(view, disparity):
            return None
        return Sight(blob, other, disparity, hint)

    def _one(
        self, sight: Sight, view: View, table_z: float | None, in_front: tuple[np.ndarray, np.ndarray]
    ) -> Detection | None:
        blob, disparity, hint = sight.left, sight.disparity, sight.hint
        first, own = touching_planes(blob, view, view.T_level_camera, in_front[0], disparity, 0)
        touching = [first]
        if sight.right is not None:
            right = touching_planes(sight.right, view, view.T_level_right, in_front[1], disparity, 1)
            touching.append(right[0])
        touching = [t for t in touching if len(t)]
        if sum(map(len, touching)) < FEWEST:
            return None
        guess = view.lift(blob.center, disparity)
        away = (guess - view.T_level_camera[:3, 3])[:2]
        guess[:2] += 0.025 * away / np.linalg.norm(away)  # from the side that is seen to the middle
        if hint is not None and np.linalg.norm(hint.center - guess) > 0.1:
            hint = None
        return self._best(blob, own, Planes.join(touching), guess, hint, view, table_z)

    def _within_reach(self, view: View, disparity: float) -> bool:
        focal_baseline = view.K[0, 0] * view.baseline
        return (
            focal_baseline / self._params.farthest < disparity < 1.2 * focal_baseline / self._params.nearest
        )

    def _best(
        self, blob: Blob, own: float, touching: Planes, guess: np.ndarray, hint: Hint | None, view: View,
        table_z: float | None,
    ) -> Detection | None:  # fmt: skip
        """``own``: the share of the region's outline that nothing else makes."""
        clear = max(0.0, 2.0 * own - 1.0)
        scores: dict[str, float] = {}
        best: _Match | None = None
        remembered = "" if hint is None else hint.model.class_name
        models = sorted(self.models.of(blob.color), key=lambda m: (m.class_name != remembered, not m.known))
        for model in models:
            odd, waived = (0.0, 0.0) if model.known else (UNKNOWN, TOLD * clear)
            if best is not None:
                if best.cost < SURE and hint is not None and hint.sure:
                    break
                usual = usual_area(model, guess, view.K, view.T_level_camera)
                unlike = max(0.0, _unlike(blob.area, usual, clear) - AREA * SIZES)
                least = LEAST[0] + clear * (LEAST[1] - LEAST[0])
                if least + unlike + odd - waived > best.cost:
                    continue
            same = model.class_name == remembered
            fitted, stands = self._fit(touching, guess, model, table_z, hint if same else None)
            if same and fitted.cost > SURPRISING:  # the memory may be wrong
                afresh = self._fit(touching, guess, model, table_z, None)
                if afresh[0].cost < fitted.cost:
                    fitted, stands = afresh
            if hint is None and table_z is not None and not stands:
                odd += AFLOAT
            area = silhouette_area(model, fitted, view.K, view.T_level_camera)
            cost = fitted.cost + odd - waived + _unlike(blob.area, area, clear)
            if cost < scores.get(model.class_name, np.inf):
                scores[model.class_name] = cost
            if fitted.inliers >= INLIERS and (best is None or cost < best.cost):
                best = _Match(cost, fitted.cost + odd, model, fitted, area)
        if best is None or best.misfit > self._params.fit_cost:
            return None
        if table_z is not None and best.fit.center[2] < table_z - 0.03:
            return None
        return Detection(
            blob.color, best.model, best.fit, float(np.clip(blob.area / max(best.area, 1.0), 0.0, 1.0)),
            scores, None if hint is None else hint.id,
        )  # fmt: skip

    def _fit(
        self, touching: Planes, guess: np.ndarray, model: Model, table_z: float | None, hint: Hint | None
    ) -> tuple[Fit, bool]:
        """The fit without the table; with it, where it turns out to stand there. And whether it stands."""
        noise = self._params.edge_noise
        yaw = None
        if hint is not None:
            guess, yaw = hint.center, hint.yaw
            feet = [guess[2] - model.size[2] / 2]
        else:
            feet = [] if table_z is None else [table_z]
            feet.append(guess[2] - model.size[2] / 2)
        free = fit(touching, guess, model, noise, yaw=yaw, feet=tuple(feet))
        if table_z is None:
            return free, False
        foot = free.center[2] - free.size[2] / 2
        x = np.zeros(len(free.solution.x))
        x[2], x[3] = 1.0, -1.0
        spread = float(np.sqrt(x @ free.solution.covariance @ x))
        if abs(foot - table_z) > 0.012 + 2.5 * spread:
            return free, False
        support = Support(table_z, self._params.support_noise)
        return fit(touching, guess, model, noise, support, near=free), True


def _unlike(seen: float, whole: float, clear: float) -> float:
    """Misfit of a region of ``seen`` px to an outline that would hold ``whole`` px.

    Outlines touch a shape wherever they can, and say nothing of a bottle's neck that is not there. ``clear``:
    from 0, half or less of the outline is the thing's own, to 1, all is; the less, the more may be hidden.
    """
    missing = math.log(max(whole, 1.0) / max(seen, 1.0))
    return AREA * (clear * missing if missing > 0.0 else -missing)


def _distinct(found: list[Detection]) -> list[Detection]:
    """Of two that claim the same place, the better-fitting one; a much wider one may hold the other."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda d: d.fit.cost - d.visible_fraction):
        apart = [
            np.linalg.norm(one.fit.center[:2] - other.fit.center[:2])
            > 0.35 * (one.fit.size[:2].mean() + other.fit.size[:2].mean())
            or abs(one.fit.center[2] - other.fit.center[2]) > 0.4 * (one.fit.size[2] + other.fit.size[2])
            or _holds(one.model, other.model)
            or _holds(other.model, one.model)
            for other in kept
        ]
        if all(apart):
            kept.append(one)
    return kept


def _holds(wide: Model, other: Model) -> bool:
    return bool(max(wide.size[:2]) > HOLDS * max(other.size[:2]))


def draw(image: np.ndarray, view: View, found: list[Detection]) -> np.ndarray:
    """A copy of the left image with each detection's outline and name, for people."""
    picture = image.copy()
    for one in found:
        for hull in silhouette(one.model, one.fit, view.K, view.T_level_camera):
            cv2.polylines(picture, [np.rint(hull).astype(np.int32)], True, (255, 0, 255), 1)
        (u, v), _ = view.project(one.fit.center)
        text = f"{one.model.class_name} {one.visible_fraction:.1f}"
        cv2.putText(picture, text, (int(u) - 20, int(v)), cv2.FONT_HERSHEY_SIMPLEX, 0.3, (255, 255, 255), 1)
    return picture
