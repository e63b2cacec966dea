"""The robot's upper body as retargeting sees it: base_link still, legs as in `ready`, hands flat.

Sites are named as the joints of :data:`landmarks.BODY` that move, and ``{l,r}_wrist_u``, ``{l,r}_wrist_v``:
points of the wrist's frame ahead of it, to the fingers and to the thumb's side, which carry its attitude.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import mujoco
import numpy as np

from neo_description import builder, postures, skeleton
from neo_description.hand import PALM_SIZE, PALM_START, directions, gripper
from neo_description.tables import BODY, SIDES
from neo_teleop.retargeting import limits
from neo_teleop.retargeting.task import moved

LEGS = tuple(j for j in BODY.joints if j.partition("_")[2].split("_")[0] in ("hip", "knee", "ankle"))
UPPER = tuple(j for j in BODY.joints if j not in LEGS)
ROWS = [BODY.index(name) for name in UPPER]
READY = postures.posture("ready").body  # (31,) rad
AHEAD = 0.1  # m from the wrist to the points that carry its attitude
HEAD_POINT = (0.0, 0.0, 0.06)  # m in head: the middle of the skull, where SMPL has its joint about
SPINE = np.array([0.0, 0.0, skeleton.WAIST])  # m in base_link
HAND_LENGTH = 0.15  # m of the box that stands for a flat hand
JOINTS = ("neck", "head", *(f"{s}_{j}" for s in SIDES for j in ("shoulder", "elbow", "wrist")))
ATTITUDE = tuple(f"{s}_wrist_{way}" for s in SIDES for way in "uv")
LINKS = {"neck": "neck", "head": "head"} | {
    f"{s}_{joint}": f"{s}_{link}"
    for s in SIDES
    for joint, link in (("shoulder", "shoulder_carrier"), ("elbow", "forearm"), ("wrist", "wrist"))
}


@dataclass(frozen=True)
class BodyModel:
    """``model``: the joints of ``UPPER``, a site each of ``JOINTS`` and ``ATTITUDE``: ``sites`` (12,).

    ``moves`` (12, 19): whether a joint moves a site. ``q_min``, ``q_max`` (19,) rad.
    """

    model: mujoco.MjModel
    sites: np.ndarray
    moves: np.ndarray
    q_min: np.ndarray
    q_max: np.ndarray

    def posed(self, joints: np.ndarray) -> mujoco.MjData:
        """With the upper body at ``joints`` (19,) rad."""
        data = mujoco.MjData(self.model)
        data.qpos[:] = joints
        mujoco.mj_kinematics(self.model, data)
        return data

    def wrist(self, data: mujoco.MjData, side: str) -> np.ndarray:
        """``T_base_wrist`` (4, 4)."""
        T = np.eye(4)
        body = data.body(f"{side}_wrist")
        T[:3, :3], T[:3, 3] = body.xmat.reshape(3, 3), body.xpos
        return T

    def clearance(self, joints: np.ndarray) -> float:
        """The least distance (m) of parts that must not meet, at most ``limits.NEAR``; negative: inside."""
        return limits.clearance(self.model, self.posed(joints))


@cache
def body_model() -> BodyModel:
    """The one there is."""
    spec = builder.build_robot(fingers=False, tendons=False, visuals=False)
    spec.delete(spec.joint("base_joint"))
    spec.body("base_link").pos = (0.0, 0.0, 0.0)
    for name in LEGS:
        _freeze(spec, name, float(READY[BODY.index(name)]))
    for side in SIDES:
        _flatten(spec, side)
    for name, link in LINKS.items():
        spec.body(link).add_site(name=name, pos=HEAD_POINT if name == "head" else (0.0, 0.0, 0.0))
    limits.pair(spec, _pairs())
    model = spec.compile()
    assert tuple(model.joint(j).name for j in range(model.njnt)) == UPPER
    sites = np.array([model.site(name).id for name in (*JOINTS, *ATTITUDE)])
    return BodyModel(model, sites, moved(model, sites), BODY.q_min[ROWS], BODY.q_max[ROWS])


def _freeze(spec: mujoco.MjSpec, name: str, angle: float) -> None:
    joint = spec.joint(name)
    joint.parent.quat = [np.cos(angle / 2), *(np.sin(angle / 2) * np.array(joint.axis))]
    spec.delete(joint)


def _flatten(spec: mujoco.MjSpec, side: str) -> None:
    """A box for the hand, and what carries its attitude."""
    u, v, _ = directions(side).T
    wrist = spec.body(f"{side}_wrist")
    wrist.add_geom(
        name=f"{side}_hand_contact", type=mujoco.mjtGeom.mjGEOM_BOX, mass=0.0,
        size=(HAND_LENGTH / 2, PALM_SIZE[1] / 2, PALM_SIZE[2] / 2),
        pos=(PALM_START + HAND_LENGTH / 2) * u, quat=builder.quat_of(gripper(side)[1]),
    )  # fmt: skip
    for way, direction in (("u", u), ("v", v)):
        wrist.add_site(name=f"{side}_wrist_{way}", pos=AHEAD * direction)


def _pairs() -> list[tuple[str, str]]:
    """Outer arms and trunk, head and thighs; arms and arms. Names of geoms."""
    trunk = ["torso", "base_link", "head", "l_thigh", "r_thigh"]
    outer = {s: [f"{s}_forearm", f"{s}_hand"] for s in SIDES}
    pairs = [pair for s in SIDES for pair in product(outer[s], trunk)]
    pairs += list(product(outer["l"], outer["r"]))
    pairs += [*product(outer["l"], ["r_upper_arm"]), *product(outer["r"], ["l_upper_arm"])]
    pairs += [("l_hand", "l_upper_arm"), ("r_hand", "r_upper_arm")]
    return [(f"{a}_contact", f"{b}_contact") for a, b in pairs]
