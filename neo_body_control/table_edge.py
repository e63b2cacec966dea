"""Hands go round the near edge of a table: straight ways from over it to behind it lead through its top.

Seen from the side a gripper keeps out of the top and what is ``ABOVE`` and ``BELOW`` it, from ``BACK`` before
the edge on, for fingers reach that far. A way that would lead through there goes back before the edge first,
there to the height of its end, and then on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

BACK, ABOVE, BELOW = 0.20, 0.10, 0.15  # m that a gripper keeps from edge and top
PASSED = 0.02  # m: places nearer together are one
STEPS = 50  # of a way that is looked over
SAME = 0.03  # m: a top so much higher or lower is another table's
LEVEL = 0.005  # m


@dataclass(frozen=True)
class Edge:
    """Where a table begins, in odom: a point (3,) m on its edge, at the height of its top, and the level unit
    vector ``ahead`` (2,) from there over the table."""

    place: np.ndarray
    ahead: np.ndarray

    def along(self, p: np.ndarray) -> float:
        """m from the edge to ``p`` (3,), positive over the table."""
        return float((p[:2] - self.place[:2]) @ self.ahead)

    def above(self, p: np.ndarray) -> float:
        """m of ``p`` (3,) over the table's top."""
        return float(p[2] - self.place[2])

    def in_the_way(self, a: np.ndarray, b: np.ndarray) -> bool:
        """Whether the straight way from ``a`` to ``b`` (3,) leads through what is kept clear.

        No nearer to the top than an end of it is allowed: a hand may be asked to touch the table.
        """
        between = [a + share * (b - a) for share in np.linspace(0.0, 1.0, STEPS)[1:-1]]
        return any(self._kept_clear(p) and not self._as_near(p, (a, b)) for p in between)

    def _kept_clear(self, p: np.ndarray) -> bool:
        return self.along(p) > -BACK and -BELOW < self.above(p) < ABOVE

    def _as_near(self, p: np.ndarray, ends: tuple[np.ndarray, np.ndarray]) -> bool:
        off = self.above(p)
        close = [self.above(end) for end in ends if self.along(end) > -BACK]
        return any(off > at - LEVEL if at > 0.0 else off < at + LEVEL for at in close)


def around(edge: Edge, start: np.ndarray, goal: np.ndarray) -> list[np.ndarray]:
    """Gripper poses (4, 4) in odom on the way from ``start`` to ``goal``, which is the last of them."""
    a, b = start[:3, 3], goal[:3, 3]
    if not edge.in_the_way(a, b):
        return [goal]
    high_a, high_b = (
        max(p[2], edge.place[2] + ABOVE) if edge.above(p) > 0.0 and edge.along(p) > -BACK else p[2]
        for p in (a, b)
    )
    back = b[:2] - max(edge.along(b) + BACK, 0.0) * edge.ahead
    out, last = [], a
    for place in ((*a[:2], high_a), (*back, high_a), (*back, high_b), (*b[:2], high_b)):
        p = np.array(place)
        if min(np.linalg.norm(p - last), np.linalg.norm(p - b)) > PASSED:
            T = goal.copy()
            T[:3, 3] = last = p
            out.append(T)
    return [*out, goal]


def edge_of(T_odom_table: np.ndarray, size: np.ndarray, known: Edge | None) -> Edge:
    """The edge of a table top, of which a part ``size`` (m) about ``T_odom_table`` (4, 4) is seen.

    ``known``: what was seen of it before. As only a part may be in sight, the nearest edge seen counts.
    """
    ahead = T_odom_table[:2, 0] / max(math.hypot(*T_odom_table[:2, 0]), 1e-9)
    place = T_odom_table[:3, 3].copy()
    place[:2] -= size[0] / 2 * ahead
    seen = Edge(place, ahead)
    if known is None or abs(known.place[2] - place[2]) > SAME or known.along(place) < 0.0:
        return seen
    return Edge(np.array([*known.place[:2], place[2]]), known.ahead)
