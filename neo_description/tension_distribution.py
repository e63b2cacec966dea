"""From joint torques to tensions that only pull, in closed form.

Each joint ``j`` has a pair of tendons with the same moment arms and opposite sign, ``tau = P @ d`` with
``P = moment_arms[:, 0::2]`` (n, n) and ``d = f_plus - f_minus``. The tensions of least sum that keep both
tendons at ``base = pretension * (1 + cocontraction)`` or above are

    f_plus = base + max(d, 0)        f_minus = base + max(-d, 0)        d = P⁻¹ tau

``P`` is diagonal in the body and upper triangular in the hands, where a distal joint's tendons also cross
the joints before it. Where a limit is met, back substitution lets the joints before take up what the
limited tendon leaves of their own torque.
"""

from __future__ import annotations

import numpy as np

from neo_description.errors import NeoError
from neo_description.tables import JointGroup


class TensionDistribution:
    """Torques of ``group`` to tensions within [pretension, tension_max]."""

    def __init__(self, group: JointGroup):
        self.group = group
        self._P = np.array(group.moment_arms[:, 0::2])
        if not np.allclose(self._P, np.triu(self._P)):
            raise NeoError("moment arms are not triangular: a tendon crosses joints listed after its own")
        self._inverse = np.linalg.inv(self._P)
        self._pretension = group.pretension[0::2]
        self._max = group.tension_max[0::2]
        self._diagonal = np.count_nonzero(self._P - np.diag(np.diag(self._P))) == 0
        self._arm = np.diag(self._P).copy()

    def torque_limit(self, cocontraction: float = 0.0) -> np.ndarray:
        """Largest torque (n,) N m of each joint's own pair alone."""
        return self._arm * (self._max - self._base(cocontraction))

    def tensions(self, torque: np.ndarray, cocontraction: float | np.ndarray = 0.0) -> np.ndarray:
        """Tensions (m,) N for ``torque`` (n,) N m.

        ``cocontraction`` ≥ 0, a number or (n,): both tendons of a pair pull harder by this many times their
        pretension, which stiffens the joint without turning it.
        """
        base = self._base(cocontraction)
        d = torque / self._arm if self._diagonal else self._inverse @ torque
        room = self._max - base
        if (np.abs(d) > room).any():
            d = self._limited(np.asarray(torque, float), room)
        f = np.empty(2 * len(d))
        f[0::2] = base + np.maximum(d, 0.0)
        f[1::2] = base + np.maximum(-d, 0.0)
        return f

    def torques(self, tension: np.ndarray) -> np.ndarray:
        """Joint torques (n,) N m of ``tension`` (m,) N: ``A @ f``."""
        return self._P @ (tension[0::2] - tension[1::2])

    def _base(self, cocontraction: float | np.ndarray) -> np.ndarray:
        return np.minimum(self._pretension * (1.0 + cocontraction), self._max)

    def _limited(self, torque: np.ndarray, room: np.ndarray) -> np.ndarray:
        """Back substitution, each pair's pull limited to ``room`` (n,) N."""
        d = np.zeros(len(torque))
        for i in range(len(torque) - 1, -1, -1):
            own = (torque[i] - self._P[i, i + 1 :] @ d[i + 1 :]) / self._arm[i]
            d[i] = min(max(own, -room[i]), room[i])
        return d
