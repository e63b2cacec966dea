"""Where the ground can push: the convex hull of the standing soles."""

from __future__ import annotations

import numpy as np

from neo_description.skeleton import SOLE_CENTRE, SOLE_SIZE


def sole_middle(R: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Middle (2,) m of a sole with pose ``R`` (3, 3), ``p`` (3,)."""
    return p[:2] + SOLE_CENTRE * R[:2, 0]


def corners(middle: np.ndarray, heading: float, margin: float, wider: float = 0.0) -> np.ndarray:
    """(4, 2) m of a level sole, ``margin`` m inside its edges, to the sides ``wider`` m farther out."""
    x = max(SOLE_SIZE[0] / 2 - margin, 0.005)
    y = max(SOLE_SIZE[1] / 2 - margin, 0.005) + wider
    c, s = np.cos(heading), np.sin(heading)
    return middle + np.array([[x, y], [-x, y], [-x, -y], [x, -y]]) @ np.array([[c, s], [-s, c]])


def hull(points: np.ndarray) -> np.ndarray:
    """(m, 2) of the convex hull of ``points`` (n, 2), counter-clockwise (Andrew's monotone chain)."""
    rows = sorted(map(tuple, points.tolist()))
    chains = []
    for order in (rows, rows[::-1]):
        chain: list[tuple[float, float]] = []
        for p in order:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], p) <= 0.0:
                chain.pop()
            chain.append(p)
        chains.append(chain[:-1])
    return np.array(chains[0] + chains[1])


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def outside(polygon: np.ndarray, p: np.ndarray) -> float:
    """How far (m) ``p`` (2,) is outside of a counter-clockwise ``polygon`` (m, 2); negative inside."""
    inside = nearest(polygon, p)
    if inside is p:
        edge = np.roll(polygon, -1, axis=0) - polygon
        normal = np.column_stack([edge[:, 1], -edge[:, 0]]) / np.linalg.norm(edge, axis=1)[:, None]
        return float(((p - polygon) * normal).sum(axis=1).max())
    return float(np.linalg.norm(p - inside))


def nearest(polygon: np.ndarray, p: np.ndarray) -> np.ndarray:
    """``p`` itself inside of a counter-clockwise ``polygon`` (m, 2), else the nearest point of its edge."""
    edge = np.roll(polygon, -1, axis=0) - polygon
    way = p - polygon
    if np.all(edge[:, 0] * way[:, 1] - edge[:, 1] * way[:, 0] >= 0.0):
        return p
    share = np.clip((way * edge).sum(axis=1) / (edge * edge).sum(axis=1), 0.0, 1.0)
    foot = polygon + share[:, None] * edge
    return np.asarray(foot[np.argmin(((p - foot) ** 2).sum(axis=1))])
