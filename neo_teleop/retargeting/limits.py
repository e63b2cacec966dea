"""Limits of inverse kinematics, lighter than mink's own: joints and steps, parts kept apart."""

from __future__ import annotations

from collections.abc import Iterable

import mink
import mujoco
import numpy as np
from mink.limits import Constraint

NEAR = 0.008  # m: parts that are further apart do not limit a step
CONTACT = int(mujoco.mjtConstraint.mjCNSTR_CONTACT_FRICTIONLESS)


class Within(mink.Limit):
    """``q_min ≤ q + Δq ≤ q_max`` and ``|Δq| ≤ step`` (rad), in one pair of rows a joint."""

    def __init__(self, q_min: np.ndarray, q_max: np.ndarray, step: float):
        self._q_min, self._q_max, self._step = q_min, q_max, step
        n = len(q_min)
        self._G = np.vstack([np.eye(n), -np.eye(n)])

    def compute_qp_inequalities(self, configuration: mink.Configuration, dt: float) -> Constraint:
        """(2n, n) and (2n,)."""
        q = configuration.data.qpos
        room = np.concatenate([self._q_max - q, q - self._q_min])
        return Constraint(self._G, np.minimum(room, self._step))


class Apart(mink.Limit):
    """Keeps what :func:`pair` paired ``clearance`` m apart: ``J_n Δq ≥ clearance - distance``.

    MuJoCo finds what is near, and the Jacobian of the distance, in one pass over all pairs.
    ``push``: the most (m) that parts which are too close go apart in one step.
    """

    def __init__(self, clearance: float, push: float):
        self._clearance, self._push = clearance, push

    def compute_qp_inequalities(self, configuration: mink.Configuration, dt: float) -> Constraint:
        """(k, n) and (k,), k as many pairs as are near."""
        model, data = configuration.model, configuration.data
        mujoco.mj_collision(model, data)
        mujoco.mj_makeConstraint(model, data)
        if not data.nefc:
            return Constraint()
        J = data.efc_J.reshape(data.nefc, model.nv)
        return Constraint(-J, np.maximum(data.efc_pos - self._clearance, -self._push))


def pair(spec: mujoco.MjSpec, pairs: Iterable[tuple[str, str]]) -> None:
    """Let only these geoms meet, and know it ``NEAR`` m before; :class:`Within` limits the joints."""
    for geom in spec.geoms:
        geom.contype = geom.conaffinity = 0
    for a, b in pairs:
        spec.add_pair(name=f"{a}_{b}", geomname1=a, geomname2=b, condim=1, margin=NEAR)
    spec.option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_LIMIT)
    spec.option.jacobian = mujoco.mjtJacobian.mjJAC_DENSE


def clearance(model: mujoco.MjModel, data: mujoco.MjData) -> float:
    """The least distance (m) of paired geoms, at most ``NEAR``, after ``mj_kinematics``; negative: inside."""
    mujoco.mj_collision(model, data)
    return float(data.contact.dist.min(initial=NEAR))
