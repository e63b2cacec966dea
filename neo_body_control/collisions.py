"""The body keeps clear of itself: capsules that come near each other slow down, as rows of the QP.

Velocity dampers (Faverjon and Tournassoud 1987) brought to accelerations: of two shapes ``d`` m apart, ``d``
may shrink no faster than ``(d - keep) / settle``, reached within ``horizon`` s,

    n · (J_a - J_b) qacc  >=  (-(d - keep) / settle - d') / horizon

with ``n`` the direction from b to a at the nearest points. Only pairs within ``near`` that would have to slow
down soon get a row, the most urgent first; the rows give way (soft) where nothing else is possible, so the
QP always has an answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from neo_description.tables import CONTROL_DT, SIDES

ROWS = 6  # pairs at a time
SLOWEST = 40.0  # m/s²: no row asks for more
EASY = -3.0  # m/s²: a row that allows as much needs not be asked
BIG = 1e30
OTHER = {"l": "r", "r": "l"}


def _pairs() -> tuple[tuple[str, str], ...]:
    """Links whose shapes keep clear of each other: arms of the trunk, the head, the legs and each other."""
    out = [("l_hand", "r_hand"), ("l_forearm", "r_forearm"), ("l_thigh", "r_thigh"), ("l_shank", "r_shank")]
    for s in SIDES:
        out += [(f"{s}_hand", link) for link in ("torso", "base_link", "head")]
        out += [(f"{s}_hand", f"{side}_thigh") for side in SIDES]
        out += [(f"{s}_forearm", link) for link in ("torso", "base_link", "head")]
        out.append((f"{s}_hand", f"{OTHER[s]}_forearm"))
    return tuple(out)


PAIRS = _pairs()


@dataclass(frozen=True)
class CollisionLimits:
    """``keep`` m: shall stay between two shapes; ``near`` m: from where on; ``settle``, ``horizon`` s."""

    keep: float
    near: float
    settle: float
    horizon: float


class SelfCollisions:
    """Of ``model``, whose shapes are named ``{link}_contact``; :meth:`update` after its kinematics.

    ``A`` (``ROWS``, nv) and ``low`` (``ROWS``,): rows ``A qacc >= low``, -1e30 where there is none;
    ``distance`` m of the nearest pair, ``nearest`` its names.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, limits: CollisionLimits):
        self._model, self._data, self._limits = model, data, limits
        geoms = [[model.geom(f"{link}_contact").id for link in pair] for pair in PAIRS]
        self._a, self._b = np.array(geoms).T
        self._body = model.geom_bodyid
        reach = model.geom_rbound
        self._clear = (reach[self._a] + reach[self._b] + limits.near) ** 2
        self.A = np.zeros((ROWS, model.nv))
        self.low = np.full(ROWS, -BIG)
        self._used = 0
        self._last = np.full(len(PAIRS), np.inf)  # m: distances a tick ago
        self._ends = np.zeros(6)
        self._Ja, self._Jb = np.zeros((2, 3, model.nv))
        self.distance, self.nearest = np.inf, ("", "")

    def update(self, qvel: np.ndarray) -> None:
        """Find the near pairs at the model's configuration, moving with ``qvel`` (nv,)."""
        s, data = self._limits, self._data
        between = data.geom_xpos[self._a] - data.geom_xpos[self._b]
        rows: list[tuple[float, float, int, int, np.ndarray]] = []
        last, self._last = self._last, np.full(len(PAIRS), np.inf)
        self.distance, self.nearest = np.inf, ("", "")
        for i in np.flatnonzero(np.einsum("ij,ij->i", between, between) < self._clear):
            a, b = int(self._a[i]), int(self._b[i])
            d = mujoco.mj_geomDistance(self._model, data, a, b, s.near, self._ends)
            if d >= s.near:
                continue
            if d < self.distance:
                self.distance, self.nearest = d, PAIRS[i]
            self._last[i] = d
            closing = (d - last[i]) / CONTROL_DT if last[i] < np.inf else 0.0
            low = (-(d - s.keep) / s.settle - closing) / s.horizon
            if low > EASY:
                rows.append((-low, d, a, b, self._ends.copy()))
        rows.sort(key=lambda row: row[0])
        for k, row in enumerate(rows[:ROWS]):
            self._row(k, qvel, *row[1:])
        for k in range(len(rows), self._used):
            self.A[k] = 0.0
            self.low[k] = -BIG
        self._used = min(len(rows), ROWS)

    def _row(self, k: int, qvel: np.ndarray, d: float, a: int, b: int, ends: np.ndarray) -> None:
        s = self._limits
        n = ends[:3] - ends[3:]
        length = float(np.sqrt(n @ n))
        if length < 1e-6:  # they touch at a point: apart along their middles
            n = self._data.geom_xpos[a] - self._data.geom_xpos[b]
            length = float(np.sqrt(n @ n)) or 1.0
        elif d < 0.0:  # one within the other
            n = -n
        n /= length
        mujoco.mj_jac(self._model, self._data, self._Ja, None, ends[:3], int(self._body[a]))
        mujoco.mj_jac(self._model, self._data, self._Jb, None, ends[3:], int(self._body[b]))
        self.A[k] = n @ (self._Ja - self._Jb)
        closing = float(self.A[k] @ qvel)
        self.low[k] = min((-(d - s.keep) / s.settle - closing) / s.horizon, SLOWEST)
