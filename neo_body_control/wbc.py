"""The whole-body QP: accelerations and contact forces that serve the tasks best within what is possible.

Variables ``x = [qacc (37), f (24)]``, ``f`` the forces on 4 corners of each sole in odom's axes:

    min   Σ wₜ |Jₜ qacc + driftₜ - aₜ|²  +  Σ w_q (qacc - a_q)²  +  w_f |f|²
    s.t.  M qacc + h - Jcᵀ f - load = [0; tau],   |tau| ≤ effort
          |f_x| ≤ μ f_z,  |f_y| ≤ μ f_z,  0 ≤ f_z ≤ f_max   (0 where the sole does not stand)
          joint accelerations that keep angles and speeds within their limits
          parts of the body that are near each other slow down (:mod:`collisions`)

after Herzog et al. 2016 and Del Prete et al. 2016 (inverse dynamics as one QP, friction cones linearised).
That a standing sole stays where it is goes into the cost with a large weight: with 24 forces for 12
constraints this never conflicts, and the active set stays small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_body_control.collisions import ROWS as APART
from neo_body_control.collisions import SelfCollisions
from neo_body_control.dynamics import NV, Dynamics
from neo_body_control.qp import QpSolver
from neo_body_control.tasks import TaskStack
from neo_description.masks import any_of
from neo_description.skeleton import SOLE_CENTRE, SOLE_SIZE
from neo_description.tables import BODY, SIDES

NF = 24
N = NV + NF
M_ROWS = NV + 32 + APART
BIG = 1e30
STOP = 0.03  # rad from the end of a joint's range: there its stop bears it


@dataclass(frozen=True)
class WbcLimits:
    """``friction`` of the soles' pyramid; ``sole_margin`` share of the sole's size that corners use;
    ``force_weight`` 1/N²; ``horizon`` s in which joint limits are met; ``acceleration`` rad/s²."""

    friction: float
    sole_margin: float
    force_weight: float
    horizon: float
    acceleration: float
    effort_share: float


@dataclass(slots=True)
class WbcSolution:
    """``torque`` (31,) N m, ``acceleration`` (37,), ``force`` (24,) N."""

    torque: np.ndarray
    acceleration: np.ndarray
    force: np.ndarray


class WholeBodyQp:
    """Assembles and solves the QP in arrays made once."""

    def __init__(self, limits: WbcLimits):
        self.limits = limits
        self.solver = QpSolver(N, M_ROWS, 6, soft=APART)
        self._H = np.zeros((N, N))
        self._H_a = np.zeros((NV, NV))
        self._g = np.zeros(N)
        self._A = np.zeros((M_ROWS, N))
        self._low = np.full(N + M_ROWS, -BIG)
        self._high = np.full(N + M_ROWS, BIG)
        self._effort = BODY.effort * limits.effort_share
        self.limit(None)
        n, T, most = len(BODY.joints), limits.horizon, limits.acceleration
        # one for each joint: numpy takes arrays faster than floats
        self._horizon, self._per_horizon2 = np.full(n, T), np.full(n, 2.0 / T**2)
        self._half, self._most = np.full(n, 0.5 * most), np.full(n, most)
        self._Jc = np.zeros((NF, NV))
        self._arms = np.zeros((4, 3, 3))
        half = np.array(SOLE_SIZE[:2]) / 2 * limits.sole_margin
        self._corners = np.array(
            [[SOLE_CENTRE + sx * half[0], sy * half[1], 0.0] for sx in (1, -1) for sy in (1, -1)]
        )
        for i in range(NF):
            self._H[NV + i, NV + i] = limits.force_weight
        self._friction_rows(limits.friction)
        self._low[NV:N] = -BIG
        self._fz = {s: slice(NV + 2 + 12 * k, NV + 12 * (k + 1), 3) for k, s in enumerate(SIDES)}
        for rows in self._fz.values():
            self._low[rows] = 0.0

    def solve(
        self,
        dynamics: Dynamics,
        tasks: TaskStack,
        q: np.ndarray,
        v: np.ndarray,
        stands: dict[str, bool],
        load: np.ndarray,
        apart: SelfCollisions | None = None,
    ) -> WbcSolution | None:
        """One tick. ``q``, ``v`` (31,) joints; ``load`` (37,): generalised force of what the hands carry;
        ``apart``: what shall not touch.

        ``None`` when no solver found an answer.
        """
        low, high, A = self._low, self._high, self._A
        tasks.cost(self._H_a, self._g[:NV])
        self._H[:NV, :NV] = self._H_a
        self._contacts(dynamics, stands)
        A[:NV, :NV] = dynamics.M
        np.negative(self._Jc.T, out=A[:NV, NV:])
        h = dynamics.h - load
        low[N : N + NV] = high[N : N + NV] = -h
        low[N + 6 : N + NV] += self._least
        high[N + 6 : N + NV] += self._greatest
        self._joint_limits(q, v, low[6:NV], high[6:NV])
        if apart is not None:
            A[-APART:, :NV] = apart.A
            low[-APART:] = apart.low
        if self._loose is not None:
            self._rest_on_stops(q, self._loose, low, high)
        x = self.solver.solve(self._H, self._g, A, low, high)
        if x is None:
            return None
        qacc, f = x[:NV], x[NV:]
        torque = dynamics.M[6:] @ qacc + h[6:] - self._Jc[:, 6:].T @ f
        return WbcSolution(torque=torque, acceleration=qacc, force=f)

    def limit(
        self, torque_range: tuple[np.ndarray, np.ndarray] | None, broken: np.ndarray | None = None
    ) -> None:
        """From now on joints can do no more than ``torque_range`` (n,) and (n,) N m; ``None``: their effort.

        A joint that cannot do its effort cannot be held to its limits of angle and speed; its stop does that.
        Where only some of them are ``broken`` (n,) bool, the others are held, whatever they can do.
        """
        self._least, self._greatest, self._loose = -self._effort, self._effort, None
        if torque_range is not None:
            low, high = torque_range
            self._least = np.minimum(np.maximum(low, -self._effort), self._effort)
            self._greatest = np.maximum(np.minimum(high, self._effort), -self._effort)
            if broken is None or any_of(broken):
                less = (low > -self._effort) | (high < self._effort)
                self._loose = np.flatnonzero(less if broken is None else less & broken)

    def _rest_on_stops(self, q: np.ndarray, loose: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        """Joints ``loose`` may run against their stops, and are borne by the one they have come to."""
        low[6:NV][loose], high[6:NV][loose] = -BIG, BIG
        effort, at = self._effort[loose], q[loose]
        more, less = at < BODY.q_min[loose] + STOP, at > BODY.q_max[loose] - STOP
        high[N + 6 : N + NV][loose] += np.where(more, np.maximum(effort - self._greatest[loose], 0.0), 0.0)
        low[N + 6 : N + NV][loose] -= np.where(less, np.maximum(effort + self._least[loose], 0.0), 0.0)

    def _contacts(self, dynamics: Dynamics, stands: dict[str, bool]) -> None:
        """Jacobian of the corners, and which soles may push."""
        for k, side in enumerate(SIDES):
            sole = dynamics.frames[f"{side}_sole"]
            rows = self._Jc[12 * k : 12 * (k + 1)]
            x, y, z = (self._corners @ sole.R.T).T
            arms = self._arms  # force at a corner to moment about the sole's origin, transposed: -hat(corner)
            arms[:, 0, 1], arms[:, 0, 2] = z, -y
            arms[:, 1, 2], arms[:, 1, 0] = x, -z
            arms[:, 2, 0], arms[:, 2, 1] = y, -x
            np.matmul(arms.reshape(12, 3), sole.J[3:], out=rows)
            rows.reshape(4, 3, NV)[:] += sole.J[:3]
            self._high[self._fz[side]] = 600.0 if stands[side] else 0.0

    def _friction_rows(self, mu: float) -> None:
        """``±f_x - μ f_z ≤ 0`` and the same for y, at each corner."""
        row = NV
        for corner in range(8):
            for axis in (0, 1):
                for sign in (1.0, -1.0):
                    self._A[row, NV + 3 * corner + axis] = sign
                    self._A[row, NV + 3 * corner + 2] = -mu
                    self._high[N + row] = 0.0
                    row += 1

    def _joint_limits(self, q: np.ndarray, v: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        """Accelerations that reach neither an angle's nor a speed's limit within the horizon."""
        T, k, half, most = self._horizon, self._per_horizon2, self._half, self._most
        ahead = q + T * v
        np.minimum(k * (BODY.q_max - ahead), (BODY.velocity - v) / T, out=high)
        np.maximum(k * (BODY.q_min - ahead), (-BODY.velocity - v) / T, out=low)
        np.minimum(np.maximum(high, -half, out=high), most, out=high)
        np.maximum(np.minimum(low, half, out=low), -most, out=low)
        np.minimum(low, high, out=low)
