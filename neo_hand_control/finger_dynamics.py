"""What moving fingers cost by their own mass: M(q) qdd + C(q, qd) qd - gravity, in joint torques.

The palm counts as still. Gravity is known where the arm tells how the wrist stands, and left out else: the
servo's integral carries it then.
"""

from __future__ import annotations

import mujoco
import numpy as np

from neo_description import builder
from neo_description.tables import HAND, dynamics, prefixed

FASTEST = 200.0  # rad/s²: references that jump ask for no more


class FingerDynamics:
    """Fingers of hand ``side``."""

    def __init__(self, side: str):
        spec = mujoco.MjSpec()
        builder.set_options(spec)
        builder.add_hand(spec, {f"{side}_wrist": spec.worldbody.add_body(name=f"{side}_wrist")}, side)
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        joints = [self._model.joint(name) for name in prefixed(side, HAND.joints)]
        self._q = np.array([joint.qposadr[0] for joint in joints])
        self._v = np.array([joint.dofadr[0] for joint in joints])
        self._armature = np.array([dynamics(name)[2] for name in prefixed(side, HAND.joints)])
        self._result = np.zeros(self._model.nv)
        self._last: np.ndarray | None = None

    def reset(self) -> None:
        """Forget the last velocities: the next references begin from where they are."""
        self._last = None

    def accelerated(
        self, q: np.ndarray, qd: np.ndarray, dt: float, gravity: np.ndarray | None = None
    ) -> np.ndarray:
        """Torques (22,) N m for references ``q`` (22,) rad that move with ``qd`` (22,) rad/s.

        Accelerations are the change of ``qd`` since the last call ``dt`` s ago; ``gravity``: see
        :meth:`torque`.
        """
        qdd = np.zeros(len(qd)) if self._last is None else (qd - self._last) / dt
        self._last = np.array(qd)
        return self.torque(q, qd, np.minimum(np.maximum(qdd, -FASTEST), FASTEST), gravity)

    def torque(
        self, q: np.ndarray, qd: np.ndarray, qdd: np.ndarray, gravity: np.ndarray | None = None
    ) -> np.ndarray:
        """Torques (22,) N m; all in rad and s; ``gravity`` (3,) m/s² in the wrist's frame, if known."""
        m, d = self._model, self._data
        m.opt.gravity[:] = 0.0 if gravity is None else gravity
        d.qpos[self._q], d.qvel[self._v], d.qacc[self._v] = q, qd, qdd
        mujoco.mj_kinematics(m, d)
        mujoco.mj_comPos(m, d)
        mujoco.mj_comVel(m, d)
        mujoco.mj_rne(m, d, 1, self._result)
        return self._result[self._v] + self._armature * qdd
