"""What pushes and pulls at the robot, told by its motion and its tendons: an observer of momentum.

With the momentum ``p = M v`` and everything known that changes it, the rest is somebody else's (De Luca,
Albu-Schäffer, Haddadin, Hirzinger 2006; for a floating base Flacco et al. 2016):

    dp/dt = M' v - h + [0; tau] + Σ J_soleᵀ w_sole + r          r = K (p - ∫ (… + r) dt)

``r`` (37,) follows the true generalised force with the bandwidth ``K``, and needs no accelerations. Its first
three rows are the sum of all forces; the arms' rows tell what pulls at the hands, the rest counts as the
torso's. Wrong masses show as forces that are not there: 10 % in each link are some newtons, downwards.
"""

from __future__ import annotations

import math

import numpy as np

from neo_body_control.dynamics import NV, Dynamics
from neo_body_control.rotations import cross
from neo_body_control.targets import ARM
from neo_description.tables import CONTROL_DT, SIDES

DAMPED = 1e-3  # m²: of the least squares from seven joints to a wrench, near a stretched arm


class ExternalForces:
    """``residual`` (37,): generalised force in the model's coordinates; ``cutoff`` Hz of its low-pass,
    ``bandwidth`` the same in 1/s."""

    def __init__(self, dynamics: Dynamics, cutoff: float):
        self._d = dynamics
        self.bandwidth = 2.0 * math.pi * cutoff  # 1/s
        self._torso = dynamics.model.body("torso").id
        self._base = dynamics.model.body("base_link").id
        self.reset()

    def reset(self) -> None:
        """Nothing pulls."""
        self.residual = np.zeros(NV)
        self._sum = np.zeros(NV)
        self._M: np.ndarray | None = None

    def update(self, qvel: np.ndarray, torque: np.ndarray, soles: dict[str, np.ndarray]) -> None:
        """One tick, right after the model's update: ``qvel`` (37,), measured ``torque`` (31,) N m, the
        ``soles``' wrenches (6,) in their frames."""
        d = self._d
        momentum = d.M @ qvel
        if self._M is None:
            self._sum = momentum
        else:
            known = (d.M - self._M) @ qvel
            known /= CONTROL_DT
            known -= d.h
            known[6:] += torque
            for side, wrench in soles.items():
                sole = d.frames[f"{side}_sole"]
                known += sole.J[:3].T @ (sole.R @ wrench[:3]) + sole.J[3:].T @ (sole.R @ wrench[3:])
            known += self.residual
            self._sum += CONTROL_DT * known
        self._M = d.M.copy()
        self.residual = self.bandwidth * (momentum - self._sum)

    def hand(self, side: str) -> np.ndarray:
        """Wrench (6,) N, N m at a gripper in odom's axes: all that pulls at the arm, as if it did there."""
        J = self._d.frames[f"{side}_gripper"].J[:, 6 + ARM[side]]
        answer: np.ndarray = np.linalg.solve(J @ J.T + DAMPED * np.eye(6), J @ self.residual[6 + ARM[side]])
        return answer

    def wrenches(self) -> dict[str, np.ndarray]:
        """(6,) N, N m by frame (``l_gripper``, ``r_gripper``, ``torso``), each in its own axes."""
        out = {}
        for name, wrench, R in (
            ("l_gripper", self.hand("l"), self._d.frames["l_gripper"].R),
            ("r_gripper", self.hand("r"), self._d.frames["r_gripper"].R),
            ("torso", self.torso(), self._d.data.xmat[self._torso].reshape(3, 3)),
        ):
            out[name] = np.concatenate([R.T @ wrench[:3], R.T @ wrench[3:]])
        return out

    def torso(self) -> np.ndarray:
        """Wrench (6,) N, N m at the torso's frame in odom's axes: the sum less what the hands get."""
        data, total = self._d.data, self.residual
        base = data.xpos[self._base]
        force = total[:3].copy()
        moment = data.xmat[self._base].reshape(3, 3) @ total[3:6]
        for side in SIDES:
            wrench = self.hand(side)
            force -= wrench[:3]
            moment -= wrench[3:] + cross(self._d.frames[f"{side}_gripper"].p - base, wrench[:3])
        moment -= cross(data.xpos[self._torso] - base, force)
        return np.concatenate([force, moment])
