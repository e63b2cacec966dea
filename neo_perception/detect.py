"""Things in one stereo pair: coloured regions, paired left and right, fitted with what the registry knows."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import cv2
import numpy as np

from neo_perception import segment
from neo_perception.contour import Planes, outline, planes
from neo_perception.fit import Fit, Support, fit
from neo_perception.models import Model, Models
from neo_perception.segment import Blob, Colors
from neo_perception.silhouette import silhouette_area

IN_FRONT = 2.0  # px of disparity: what is nearer than this beside an outline hides part of the thing
UNKNOWN, AFLOAT = (
    0.7,
    0.7,
)  # added misfit: of a class in a colour the registry lacks; of a new thing in the air
BESIDE = 0.03  # m: an arm this much further than an outline may still cover it
INLIERS = 0.4  # share of an outline that must fit
SURE = 1.0  # misfit below which a remembered class is not doubted
SURPRISING = 1.5  # misfit beyond which a thing is looked for anew, not where it is remembered
BEHIND = 1.0  # px of disparity: a neighbour this much further is no cover
FEWEST = 10  # outline points, both images together


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


@dataclass(slots=True)
class _Sight:
    left: Blob
    right: Blob | None
    disparity: float
    hint: Hint | None


@dataclass(slots=True)
class Detection:
    """A thing as seen in one pair, in the level frame; ``scores``: cost of each class that was tried."""

    color: str
    model: Model
    fit: Fit
    visible_fraction: float
    scores: dict[str, float]
    hint: int | None


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
        tried = [self._sight(parts, hint, right, view) for parts, hint in _by_hint(left, hints, view)]
        sights = [sight for sight in tried if sight is not None]
        order = _order(sights, right, labels[0].shape)
        found = []
        for sight in sights:
            detection = self._one(sight, view, table_z, order)
            if detection is not None:
                found.append(detection)
        return _distinct(found)

    def _sight(self, parts: list[Blob], hint: Hint | None, right: list[Blob], view: View) -> _Sight | None:
        """The regions of one thing in both images, and its disparity."""
        blob = segment.join(parts)
        inside = view.disparity_at(blob.pixels(200))
        known = inside[inside > 1.0]
        near = float(np.median(known)) if len(known) >= 5 else None
        other, disparity = _partner(blob, right, near)
        if disparity is None or not self._within_reach(view, disparity):
            return None
        return _Sight(blob, other, disparity, hint)

    def _one(
        self, sight: _Sight, view: View, table_z: float | None, order: tuple[np.ndarray, np.ndarray]
    ) -> Detection | None:
        blob, disparity, hint = sight.left, sight.disparity, sight.hint
        touching = [_planes(blob, view, view.T_level_camera, order[0], disparity, 0)]
        if sight.right is not None:
            touching.append(_planes(sight.right, view, view.T_level_right, order[1], disparity, 1))
        touching = [t for t in touching if len(t)]
        if sum(map(len, touching)) < FEWEST:
            return None
        guess = view.lift(blob.center, disparity)
        away = (guess - view.T_level_camera[:3, 3])[:2]
        guess[:2] += 0.025 * away / np.linalg.norm(away)  # from the side that is seen to the middle
        if hint is not None and np.linalg.norm(hint.center - guess) > 0.1:
            hint = None
        return self._best(blob, Planes.join(touching), guess, hint, view, table_z)

    def _within_reach(self, view: View, disparity: float) -> bool:
        focal_baseline = view.K[0, 0] * view.baseline
        return (
            focal_baseline / self._params.farthest < disparity < 1.2 * focal_baseline / self._params.nearest
        )

    def _best(
        self, blob: Blob, touching: Planes, guess: np.ndarray, hint: Hint | None, view: View,
        table_z: float | None,
    ) -> Detection | None:  # fmt: skip
        scores: dict[str, float] = {}
        best: tuple[float, Model, Fit] | None = None
        remembered = "" if hint is None else hint.model.class_name
        models = sorted(self.models.of(blob.color), key=lambda m: (m.class_name != remembered, not m.known))
        for model in models:
            if best is not None and best[0] < UNKNOWN + 0.5 and not model.known:
                break
            if best is not None and best[0] < SURE and hint is not None and hint.sure:
                break
            same = model.class_name == remembered
            yaw = hint.yaw if hint is not None and same else None
            fitted, stands = self._fit(touching, guess, model, yaw, table_z, hint if same else None)
            if same and fitted.cost > SURPRISING:  # the memory may be wrong
                afresh = self._fit(touching, guess, model, None, table_z, None)
                if afresh[0].cost < fitted.cost:
                    fitted, stands = afresh
            cost = fitted.cost + (0.0 if model.known else UNKNOWN)
            if hint is None and table_z is not None and not stands:
                cost += AFLOAT
            if cost < scores.get(model.class_name, np.inf):
                scores[model.class_name] = cost
            if fitted.inliers >= INLIERS and (best is None or cost < best[0]):
                best = (cost, model, fitted)
        if best is None or best[0] > self._params.fit_cost:
            return None
        _, model, fitted = best
        if table_z is not None and fitted.center[2] < table_z - 0.03:
            return None
        area = silhouette_area(model, fitted, view.K, view.T_level_camera)
        return Detection(
            blob.color, model, fitted, float(np.clip(blob.area / max(area, 1.0), 0.0, 1.0)), scores,
            None if hint is None else hint.id,
        )  # fmt: skip

    def _fit(
        self, touching: Planes, guess: np.ndarray, model: Model, yaw: float | None, table_z: float | None,
        hint: Hint | None,
    ) -> tuple[Fit, bool]:  # fmt: skip
        """The fit without the table; with it, where it turns out to stand there. And whether it stands."""
        noise = self._params.edge_noise
        if hint is not None:
            guess = hint.center
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


def _by_hint(found: list[Blob], hints: list[Hint], view: View) -> list[tuple[list[Blob], Hint | None]]:
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


def _partner(blob: Blob, right: list[Blob], near: float | None) -> tuple[Blob | None, float | None]:
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
    partner = segment.join(best[1])
    if not (blob.whole and partner.whole) and near is not None:
        return partner, near
    return partner, best[2]


def _order(sights: list[_Sight], right: list[Blob], shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
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


def _planes(blob: Blob, view: View, T: np.ndarray, order: np.ndarray, disparity: float, side: int) -> Planes:
    """Touching planes of a region's outline, without the parts at the border or made by what stands in front.

    ``side``: 0 for the left image, 1 for the right one, whose points are moved to the left one's, where
    disparities are known. ``order``: that of :func:`_order`.
    """
    shift = disparity * side
    edge = outline(blob.mask, blob.box)
    beside = view.disparity_at(edge.pixel + 5.0 * edge.normal + (shift, 0.0))
    own = view.disparity_at(edge.pixel - 3.0 * edge.normal + (shift, 0.0))
    own = np.where(own > 1.0, own, disparity)
    hidden = beside > own + IN_FRONT
    # Another thing right there, not clearly behind: the line between is that one's outline, not this one's.
    row, column = edge.outside[:, 1], edge.outside[:, 0]
    hidden |= (blob.mask[row, column] == 0) & (order[row, column] > disparity - BEHIND)
    if view.own is not None:
        arm = view.own[side][row, column]
        hidden |= (arm > 0.0) & (arm < view.K[0, 0] * view.baseline / own + BESIDE)
    use = edge.inside_image & ~hidden
    return planes(edge.pixel[use], edge.normal[use], view.K, T)


def _distinct(found: list[Detection]) -> list[Detection]:
    """Of two that claim the same place, the better-fitting one."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda d: d.fit.cost - d.visible_fraction):
        apart = [
            np.linalg.norm(one.fit.center[:2] - other.fit.center[:2])
            > 0.35 * (one.fit.size[:2].mean() + other.fit.size[:2].mean())
            or abs(one.fit.center[2] - other.fit.center[2]) > 0.4 * (one.fit.size[2] + other.fit.size[2])
            for other in kept
        ]
        if all(apart):
            kept.append(one)
    return kept


def draw(image: np.ndarray, view: View, found: list[Detection]) -> np.ndarray:
    """A copy of the left image with each detection's outline and name, for people."""
    from neo_perception.silhouette import silhouette

    picture = image.copy()
    for one in found:
        for hull in silhouette(one.model, one.fit, view.K, view.T_level_camera):
            cv2.polylines(picture, [np.rint(hull).astype(np.int32)], True, (255, 0, 255), 1)
        (u, v), _ = view.project(one.fit.center)
        text = f"{one.model.class_name} {one.visible_fraction:.1f}"
        cv2.putText(picture, text, (int(u) - 20, int(v)), cv2.FONT_HERSHEY_SIMPLEX, 0.3, (255, 255, 255), 1)
    return picture
