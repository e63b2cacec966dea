"""One hand of the robot as retargeting sees it: joints, landmarks, and which of its parts must not meet.

Everything is in the wrist's frame; the wrist stands still. A landmark is where a joint turns; a tip is the
centre of the round end of the last phalanx, as WebXR has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product

import mujoco
import numpy as np

from neo_description import builder
from neo_description.errors import NeoError
from neo_description.hand import (
    FINGERS,
    PALM_SIZE,
    PALM_START,
    THUMB_LENGTHS,
    directions,
    gripper,
    thumb_directions,
)
from neo_description.tables import HAND, SIDES, prefixed
from neo_teleop.retargeting import limits
from neo_teleop.retargeting.landmarks import HAND_21
from neo_teleop.retargeting.task import moved

# landmark: link whose origin it is; tips are beyond theirs
LINKS: dict[str, str] = {
    "wrist": "wrist", "thumb_cmc": "thumb_saddle", "thumb_mcp": "thumb_knuckle", "thumb_ip": "thumb_distal",
    "thumb_tip": "thumb_distal",
} | {
    f"{finger}_{joint}": f"{finger}_{link}"
    for finger in FINGERS
    for joint, link in (("mcp", "knuckle"), ("pip", "middle"), ("dip", "distal"), ("tip", "distal"))
}  # fmt: skip
RIGID = ("wrist", "thumb_cmc", "index_mcp", "middle_mcp", "ring_mcp")  # that no joint of the hand moves
FINGERTIPS = tuple(name for name in HAND_21 if name.endswith("_tip"))
# (n, 2) rows of HAND_21: what keeps its length in every posture
BONES = np.array([
    [HAND_21.index(a), HAND_21.index(b)]
    for a, b in (
        *(("wrist", name) for name in RIGID[1:]),
        *pairwise(("thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip")),
        *(
            (f"{finger}_{a}", f"{finger}_{b}")
            for finger in FINGERS
            for a, b in pairwise(("mcp", "pip", "dip", "tip"))
        ),
    )
])  # fmt: skip


@dataclass(frozen=True)
class HandModel:
    """``model``: 22 joints in the robot's order, and a site a landmark, ``sites`` (21,).

    ``moves`` (21, 22): whether a joint moves a landmark.
    """

    side: str
    model: mujoco.MjModel
    sites: np.ndarray
    moves: np.ndarray

    def points(self, data: mujoco.MjData) -> np.ndarray:
        """The 21 landmarks (21, 3) m, after ``mj_kinematics``."""
        return data.site_xpos[self.sites]

    def at(self, joints: np.ndarray) -> np.ndarray:
        """The 21 landmarks (21, 3) m with the hand at ``joints`` (22,) rad."""
        return self.points(self.posed(joints))

    def clearance(self, joints: np.ndarray) -> float:
        """The least distance (m) of parts that must not meet, at most ``limits.NEAR``; negative: inside."""
        return limits.clearance(self.model, self.posed(joints))

    def posed(self, joints: np.ndarray) -> mujoco.MjData:
        """With the hand at ``joints`` (22,) rad."""
        data = mujoco.MjData(self.model)
        data.qpos[:] = joints
        mujoco.mj_kinematics(self.model, data)
        return data


@cache
def hand_model(side: str) -> HandModel:
    """Of ``side``, "l" or "r"."""
    if side not in SIDES:
        raise NeoError(f"no side {side!r}; one of {', '.join(SIDES)}")
    model = _spec(side).compile()
    assert tuple(model.joint(j).name for j in range(model.njnt)) == prefixed(side, HAND.joints)
    sites = np.array([model.site(name).id for name in HAND_21])
    return HandModel(side, model, sites, moved(model, sites))


def _spec(side: str) -> mujoco.MjSpec:
    spec = mujoco.MjSpec()
    builder.set_options(spec)
    wrist = spec.worldbody.add_body(name=f"{side}_wrist")
    builder.add_hand(spec, {"world": spec.worldbody, f"{side}_wrist": wrist}, side)
    length, width, thick = PALM_SIZE
    wrist.add_geom(
        name=f"{side}_palm", type=mujoco.mjtGeom.mjGEOM_BOX, size=(length / 2, width / 2, thick / 2),
        pos=(PALM_START + length / 2) * directions(side)[:, 0], quat=builder.quat_of(gripper(side)[1]),
        mass=0.0,
    )  # fmt: skip
    for name in HAND_21:
        offset = _beyond(side, name.removesuffix("_tip")) if name in FINGERTIPS else np.zeros(3)
        spec.body(f"{side}_{LINKS[name]}").add_site(name=name, pos=offset)
    limits.pair(spec, _pairs(side))
    return spec


def _beyond(side: str, finger: str) -> np.ndarray:
    """Of a fingertip (3,) m in the last link."""
    if finger == "thumb":
        return thumb_directions(side)[:, 0] * THUMB_LENGTHS[-1]
    return directions(side)[:, 0] * FINGERS[finger][1][-1]


def _pairs(side: str) -> list[tuple[str, str]]:
    """Thumb and fingers, neighbouring fingers, and what can reach the palm; names of geoms."""

    def pads(finger: str, *parts: str) -> list[str]:
        return [f"{side}_{finger}_{part}_pad" for part in parts]

    thumb, outer, whole = ("proximal", "distal"), ("middle", "distal"), ("proximal", "middle", "distal")
    names, palm = list(FINGERS), [f"{side}_palm"]
    groups = [(pads("thumb", *thumb), pads(finger, *whole)) for finger in names]
    groups += [(pads(a, *whole), pads(b, *whole)) for a, b in pairwise(names)]
    groups += [(pads("thumb", *thumb), palm)]
    groups += [(pads(finger, *outer), palm) for finger in names]
    return [pair for some, others in groups for pair in product(some, others)]
