"""Joint torques to pull-only tendon tensions, in closed form.

With a plus and a minus tendon a joint, ``tau = P (f_plus - f_minus)``, where ``P`` (n, n) holds the moment
arms of the plus tendons. The smallest tensions that give ``tau`` and nowhere fall below pretension are

    d = P^-1 tau        f_plus = pretension + max(d, 0)        f_minus = pretension + max(-d, 0)

which is the quadratic programme's answer as long as no tendon meets its limit; there it is cut off.
"""

from __future__ import annotations

import numpy as np

from neo_description.tables import JointGroup


class TensionDistribution:
    """Tensions of one drive group; ``pretension`` (m,) N may be raised above the table's to stiffen joints."""

    def __init__(self, group: JointGroup):
        self._group = group
        self._inverse = np.linalg.inv(group.moment_arms[:, 0::2])

    def __call__(self, torque: np.ndarray, pretension: np.ndarray | None = None) -> np.ndarray:
        """Tensions (m,) N for joint ``torque`` (n,) N m, within [pretension, tension_max]."""
        group = self._group
        least = group.pretension if pretension is None else np.maximum(pretension, group.pretension)
        difference = self._inverse @ torque
        tension = np.empty(len(group.tendons))
        tension[0::2] = np.maximum(difference, 0.0)
        tension[1::2] = np.maximum(-difference, 0.0)
        tension += least
        return np.minimum(tension, group.tension_max)
