"""Where the pads of one hand are, and what torques push them: kinematics of the fingers alone."""

from __future__ import annotations

from functools import cache

import mujoco
import numpy as np

from neo_description.contact import add_pad_geom
from neo_description.hand import hand_parts
from neo_description.tables import HAND, TAXELS, prefixed

REACH = 0.3  # m beyond which distances are not told


class HandKinematics:
    """Pads of hand ``side`` in its wrist's frame; :meth:`move` first, then the rest speaks of that posture.

    ``R`` (19, 3, 3): R_wrist_pad, x out of the flesh; ``p`` (19, 3) m: p_wrist_pad.
    """

    def __init__(self, side: str):
        self._model = _hand_model(side)
        self._data = mujoco.MjData(self._model)
        ids = [self._model.joint(name).id for name in prefixed(side, HAND.joints)]
        self._address = self._model.jnt_qposadr[ids]
        self._joint = np.array(ids)
        self._site = np.array([self._model.site(name).id for name in TAXELS])
        geoms = {name: self._model.geom(name).id for name in TAXELS}
        self._pairs = [
            (i, j, geoms[a], geoms[b])
            for i, a in enumerate(TAXELS)
            for j, b in enumerate(TAXELS)
            if _may_meet(a, b)
        ]
        self._moves = self._ancestry()
        self.move(np.zeros(len(HAND.joints)))

    def _ancestry(self) -> np.ndarray:
        """(19, 22): 1 where a joint moves a pad."""
        moves = np.zeros((len(TAXELS), len(HAND.joints)))
        for i, site in enumerate(self._site):
            body = int(self._model.site_bodyid[site])
            while body > 0:
                moves[i, [j for j, k in enumerate(self._joint) if self._model.jnt_bodyid[k] == body]] = 1.0
                body = int(self._model.body_parentid[body])
        return moves

    def move(self, q: np.ndarray) -> None:
        """Go to joint angles ``q`` (22,) rad."""
        self._data.qpos[self._address] = q
        mujoco.mj_kinematics(self._model, self._data)
        self.R = self._data.site_xmat.take(self._site, axis=0).reshape(-1, 3, 3)
        self.p = self._data.site_xpos.take(self._site, axis=0)

    def touching_itself(self, gap: float) -> np.ndarray:
        """(19,) bool: pads nearer than ``gap`` m to a pad of another finger or the palm."""
        touching = np.zeros(len(TAXELS), bool)
        for i, j, a, b in self._pairs:
            if mujoco.mj_geomDistance(self._model, self._data, a, b, 0.02, None) < gap:
                touching[i] = touching[j] = True
        return touching

    def nearest(self, a: int, b: int) -> tuple[float, np.ndarray]:
        """Distance (m; below 0: overlap) of pads ``a`` and ``b``, and their nearest points (2, 3) m."""
        points = np.zeros(6)
        geoms = [self._model.geom(TAXELS[i]).id for i in (a, b)]
        gap = mujoco.mj_geomDistance(self._model, self._data, *geoms, REACH, points)
        return gap, points.reshape(2, 3)

    def jacobian(self, pad: int, point: np.ndarray) -> np.ndarray:
        """(3, 22) m: how each joint moves ``point`` (3,) m of pad ``pad``'s link; torques are Jᵀ force."""
        axis, anchor = self.axes()
        return (np.cross(axis, point - anchor) * self._moves[pad][:, None]).T

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Axes (22, 3) of the joints and points (22, 3) m on them."""
        return self._data.xaxis.take(self._joint, axis=0), self._data.xanchor.take(self._joint, axis=0)

    def push_arms(self) -> np.ndarray:
        """(19, 22) m: torque of each joint for 1 N with which each pad pushes along its normal, J_pᵀ n_p."""
        axis, anchor = self.axes()
        normal = self.R[:, :, 0]
        # n · (a × (p - x)) = a · (p × n) + n · (x × a), split so that nothing is larger than (19, 22)
        arms = _cross(self.p, normal) @ axis.T + normal @ _cross(anchor, axis).T
        return arms * self._moves


@cache
def _hand_model(side: str) -> mujoco.MjModel:
    """Links, joints and pads of a hand whose wrist stands still; shared, not to be changed."""
    links, pads = hand_parts(side)
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    wrist = spec.worldbody.add_body(name=f"{side}_wrist")
    bodies = {wrist.name: wrist}
    for link in links:
        body = bodies[link.parent].add_body(name=link.name, pos=link.position)
        body.explicitinertial = True
        body.mass, body.inertia = 0.01, [1e-5, 1e-5, 1e-5]
        body.add_joint(name=link.joint, axis=link.axis)
        bodies[link.name] = body
    for pad in pads:
        add_pad_geom(bodies[pad.link], pad.taxel, pad)
        site = bodies[pad.link].add_site(name=pad.taxel, pos=pad.surface)
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, np.ascontiguousarray(pad.R_link_pad).ravel())
        site.quat = quat
    return spec.compile()


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a × b`` of rows (n, 3): ``np.cross`` without its many checks."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    out = np.empty_like(a)
    out[:, 0], out[:, 1], out[:, 2] = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    return out


def _may_meet(a: str, b: str) -> bool:
    """Thumb with fingers, and fingertips with the palm."""
    if a in ("thumb_proximal", "thumb_distal"):
        return not b.startswith(("thumb", "palm"))
    return a.endswith("_distal") and not a.startswith("palm") and b.startswith("palm")
