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

STRAIGHT = 0.25  # |N·e| below which a plane is taken to contain the edge direction e
UP = np.array([0.0, 0.0, 1.0])
FREE = (1.0, 1.0, 1.0)  # m: spread of the centre about the guess: next to none
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
) -> Fit:
    """The thing of ``model`` that touches ``planes``; ``guess`` (3,) m is a rough centre.

    ``edge_px``: standard deviation (px) of one outline point. ``yaw``: where a box is looked for first (the
    whole quarter turn is searched without it).
    """
    distance = np.linalg.norm(guess - planes.origin, axis=1)
    sigma = edge_px * planes.pixel * distance
    if model.shape == "box":
        return _fit_box(planes, guess, model, sigma, support, yaw)
    center, H = guess, model.size[2]
    for _ in range(2 if len(model.segments) > 1 else 1):
        if model.shape == "spheroid":
            A, b, mean, spread = _spheroid(planes, guess, model)
        else:
            A, b, mean, spread = _stack(planes, center, guess, H, model)
        solution = _solve(A, b, mean, spread, sigma, support)
        center, H = solution.x[:3], 2 * solution.x[3]
    x = solution.x
    size = x[3] * (model.size / model.size[2]) if model.shape == "spheroid" else np.array([x[4], x[4], x[3]])
    return Fit(center, np.maximum(2 * size, LEAST), 0.0, solution)


def snap(planes: Planes, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normals made to contain ``direction`` (3,) where they almost do; and which ones (n,) bool."""
    straight = np.abs(planes.normal @ direction) < STRAIGHT
    exact = np.cross(planes.ray, direction)
    length = np.linalg.norm(exact, axis=1)
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


def _stack(planes: Planes, center: np.ndarray, guess: np.ndarray, H: float, model: Model) -> tuple:
    """Unknowns: centre (3), half height, one radius a segment. ``center``, ``H``: the last solution, which
    says to which segment an outline point belongs; points near a step between segments are left out."""
    N, side = snap(planes, UP)
    ray = planes.ray
    level = np.maximum(np.hypot(ray[:, 0], ray[:, 1]), 1e-6)
    to_axis = np.sum((center[:2] - planes.origin[:, :2]) * ray[:, :2], 1) / level**2
    share = (planes.origin[:, 2] + to_axis * ray[:, 2] - center[2]) / H + 0.5
    lean = -ray[:, 2] / level / H  # how fast a ray sinks: what it meets behind the axis looks higher
    across = np.hypot(N[:, 0], N[:, 1])
    up = ~side & (N[:, 2] > 0)
    down = ~side & (N[:, 2] < 0)
    A = np.zeros((len(N), 4 + len(model.segments)))
    off = np.full(len(N), 0.08)  # of the height: how far an edge may be from where it should be
    single = len(model.segments) == 1
    for k, s in enumerate(model.segments):
        on_side = side & ((s.low + 0.03 < share) & (share < s.high - 0.02) | single)
        A[on_side, 3], A[on_side, 4:] = 0.0, 0.0
        A[on_side, 4 + k] = across[on_side]
        for which, edge, sign in ((up, s.high, 1.0), (down, s.low, -1.0)):
            wrong = np.abs(share - edge - sign * lean * s.radius)
            nearer = which & ((wrong < off) | single)
            off = np.where(nearer, wrong, off)
            A[nearer, 4:] = 0.0
            A[nearer, 4 + k] = across[nearer]
            A[nearer, 3] = N[nearer, 2] * (2.0 * edge - 1.0)
    use = np.any(A != 0.0, axis=1)
    A[:, :3] = np.where(use[:, None], N, 0.0)
    b = np.where(use, np.sum(N * planes.origin, 1), 0.0)
    mean = np.r_[guess, model.size[2] / 2, [s.radius for s in model.segments]]
    spread = [model.sigma[0] / model.size[0] * s.radius for s in model.segments]
    return A, b, mean, np.r_[FREE, model.sigma[2] / 2, spread]


def _fit_box(planes, guess, model, sigma, support, yaw) -> Fit:
    span = np.pi / 4 if yaw is None else 0.12
    middle = 0.0 if yaw is None else yaw
    yaws = middle + np.linspace(-span, span, 12 if yaw is None else 5, endpoint=yaw is not None)
    step = yaws[1] - yaws[0]
    found: list[tuple[_Solution, float]] = []
    for _ in range(3):
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
        exact, straight = snap(planes, axes[k])
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
    x: np.ndarray
    covariance: np.ndarray
    cost: float
    inliers: float


def _solve(A, b, mean, prior_sigma, sigma, support: Support | None) -> _Solution:
    """Robust weighted least squares with a Gaussian prior; rows of zeros count as misfit, not as data.

    The unknowns begin with centre and half height. The cost is the mean Cauchy loss of all planes plus the
    sizes' share, so that shapes can be compared.
    """
    n = len(b)
    As, bs = A / sigma[:, None], b / sigma
    P = np.diag(prior_sigma**-2)
    q = P @ mean
    if support is not None:  # centre - half height = what it stands on
        row = np.zeros(len(mean))
        row[2], row[3] = 1.0, -1.0
        P = P + np.outer(row, row) / support.sigma**2
        q = q + row * support.z / support.sigma**2
    used = np.any(A != 0.0, axis=1)
    w = used.astype(float)
    for _ in range(5):
        Aw = As * w[:, None]
        H = Aw.T @ As + P
        x = np.linalg.solve(H, Aw.T @ bs + q)
        r = As @ x - bs
        w = used / (1.0 + (r / ROBUST) ** 2)
    loss = np.where(used, ROBUST**2 * np.log1p((r / ROBUST) ** 2), 1.5)
    sizes = ((x - mean) / prior_sigma)[3:]
    cost = (loss.sum() + np.sum(sizes**2)) / max(n, 1)
    good = float(np.mean(used & (np.abs(r) < 3.0))) if n else 0.0
    # Neighbouring outline points share their error (blur, aliasing): count one in three as independent.
    return _Solution(x, 3.0 * np.linalg.inv(H), float(cost), good)
