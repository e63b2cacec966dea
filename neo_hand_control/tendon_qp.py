"""From joint torques to tensions for any routing: one small quadratic programme for each finger.

    min  ‖W Cᵀ (A f - tau)‖² + eps ‖f - base‖²     s.t.  pretension ≤ f ≤ tension_max, |f - last| ≤ step

``A`` (n, m) are the moment arms of the group, ``W`` says how much a joint's missing torque matters, and
``base`` (m,) N is the co-contraction asked for. Where limits are met co-contraction is given up first, then
torque, in the joints that matter least. ``C`` (n, r) are passive couplings, dq = C dq_free: only torque along
free motion counts.

Joints that share no tendon do not touch each other, so the blocks of ``A`` are problems of their own. A block
with as many antagonist pairs (two tendons with opposite arms) as joints has its answer in closed form while
no limit is met, with ``P`` the arms of the first of each pair and d = P⁻¹ tau:

    f- = max((base+ + base- - d) / 2, pretension-, pretension+ - d)        f+ = f- + d

A tendon that has failed pulls what it pulls (``given``): its bounds close in on that, and the others of its
block make up for it as far as they can.

Everything else goes to DAQP, a dual active-set method (Arnström, Bemporad, Axehill 2022), exact and
warm-started: about 4 µs for a finger.
"""

from __future__ import annotations

import daqp
import numpy as np

from neo_description.errors import NeoError
from neo_description.masks import any_of
from neo_description.tables import JointGroup

GIVE = 1e-3  # N to each side of what a failed tendon pulls
EPS = 1e-9  # 1/N²: a full tension of 100 N off base counts as much as 0.3 % of a joint's effort


class TendonQp:
    """Torques of ``group`` to tensions within [pretension, ``most``].

    ``most`` (m,) N: the table's limits, until something lowers them; ``given`` (m,) N, NaN for tendons that
    are well, or ``None``: what failed ones pull; they are asked for their pretension. ``weights`` (r,)
    1/(N m): of each free joint's torque, one over its effort when not given; ``coupling`` (n, r): ``C``.
    ``solved``: blocks that needed the solver in the last call; ``failures``: times it gave up.
    """

    def __init__(
        self, group: JointGroup, weights: np.ndarray | None = None, coupling: np.ndarray | None = None
    ):
        self.group = group
        n, m = group.moment_arms.shape
        self._C = np.eye(n) if coupling is None else np.asarray(coupling, float)
        if self._C.ndim != 2 or self._C.shape[0] != n:
            raise NeoError(f"coupling has shape {self._C.shape}; ({n}, number of free joints) needed")
        r = self._C.shape[1]
        lead = np.abs(self._C).argmax(axis=0)  # the joint that stands for each free motion
        self.weights = 1.0 / group.effort[lead] if weights is None else np.asarray(weights, float)
        if self.weights.shape != (r,) or not (self.weights > 0.0).all():
            raise NeoError(f"weights {self.weights}; {r} positive numbers needed")
        self.arms = self._C.T @ group.moment_arms
        idle = [group.tendons[i] for i in range(m) if not self.arms[:, i].any()]
        if idle:
            raise NeoError(f"tendons that move no joint: {', '.join(idle)}")
        self.blocks = blocks(self.arms)
        closed = [
            (rows, pairs) for rows, columns in self.blocks if (pairs := _pairs(self.arms, rows, columns))
        ]
        self._rows = np.array([row for rows, _ in closed for row in rows], int)
        both = np.array([pair for _, pairs in closed for pair in pairs], int).reshape(-1, 2)
        self._plus, self._minus = both[:, 0], both[:, 1]
        self._inverse = np.linalg.inv(self.arms[np.ix_(self._rows, self._plus)])
        self._solvers = [_Solver(self, rows, columns) for rows, columns in self.blocks]
        self._unpaired = np.setdiff1d(np.arange(m), both)
        self.solved = 0
        self.most = group.tension_max
        self.given: np.ndarray | None = None

    @property
    def failures(self) -> int:
        """How often the solver gave up; the tensions of the closest pretension stood in."""
        return sum(solver.failures for solver in self._solvers)

    def __call__(
        self,
        torque: np.ndarray,
        base: np.ndarray | None = None,
        last: np.ndarray | None = None,
        step: float = np.inf,
    ) -> np.ndarray:
        """Tensions (m,) N for ``torque`` (n,) N m; ``base`` (m,) N, the pretension when not given.

        With ``last`` (m,) N no tension changes by more than ``step`` N, unless a limit asks for it.
        """
        group = self.group
        low, high = group.pretension, self.most
        if self.given is not None:
            failed = np.isfinite(self.given)
            low = np.where(failed, self.given - GIVE, low)
            high = np.where(failed, self.given + GIVE, np.maximum(high, low))
        base = group.pretension if base is None else base
        base = low if base is low else np.minimum(np.maximum(base, low), high)
        torque = self._C.T @ torque
        plus, minus = self._plus, self._minus
        f = np.empty(len(low))
        d = self._inverse @ torque[self._rows]
        slack = np.maximum(0.5 * (base[plus] + base[minus] - d), np.maximum(low[minus], low[plus] - d))
        f[minus], f[plus] = slack, slack + d
        if last is not None:
            last = np.minimum(np.maximum(last, low), high)
            low, high = np.maximum(low, last - step), np.minimum(high, last + step)
        f[self._unpaired] = np.inf  # no closed form
        outside = (f > high + 1e-9) | (f < low - 1e-9)
        self.solved = 0
        if any_of(outside):
            for solver in self._solvers:
                if outside[solver.columns].any():
                    f[solver.columns] = solver(torque, base, low, high)
                    self.solved += 1
        return f if self.given is None else np.where(failed, group.pretension, f)

    def torques(self, tension: np.ndarray) -> np.ndarray:
        """Joint torques (n,) N m of ``tension`` (m,) N: ``A @ f``."""
        return self.group.moment_arms @ tension


def blocks(arms: np.ndarray) -> list[tuple[list[int], list[int]]]:
    """Joints and tendons of ``arms`` (n, m) that hang together, in the order of their first joints."""
    found: list[tuple[list[int], list[int]]] = []
    left = set(range(len(arms)))
    while left:
        rows = {min(left)}
        while True:
            columns = np.flatnonzero(arms[sorted(rows)].any(axis=0))
            more = set(np.flatnonzero(arms[:, columns].any(axis=1)).tolist()) | rows
            if more == rows:
                break
            rows = more
        left -= rows
        found.append((sorted(rows), columns.tolist()))
    return found


def _pairs(arms: np.ndarray, rows: list[int], columns: list[int]) -> list[tuple[int, int]]:
    """Antagonist pairs of a block when they alone span its torques, else none."""
    pairs, left = [], list(columns)
    while left:
        i = left.pop(0)
        partner = next((j for j in left if np.allclose(arms[:, j], -arms[:, i], rtol=1e-9, atol=0.0)), None)
        if partner is None:
            return []
        left.remove(partner)
        pairs.append((i, partner))
    square = arms[np.ix_(rows, [i for i, _ in pairs])]
    return pairs if len(pairs) == len(rows) and np.linalg.matrix_rank(square) == len(rows) else []


class _Solver:
    """The programme of one block."""

    def __init__(self, qp: TendonQp, rows: list[int], columns: list[int]):
        self.rows, self.columns = rows, np.array(columns)
        self.failures = 0
        self._scale = qp.weights[rows]
        self._B = self._scale[:, None] * qp.arms[np.ix_(rows, columns)]
        self._H = self._B.T @ self._B + EPS * np.eye(len(columns))
        self._model: daqp.Model | None = None

    def __call__(self, torque: np.ndarray, base: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        c = self.columns
        low, high = low[c], high[c]
        g = -self._B.T @ (self._scale * torque[self.rows]) - EPS * base[c]
        if self._model is None:
            self._model = daqp.Model()
            n = len(c)
            self._model.setup(self._H, g, np.zeros((0, n)), high, low, np.zeros(n, np.int32))
        else:
            self._model.update(f=g, bupper=high, blower=low)
        f, _, flag, _ = self._model.solve()
        if flag <= 0 or not np.isfinite(f).all():
            self.failures += 1
            self._model = None  # start afresh next time: the working set may be at fault
            f = base[c]
        return np.minimum(np.maximum(f, low), high)
