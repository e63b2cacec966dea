"""From joint torques to tensions that only pull, in closed form.

Each joint ``j`` has a pair of tendons with the same moment arms and opposite sign, ``tau = P @ d`` with
``P = moment_arms[:, 0::2]`` (n, n) and ``d = f_plus - f_minus``. The tensions of least sum that keep both
tendons at ``base`` (pretension, or more to stiffen the joint) or above are

    f_plus = base + max(d, 0)        f_minus = base + max(-d, 0)        d = P⁻¹ tau

``P`` is diagonal in the body and upper triangular in the hands, where a distal joint's tendons also cross
the joints before it. Where a limit is met, back substitution lets the joints before take up what the
limited tendon leaves of their own torque.

A tendon that has failed pulls what it pulls, ``given``; its partner takes what is left:

    f_minus = max(base, given_plus - d)        f_plus = max(base, given_minus + d)

Where arms change with posture, each tendon's by its own factor ``scale``, all this holds for
``x = scale f``, with bases that may differ in a pair: ``d - (base_plus - base_minus)`` in the place of ``d``.
"""

from __future__ import annotations

import numpy as np

from neo_description.errors import NeoError
from neo_description.masks import any_of
from neo_description.tables import JointGroup


class TensionDistribution:
    """Torques of ``group`` to tensions within [pretension, ``most``].

    ``most`` (m,) N: the table's limits, until something lowers them. ``given`` (m,) N, NaN for tendons that
    are well, or ``None``: what failed tendons pull, whatever is asked of them. ``scale`` (m,), or ``None``:
    arms over those of the table.
    """

    def __init__(self, group: JointGroup):
        self.group = group
        self._P = np.array(group.moment_arms[:, 0::2])
        if not np.allclose(self._P, np.triu(self._P)):
            raise NeoError("moment arms are not triangular: a tendon crosses joints listed after its own")
        self._inverse = np.linalg.inv(self._P)
        self._arm = np.diag(self._P).copy()
        self.most = group.tension_max
        self.given: np.ndarray | None = None
        self.scale: np.ndarray | None = None

    def __call__(self, torque: np.ndarray, pretension: np.ndarray | None = None) -> np.ndarray:
        """Tensions (m,) N for ``torque`` (n,) N m.

        ``pretension`` (m,) N may lie above the table's: more of it in both tendons of a pair (co-contraction)
        stiffens the joint without turning it. Below the table's it is raised, above the limit lowered.
        """
        group, scale = self.group, self.scale
        least = group.pretension if pretension is None else np.maximum(pretension, group.pretension)
        base, most, given = self._at_the_tables_arms(least)
        d = self._inverse @ torque
        f = _spread(d, base)
        if given is not None or any_of(f > most):
            base = np.minimum(base, most)
            low, high = _pulls(base, most, given)
            d = self._limited(np.asarray(torque, float), low, high)
            f = _spread(d, base)
            if given is not None:
                _around(given, d, base, most, f)
        if scale is not None:
            f /= scale
            np.minimum(np.maximum(f, np.minimum(least, self.most), out=f), self.most, out=f)  # rounding
        return f

    def torque_range(self) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest torque (n,) N m of each joint by its own tendons."""
        base, most, given = self._at_the_tables_arms(self.group.pretension)
        low, high = _pulls(np.minimum(base, most), most, given)
        return self._arm * low, self._arm * high

    def torques(self, tension: np.ndarray) -> np.ndarray:
        """Joint torques (n,) N m of ``tension`` (m,) N: ``A @ f``."""
        f = tension if self.scale is None else self.scale * tension
        return self._P @ (f[0::2] - f[1::2])

    def _at_the_tables_arms(self, base: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """``base``, ``most`` and ``given`` (m,) N as forces that would do the same at the table's arms."""
        scale = self.scale
        if scale is None:
            return base, self.most, self.given
        return scale * base, scale * self.most, None if self.given is None else scale * self.given

    def _limited(self, torque: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Back substitution, each pair's pull within [low, high] (n,) N."""
        d = np.zeros(len(torque))
        for i in range(len(torque) - 1, -1, -1):
            own = (torque[i] - self._P[i, i + 1 :] @ d[i + 1 :]) / self._arm[i]
            d[i] = min(max(own, low[i]), high[i])
        return d


def _spread(d: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Tensions (m,) N of least sum that differ by ``d`` (n,) N in each pair, none below ``base`` (m,) N."""
    plus, minus = base[0::2], base[1::2]
    ahead = d - (plus - minus)
    f = np.empty(len(base))
    np.maximum(ahead, 0.0, out=f[0::2])
    np.maximum(-ahead, 0.0, out=f[1::2])
    f += base
    return f


def _pulls(base: np.ndarray, most: np.ndarray, given: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest difference (n,) N of each pair whose tendons pull from ``base`` to ``most`` (m,) N,
    or what is ``given``."""
    if given is not None:
        failed = np.isfinite(given)
        base, most = np.where(failed, given, base), np.where(failed, given, most)
    return base[0::2] - most[1::2], most[0::2] - base[1::2]


def _around(given: np.ndarray, d: np.ndarray, base: np.ndarray, most: np.ndarray, f: np.ndarray) -> None:
    """The partners of failed tendons make up for what those pull; the failed are asked for ``base``."""
    failed = np.isfinite(given)
    other = np.empty(len(f))  # what a tendon must pull beside its partner
    other[0::2], other[1::2] = given[1::2] + d, given[0::2] - d
    partner = np.empty(len(f), bool)
    partner[0::2], partner[1::2] = failed[1::2], failed[0::2]
    f[partner] = np.minimum(np.maximum(other, base), most)[partner]
    f[failed] = base[failed]
