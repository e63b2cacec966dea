"""How fast things really slide over the pads (privileged: for scores and for calibrating estimates)."""

from __future__ import annotations

import mujoco
import numpy as np

from neo_description.tables import TAXELS, prefixed


class PrivilegedSlip:
    """Sliding of body ``thing`` over the pads of hand ``side``, from the contacts of ``model``."""

    def __init__(self, model: mujoco.MjModel, side: str, thing: str):
        self._model = model
        self._thing = model.body(thing).id
        self._pad_of = np.full(model.ngeom, -1)
        for i, name in enumerate(prefixed(side, TAXELS)):
            self._pad_of[model.geom(f"{name}_pad").id] = i
        self._gripper = model.site(f"{side}_gripper").id

    def __call__(self, data: mujoco.MjData) -> tuple[np.ndarray, np.ndarray]:
        """Sliding speed on every pad (19,) m/s, and the thing's mean sliding velocity (3,) m/s.

        The speed of a pad and the mean are weighted by the contacts' normal forces; the mean velocity is that
        of the thing's surface over the pads, in the gripper's frame; zeros where nothing touches.
        """
        weight, speed = np.zeros(len(TAXELS)), np.zeros(len(TAXELS))
        mean, force = np.zeros(3), np.zeros(6)
        for i in range(data.ncon):
            contact = data.contact[i]
            pads = self._pad_of[contact.geom]
            bodies = self._model.geom_bodyid[contact.geom]
            mine = int(pads[0] < 0)  # which of the two geoms is the pad
            if pads[mine] < 0 or bodies[1 - mine] != self._thing:
                continue
            mujoco.mj_contactForce(self._model, data, i, force)
            if force[0] <= 0.0:
                continue
            v = self._at(data, self._thing, contact.pos) - self._at(data, bodies[mine], contact.pos)
            normal = contact.frame[:3]
            v -= (v @ normal) * normal
            weight[pads[mine]] += force[0]
            speed[pads[mine]] += force[0] * np.linalg.norm(v)
            mean += force[0] * v
        total = weight.sum()
        if total <= 0.0:
            return speed, mean
        R = data.site_xmat[self._gripper].reshape(3, 3)
        return speed / np.maximum(weight, 1e-9), R.T @ mean / total

    def _at(self, data: mujoco.MjData, body: int, point: np.ndarray) -> np.ndarray:
        """Velocity (3,) m/s of the point of ``body`` that is at ``point`` (world)."""
        root = self._model.body_rootid[body]
        turn, move = data.cvel[body, :3], data.cvel[body, 3:]
        return move + np.cross(turn, point - data.subtree_com[root])
