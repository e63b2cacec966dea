"""Forces between bodies, read from the simulator: for scores only."""

from __future__ import annotations

from collections.abc import Collection

import mujoco
import numpy as np

from neo_sim.hand_rig import HandRig


def privileged_net_force(rig: HandRig, bodies: Collection[int]) -> np.ndarray:
    """(3,) N on the world's axes: sum of the contact forces on ``bodies`` together, by others."""
    total, force = np.zeros(3), np.zeros(6)
    for i in range(rig.data.ncon):
        contact = rig.data.contact[i]
        first, second = (int(rig.model.geom_bodyid[g]) in bodies for g in contact.geom)
        if first != second:
            mujoco.mj_contactForce(rig.model, rig.data, i, force)
            on_second = contact.frame.reshape(3, 3).T @ force[:3]
            total += on_second if second else -on_second
    return total
