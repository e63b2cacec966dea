"""Fits upright primitives to the planes that touch a body from outside, by robust linear least squares.

For a convex body with centre c the plane through an outline point, with outward normal N and through the
camera's centre o, satisfies ``N·c + h(N) = N·o`` where h is the support function about the centre:

- upright spheroid of width kH and height H: ``H/2 sqrt(k² |N_xy|² + N_z²)``
- upright cylinder of radius r and height H: ``r |N_xy| + H/2 |N_z|``; a bottle is a stack of them
- upright box a × b × H, turned by yaw: ``a/2 |N·e1| + b/2 |N·e2| + H/2 |N_z|``

All are linear in centre and size, so both images' outlines, priors on size, and the table under the thing go
into one small system (Schneider 2014, "Convex Bodies", section 1.7, for the support function). On a straight
edge the touching point is not unique and a noisy normal tilts about it: normals that lie almost across an
edge's direction are made exactly so.

Everything is in a level frame: z up, m.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_perception.contour import Planes
from neo_perception.models import LEAST, Model

NEARER_FURTHER = (-0.015, 0.015)  # m
STRAIGHT = 0.25  # |N·e| below which a plane is taken to contain the edge direction e
UP = np.array([0.0, 0.0, 1.0])
FREE = (1.0, 1.0, 1.0)  # m: spread of the centre about the guess: next to none
ITERATIONS = 4
MOST, UNUSED = 8.0, 2.5  # loss of a point far off, and of one that fits no part of the thing
DEPENDENT = 3.0  # neighbouring outline points share blur and aliasing: so many count as one measurement
ROBUST = 2.0  # residuals beyond this many sigmas count less and less (Cauchy)


@dataclass(slots=True)
class Fit:
    """``center`` (3,) m and its ``covariance`` (3, 3), ``size`` (3,) m along the own axes, ``yaw`` rad,
    ``cost`` per plane (below 1 where the shape is right), ``inliers`` share of planes within 3 sigma."""

    center: np.ndarray
    size: np.ndarray
    yaw: float
    solution: _Solution

    @property
    def covariance(self) -> np.ndarray:
        return self.solution.covariance[:3, :3]

    @property
    def cost(self) -> float:
        return self.solution.cost

    @property
    def inliers(self) -> float:
        return self.solution.inliers


@dataclass(frozen=True)
class Support:
    """The height ``z`` m (with ``sigma``) of what the thing stands on."""

    z: float
    sigma: float


def fit(
    planes: Planes,
    guess: np.ndarray,
    model: Model,
    edge_px: float,
    support: Support | None = None,
    yaw: float | None = None,
    feet: tuple[float, ...] = (),
    near: Fit | None = None,
) -> Fit:
    """The thing of ``model`` that touches ``planes``; ``guess`` (3,) m is a rough centre.

    ``edge_px``: standard deviation (px) of one outline point. ``yaw``: where a box is looked for first (the
    whole quarter turn is searched without it). ``feet``: heights (m) at which a stack may begin; each is
    tried, because the segment that a point belongs to depends on it (default: as ``guess`` has it).
    ``near``: a fit of the same model to the same planes, which only has to be refined.
    """
    distance = np.linalg.norm(guess - planes.origin, axis=1)
    sigma = edge_px * planes.pixel * distance
    if model.shape == "box":
        return _fit_box(planes, guess, model, sigma, support, yaw, near)
    if model.shape == "spheroid":
        A, b, mean, spread = _spheroid(planes, guess, model)
        solution = _solve(A, b, mean, spread, sigma, support)
        size = solution.x[3] * (model.size / model.size[2])
        return Fit(solution.x[:3], np.maximum(2 * size, LEAST), 0.0, solution)
    several = len(model.segments) > 1
    if near is not None:
        solution = _fit_stack(planes, guess, model, sigma, support, 1, near.solution.x)
    elif several:
        starts = _starts(planes, guess, model, feet)
        found = [_fit_stack(planes, start, model, sigma, support, 2) for start in starts]
        best = min(found, key=lambda s: s.cost)
        solution = _fit_stack(planes, best.x[:3], model, sigma, support, 2, best.x)
    else:
        solution = _fit_stack(planes, guess, model, sigma, support, 3)
    size = 2 * solution.x[[4, 4, 3]]
    return Fit(solution.x[:3], np.maximum(size, LEAST), 0.0, solution)


def _starts(planes: Planes, guess: np.ndarray, model: Model, feet: tuple[float, ...]) -> list[np.ndarray]:
    """Where a stack's centre may be: on each of ``feet``, and nearer and further if unsure."""
    away = (guess - planes.origin[0])[:2]
    away /= max(np.linalg.norm(away), 1e-6)
    heights = [foot + model.size[2] / 2 for foot in feet] or [guess[2]]
    offs = NEARER_FURTHER if len(feet) > 1 else (0.0,)
    return [np.r_[guess[:2] + off * away, z] for z in heights for off in offs]


def _fit_stack(planes, start, model, sigma, support, rounds, x=None) -> _Solution:
    radii = np.array([segment.radius for segment in model.segments])
    mean = np.r_[start, model.size[2] / 2, radii]
    spread = np.r_[FREE, model.sigma[2] / 2, model.sigma[0] / model.size[0] * radii]
    x = mean if x is None else x
    for _ in range(rounds):
        A, b = _stack(planes, x, sigma, model)
        solution = _solve(A, b, mean, spread, sigma, support, x)
        x = solution.x
    return solution


def snap(planes: Planes, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normals made to contain ``direction`` (3,) where they almost do; and which ones (n,) bool."""
    straight = np.abs(planes.normal @ direction) < STRAIGHT
    (x, y, z), (a, b, c) = planes.ray.T, direction
    exact = np.column_stack([y * c - z * b, z * a - x * c, x * b - y * a])  # ray × direction
    length = np.sqrt(np.sum(exact * exact, 1))
    straight &= length > 0.2  # seen along the edge: no plane
    exact *= (np.sign(np.sum(exact * planes.normal, 1)) / np.maximum(length, 1e-9))[:, None]
    return np.where(straight[:, None], exact, planes.normal), straight


def _spheroid(planes: Planes, guess: np.ndarray, model: Model) -> tuple:
    """Unknowns: centre (3), half height; width and height keep the model's proportion."""
    N = planes.normal
    wide = (N[:, :2] * (model.size[:2] / model.size[2])) ** 2
    A = np.column_stack([N, np.sqrt(wide.sum(1) + N[:, 2] ** 2)])
    mean = np.r_[guess, model.size[2] / 2]
    return A, np.sum(N * planes.origin, 1), mean, np.r_[FREE, model.sigma[2] / 2]


def _stack(planes: Planes, x: np.ndarray, sigma: np.ndarray, model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Unknowns: centre (3), half height, one radius a segment.

    Each outline point lies on a side, an upper or a lower rim of a segment: on the one that it fits best
    at the last solution ``x``, among those that its normal and its height allow.
    """
    straight, on_side = planes.upright(snap)
    raw = planes.normal
    offsets = {id(N): np.sum(N * planes.origin, 1) for N in (raw, straight)}
    ray = planes.ray
    level = np.maximum(np.hypot(ray[:, 0], ray[:, 1]), 1e-6)
    H = 2 * x[3]
    to_axis = np.sum((x[:2] - planes.origin[:, :2]) * ray[:, :2], 1) / level**2
    share = (planes.origin[:, 2] + to_axis * ray[:, 2] - x[2]) / H + 0.5  # of the height, at the axis
    slope = np.abs(ray[:, 2]) / level / H  # what a ray meets before or behind the axis looks lower, higher
    several = len(model.segments) > 1
    n, m = len(raw), len(x)
    best_A, best_b, best_r = np.zeros((n, m)), np.zeros(n), np.full(n, np.inf)
    for k, s in enumerate(model.segments):
        reach = slope * s.radius + 0.04
        for part in ("side", "top", "bottom"):
            N = straight if part == "side" else raw
            A = np.zeros((n, m))
            A[:, :3] = N
            A[:, 4 + k] = np.hypot(N[:, 0], N[:, 1])
            if part == "side":
                allowed = on_side
                low, high = s.low, s.high
            else:
                edge = s.high if part == "top" else s.low
                A[:, 3] = N[:, 2] * (2 * edge - 1)
                allowed = N[:, 2] > 0.05 if part == "top" else N[:, 2] < -0.05
                low = high = edge
            if several:
                allowed = allowed & (share > low - reach) & (share < high + reach)
            b = offsets[id(N)]
            r = np.where(allowed, np.abs(A @ x - b) / sigma, np.inf)
            nearer = r < best_r
            best_A[nearer], best_b[nearer], best_r[nearer] = A[nearer], b[nearer], r[nearer]
    return best_A, best_b


def _fit_box(planes, guess, model, sigma, support, yaw, near: Fit | None) -> Fit:
    if near is not None:
        yaws, rounds, step = np.array([near.yaw]), 1, 0.0
    elif yaw is not None:
        yaws, rounds, step = yaw + np.array([-0.1, 0.0, 0.1]), 3, 0.1
    else:
        step, rounds = np.pi / 20, 3
        yaws = step * np.arange(10)
    found: list[tuple[_Solution, float]] = []
    for _ in range(rounds):
        found += [(_box_at(planes, guess, model, sigma, support, angle), angle) for angle in yaws]
        found = [min(found, key=lambda item: item[0].cost)]
        step /= 3
        yaws = found[0][1] + step * np.array([-1.0, 1.0])
    solution, angle = found[0]
    size = 2 * solution.x[[4, 5, 3]]
    if (size[1] > size[0]) != (model.size[1] > model.size[0]):  # sides as the registry has them
        size, angle = size[[1, 0, 2]], angle + np.pi / 2
    angle = (angle + np.pi / 2) % np.pi - np.pi / 2
    return Fit(solution.x[:3], np.maximum(size, LEAST), float(angle), solution)


def _box_at(planes: Planes, guess: np.ndarray, model: Model, sigma, support, yaw: float) -> _Solution:
    """Unknowns: centre (3), half height, half sides; which side is the long one is not known yet."""
    c, s = np.cos(yaw), np.sin(yaw)
    axes = np.array([[c, s, 0.0], [-s, c, 0.0], UP])
    nearest = np.argmin(np.abs(planes.normal @ axes.T), axis=1)
    N = planes.normal.copy()
    for k in range(3):
        exact, straight = snap(planes, axes[k]) if k < 2 else planes.upright(snap)
        which = straight & (nearest == k)
        N[which] = exact[which]
    A = np.column_stack([N, np.abs(N @ axes[[2, 0, 1]].T)])
    side = model.size[:2].mean()
    wide = np.hypot(model.sigma[:2].mean(), 0.5 * abs(model.size[0] - model.size[1]))
    mean = np.r_[guess, model.size[2] / 2, side / 2, side / 2]
    prior = np.r_[FREE, model.sigma[2] / 2, wide / 2, wide / 2]
    return _solve(A, np.sum(N * planes.origin, 1), mean, prior, sigma, support)


@dataclass(slots=True)
class _Solution:
    """Unknowns ``x`` (m,), the inverse ``information`` (m, m) of their covariance; see :class:`Fit`."""

    x: np.ndarray
    information: np.ndarray
    cost: float
    inliers: float

    @property
    def covariance(self) -> np.ndarray:
        return np.linalg.inv(self.information)


def _solve(A, b, mean, prior_sigma, sigma, support: Support | None, x=None) -> _Solution:
    """Robust weighted least squares with a Gaussian prior; rows of zeros count as misfit, not as data.

    The unknowns begin with centre and half height. The cost is the mean Cauchy loss of all planes plus the
    sizes' share, so that shapes can be compared.
    """
    n = len(b)
    As, bs = A / sigma[:, None], b / sigma
    P = DEPENDENT * np.diag(prior_sigma**-2)
    q = P @ mean
    if support is not None:  # centre - half height = what it stands on
        row = np.zeros(len(mean))
        row[2], row[3] = 1.0, -1.0
        P = P + DEPENDENT / support.sigma**2 * np.outer(row, row)
        q = q + DEPENDENT / support.sigma**2 * support.z * row
    used = np.any(A != 0.0, axis=1)
    w = used.astype(float)
    if x is not None:
        w = used / (1.0 + ((As @ x - bs) / (2 * ROBUST)) ** 2)  # gentler: this is not the solution yet
    for _ in range(ITERATIONS):
        Aw = As * w[:, None]
        H = Aw.T @ As + P
        x = np.linalg.solve(H, Aw.T @ bs + q)
        r = As @ x - bs
        w = used / (1.0 + (r / ROBUST) ** 2)
    loss = np.where(used, np.minimum(ROBUST**2 * np.log1p((r / ROBUST) ** 2), MOST), UNUSED)
    sizes = ((x - mean) / prior_sigma)[3:]
    cost = (loss.sum() + DEPENDENT * np.sum(sizes**2)) / max(n, 1)
    good = float(np.mean(used & (np.abs(r) < 3.0))) if n else 0.0
    return _Solution(x, H / DEPENDENT, float(cost), good)
