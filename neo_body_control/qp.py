"""The solver behind the whole-body QP: DAQP, warm-started and preallocated; ProxQP when it fails.

    min ½ xᵀ H x + gᵀ x     s.t.  low ≤ [x; A x] ≤ high        rows where low == high are equalities

DAQP is a dual active-set method (Arnström, Bemporad, Axehill 2022): exact, and fast while the active set
stays as it was. ProxQP is an augmented-Lagrangian method (Bambade et al. 2022), slower and hard to break.
"""

from __future__ import annotations

import daqp
import numpy as np
from proxsuite import proxqp

from neo_description.masks import all_of

EQUALITY, SOFT = 5, 8  # DAQP's words for them in `sense`


class QpSolver:
    """``n`` variables, ``m`` rows of ``A``; the first ``equalities`` rows are equalities, the last ``soft``
    ones give way where nothing else is possible (in DAQP).

    ``failures``: how often DAQP and ProxQP gave up.
    """

    def __init__(self, n: int, m: int, equalities: int, soft: int = 0):
        self._n, self._m, self._equalities = n, m, equalities
        self._sense = np.zeros(n + m, np.int32)
        self._sense[n : n + equalities] = EQUALITY
        self._sense[n + m - soft :] = SOFT
        self._model: daqp.Model | None = None
        self._prox: proxqp.dense.QP | None = None
        self.failures = {"daqp": 0, "proxqp": 0}

    def solve(
        self, H: np.ndarray, g: np.ndarray, A: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> np.ndarray | None:
        """``x`` (n,), or ``None`` when both solvers failed. ``low``/``high`` (n + m,): bounds, then rows."""
        x = self._daqp(H, g, A, low, high)
        if x is not None:
            return x
        self.failures["daqp"] += 1
        self._model = None  # start afresh next time: the working set may be at fault
        x = self._proxqp(H, g, A, low, high)
        if x is None:
            self.failures["proxqp"] += 1
        return x

    def _daqp(
        self, H: np.ndarray, g: np.ndarray, A: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> np.ndarray | None:
        if self._model is None:
            model = daqp.Model()
            flag = model.setup(H, g, A, high, low, self._sense)
            flag = flag[0] if isinstance(flag, tuple) else flag
            if flag < 0:
                return None
            model.settings = {"iter_limit": 300}
            self._model = model
        elif self._model.update(H=H, f=g, A=A, bupper=high, blower=low) < 0:
            return None
        x, _, flag, _ = self._model.solve()
        return x if flag > 0 and all_of(np.isfinite(x)) else None

    def _proxqp(
        self, H: np.ndarray, g: np.ndarray, A: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> np.ndarray | None:
        n, e = self._n, self._equalities
        args = (H, g, A[:e], low[n : n + e], A[e:], low[n + e :], high[n + e :], low[:n], high[:n])
        if not all(np.isfinite(a).all() for a in args):
            return None
        if self._prox is None:
            self._prox = proxqp.dense.QP(n, e, self._m - e, True)
            self._prox.settings.eps_abs = 1e-5
            self._prox.settings.max_iter = 200
            self._prox.init(*args)
        else:
            self._prox.update(*args)
        self._prox.solve()
        solved = self._prox.results.info.status == proxqp.QPSolverOutput.PROXQP_SOLVED
        return np.array(self._prox.results.x) if solved else None
