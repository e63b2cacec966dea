"""From joint torques to tensions that only pull, in closed form.

Each joint ``j`` has a pair of tendons with the same moment arms and opposite sign, ``tau = P @ d`` with
``P = moment_arms[:, 0::2]`` (n, n) and ``d = f_plus - f_minus``. The tensions of least sum that keep both
tendons at ``base`` (pretension, or more to stiffen the joint) or above are

    f_plus = base + max(d, 0)        f_minus = base + max(-d, 0)        d = P⁻¹ tau

``P`` is diagonal in the body and upper triangular in the hands, where a distal joint's tendons also cross
the joints before it. Where a limit is met, back substitution lets the joints before take up what the
limited tendon leaves of their own torque.
"""

from __future__ import annotations

import numpy as np

from neo_description.errors import NeoError
from neo_description.masks import any_of
from neo_description.tables import JointGroup


class TensionDistribution:
    """Torques of ``group`` to tensions within [pretension, tension_max]."""

    def __init__(self, group: JointGroup):
        self.group = group
        self._P = np.array(group.moment_arms[:, 0::2])
        if not np.allclose(self._P, np.triu(self._P)):
            raise NeoError("moment arms are not triangular: a tendon crosses joints listed after its own")
        self._inverse = np.linalg.inv(self._P)
        self._arm = np.diag(self._P).copy()

    def __call__(self, torque: np.ndarray, pretension: np.ndarray | None = None) -> np.ndarray:
        """Tensions (m,) N for ``torque`` (n,) N m.

        ``pretension`` (m,) N may lie above the table's: more of it in both tendons of a pair (co-contraction)
        stiffens the joint without turning it. Below the table's it is raised, above the limit lowered.
        """
        group = self.group
        base = group.pretension if pretension is None else np.maximum(pretension, group.pretension)
        d = self._inverse @ torque
        f = np.empty(len(group.tendons))
        np.maximum(d, 0.0, out=f[0::2])
        np.maximum(-d, 0.0, out=f[1::2])
        f += base
        if any_of(f > group.tension_max):
            base = np.minimum(base, group.tension_max)
            room = group.tension_max - base
            d = self._limited(np.asarray(torque, float), room[0::2], room[1::2])
            f[0::2] = base[0::2] + np.maximum(d, 0.0)
            f[1::2] = base[1::2] + np.maximum(-d, 0.0)
        return f

    def torques(self, tension: np.ndarray) -> np.ndarray:
        """Joint torques (n,) N m of ``tension`` (m,) N: ``A @ f``."""
        return self._P @ (tension[0::2] - tension[1::2])

    def _limited(self, torque: np.ndarray, room_plus: np.ndarray, room_minus: np.ndarray) -> np.ndarray:
        """Back substitution, each pair's pull limited to its room (n,) N."""
        d = np.zeros(len(torque))
        for i in range(len(torque) - 1, -1, -1):
            own = (torque[i] - self._P[i, i + 1 :] @ d[i + 1 :]) / self._arm[i]
            d[i] = min(max(own, -room_minus[i]), room_plus[i])
        return d
