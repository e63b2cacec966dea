"""Tensions that carry the robot's weight at rest, so that nothing sags before a controller answers."""

from __future__ import annotations

import mujoco
import numpy as np

from neo_description.index import RobotIndex
from neo_description.routing import Routing
from neo_description.skeleton import SOLE_CENTRE, SOLE_SIZE
from neo_description.tables import BODY, HAND, SIDES
from neo_description.tension_distribution import TensionDistribution


def standing_tensions(index: RobotIndex, data: mujoco.MjData, routing: Routing) -> dict[str, np.ndarray]:
    """Tensions (N) by group for standing still at ``data.qpos``, which has just been forward-computed.

    The ground carries the weight at the corners of both soles with the least-squares vertical forces that
    balance the free base, ``g_base = Σ J_base' F``; the joints take ``tau = g - Σ J' F``, with ``g`` the
    gravity part of the equation of motion (Featherstone, Rigid Body Dynamics Algorithms, 3.1).
    """
    model = index.model
    velocity = data.qvel.copy()
    data.qvel[:] = 0.0
    mujoco.mj_fwdVelocity(model, data)
    gravity = data.qfrc_bias.copy()
    data.qvel[:] = velocity
    mujoco.mj_fwdVelocity(model, data)
    corners = _corner_jacobians(index, data)  # (8, nv): vertical motion of each corner
    force = np.linalg.lstsq(corners[:, index.base_qvel].T, gravity[index.base_qvel], rcond=None)[0]
    tau = gravity - corners.T @ force
    body = TensionDistribution(BODY)
    if routing.varies:
        body.scale = routing.scale(data.qpos[index.body_qpos])
    tensions = {"body": body(tau[index.body_qvel])}
    for side in SIDES:
        tensions[f"{side}_hand"] = TensionDistribution(HAND)(tau[index.hands[side].qvel])
    return tensions


def _corner_jacobians(index: RobotIndex, data: mujoco.MjData) -> np.ndarray:
    rows = []
    for side in SIDES:
        body = index.body(f"{side}_sole")
        R, origin = data.xmat[body].reshape(3, 3), data.xpos[body]
        for x in (-0.5, 0.5):
            for y in (-0.5, 0.5):
                corner = origin + R @ (SOLE_CENTRE + x * SOLE_SIZE[0], y * SOLE_SIZE[1], 0.0)
                J = np.zeros((3, index.model.nv))
                mujoco.mj_jac(index.model, data, J, None, corner, body)
                rows.append(J[2])
    return np.array(rows)
