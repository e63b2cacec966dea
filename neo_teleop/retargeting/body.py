"""From the joints of a person's body to those of the robot's upper body.

    pose = BodyRetargeter().retarget(joints)       # (12, 3) m in the order of landmarks.BODY, any rigid frame

People have other proportions, so what is copied is the direction of each bone, not the place of each joint.
The robot's own bones, laid end to end in these directions from the pelvis, say where its joints should be,
and inverse kinematics brings them there as near as limits allow. A wrist's attitude follows the hand's where
that is given; without it the wrist stays straight. The head looks ahead: these joints do not show its turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import mink
import numpy as np

from neo_description import skeleton
from neo_description.errors import NeoError
from neo_description.hand import directions
from neo_description.tables import SIDES
from neo_teleop.retargeting.body_model import (
    AHEAD,
    ATTITUDE,
    HEAD_POINT,
    JOINTS,
    READY,
    ROWS,
    SPINE,
    UPPER,
    body_model,
)
from neo_teleop.retargeting.landmarks import BODY, body_joints
from neo_teleop.retargeting.search import Search
from neo_teleop.retargeting.task import PointTask

COSTS = {
    "neck": 1.0, "head": 0.3, "shoulder": 1.0, "elbow": 1.0, "wrist": 1.0, "wrist_u": 0.5, "wrist_v": 0.5,
}  # fmt: skip  # [cost]/[m]
POSTURE_COST = 3e-3  # [cost]/[rad]: draws what nothing else decides to `ready`
STAYING = ("neck", "head", "l_shoulder", "r_shoulder")
WARM, COLD = 6, 60  # programs for a frame that follows one, for a first one
# where a first frame is looked for: arms as in `ready`, ahead, overhead, aside, behind; rad
STARTS: tuple[dict[str, float], ...] = (
    {}, {"shoulder_pitch": -1.5, "shoulder_roll": 0.3}, {"shoulder_pitch": -2.6, "shoulder_roll": 0.5},
    {"shoulder_pitch": 0.0, "shoulder_roll": 1.4}, {"shoulder_pitch": 0.9, "shoulder_roll": 0.5},
)  # fmt: skip
GOOD = 5e-3  # m: what is found so near is not looked for elsewhere
SHORTEST = 0.03  # m: a shorter bone has no direction


@dataclass(frozen=True, slots=True)
class BodyPose:
    """``joints`` (19,) rad in the order of ``UPPER``; ``T_base_wrist`` by side (4, 4), as the joints have it.

    ``T_frame_base`` (4, 4): the person's pelvis. ``error`` (m): the farthest that shoulder, elbow or wrist is
    from where the person's bones put it.
    """

    joints: np.ndarray
    T_base_wrist: dict[str, np.ndarray]
    T_frame_base: np.ndarray
    error: float


class BodyRetargeter:
    """:meth:`reset` before the frames of another person or another take; ``joints`` (19,) rad: the last."""

    def __init__(self) -> None:
        self.body = body_model()
        self._ready = READY[ROWS]
        self._task = PointTask(self.body.sites, self.body.moves, np.zeros(len(self.body.sites)))
        posture = mink.PostureTask(self.body.model, cost=POSTURE_COST)
        posture.set_target(self._ready)
        self._search = Search(self.body.model, [self._task, posture], self.body.q_min, self.body.q_max)
        at_ready = self.body.posed(self._ready).site_xpos[self.body.sites]
        self._stay = {name: p for name, p in zip(JOINTS, at_ready, strict=False) if name in STAYING}
        self.reset()

    def reset(self) -> None:
        """Forget the frames before: the next one is a first one."""
        self._search.start(self._ready)
        self._first = True

    @property
    def joints(self) -> np.ndarray:
        return self._search.q

    def retarget(self, joints: object, hands: dict[str, np.ndarray] | None = None) -> BodyPose:
        """The pose for a person's ``joints`` (12, 3) m, or what else ``landmarks.body_joints`` takes.

        ``hands``: ``T_frame_wrist`` (4, 4) by side, of :class:`neo_teleop.retargeting.hand.HandPose`, in the
        same frame. NeoError for what is no body; it changes nothing.
        """
        theirs = dict(zip(BODY, body_joints(joints), strict=True))
        T = _pelvis(theirs)
        R_base_frame = T[:3, :3].T
        targets = _laid(theirs, R_base_frame)
        for side, T_hand in (hands or {}).items():
            targets |= _attitude(side, targets[f"{side}_wrist"], R_base_frame @ T_hand[:3, :3])
        return self._pose(targets, T)

    def reach(self, T_base_wrist: dict[str, np.ndarray]) -> BodyPose:
        """The pose in which the wrists are there, by side (4, 4); trunk and head stay as in `ready`."""
        targets = dict(self._stay)
        for side, T in T_base_wrist.items():
            targets[f"{side}_wrist"] = T[:3, 3]
            targets |= _attitude(side, T[:3, 3], T[:3, :3])
        return self._pose(targets, np.eye(4))

    def _pose(self, targets: dict[str, np.ndarray], T_frame_base: np.ndarray) -> BodyPose:
        for row, name in enumerate((*JOINTS, *ATTITUDE)):
            wanted = name in targets
            self._task.cost[3 * row : 3 * row + 3] = COSTS[_kind(name)] if wanted else 0.0
            if wanted:
                self._task.targets[row] = targets[name]
        arms = [row for row, name in enumerate(JOINTS) if name in targets and name not in ("neck", "head")]
        if self._first:
            self._begin(arms)
        else:
            self._search.run(WARM)
        self._first = False
        wrists = {side: self.body.wrist(self._search.data, side) for side in SIDES}
        return BodyPose(self._search.q, wrists, T_frame_base, self._away(arms))

    def _begin(self, arms: list[int]) -> None:
        """From each of ``STARTS``, until the arms are where they should be; of all, the best."""
        found = []
        for start in STARTS:
            self._search.start(_posture(start))
            self._search.run(COLD)
            found.append((self._away(arms), self._search.q))
            if found[-1][0] < GOOD:
                return
        self._search.start(min(found, key=lambda pair: pair[0])[1])

    def _away(self, arms: list[int]) -> float:
        """The farthest (m) of the rows ``arms`` from its target."""
        away = self._search.data.site_xpos[self.body.sites[arms]] - self._task.targets[arms]
        return float(np.linalg.norm(away, axis=1).max(initial=0.0))


def _posture(start: dict[str, float]) -> np.ndarray:
    """(19,) rad: `ready`, but both arms at ``start``, mirrored."""
    q = READY[ROWS].copy()
    for joint, angle in start.items():
        for side, sign in (("l", 1.0), ("r", 1.0 if joint.endswith("pitch") else -1.0)):
            q[UPPER.index(f"{side}_{joint}")] = sign * angle
    return q


def _kind(name: str) -> str:
    return name if name in COSTS else name.partition("_")[2]


def _attitude(side: str, wrist: np.ndarray, R_base_wrist: np.ndarray) -> dict[str, np.ndarray]:
    """The points that carry it, (3,) m in base_link."""
    along = AHEAD * R_base_wrist @ directions(side)
    return {f"{side}_wrist_u": wrist + along[:, 0], f"{side}_wrist_v": wrist + along[:, 1]}


def _pelvis(theirs: dict[str, np.ndarray]) -> np.ndarray:
    """``T_frame_base``: y through the hips to the left, z up the spine as far as that is square to y."""
    y = _way(theirs, "r_hip", "l_hip")
    up = _way(theirs, "pelvis", "spine")
    z = up - (up @ y) * y
    length = float(np.linalg.norm(z))
    if length < 0.1:
        raise NeoError("a body's joints: pelvis to spine runs along the hips; it must stand on them")
    z /= length
    T = np.eye(4)
    T[:3, :3] = np.column_stack([np.cross(y, z), y, z])
    T[:3, 3] = theirs["pelvis"]
    return T


def _laid(theirs: dict[str, np.ndarray], R_base_frame: np.ndarray) -> dict[str, np.ndarray]:
    """Where our joints are (3,) m in base_link when our bones point as a person's do."""

    def way(a: str, b: str) -> np.ndarray:
        return R_base_frame @ _way(theirs, a, b)

    up, left = way("spine", "neck"), way("r_shoulder", "l_shoulder")
    _, wide, high = skeleton.SHOULDER
    neck = SPINE + skeleton.NECK * up
    head = way("neck", "head")
    found = {"neck": neck, "head": neck + _head_away(float(head @ up)) * head}
    for side, sign in (("l", 1.0), ("r", -1.0)):
        shoulder = neck - (skeleton.NECK - high) * up + sign * wide * left
        elbow = shoulder + skeleton.UPPER_ARM * way(f"{side}_shoulder", f"{side}_elbow")
        found[f"{side}_shoulder"], found[f"{side}_elbow"] = shoulder, elbow
        found[f"{side}_wrist"] = elbow + skeleton.FOREARM * way(f"{side}_elbow", f"{side}_wrist")
    return found


def _head_away(cosine: float) -> float:
    """How far (m) the head's point is from the neck where it is seen from there at an angle from the spine.

    The law of cosines for the neck below the joint that nods and the skull above it.
    """
    below, above = skeleton.HEAD, HEAD_POINT[2]
    return below * cosine + max(above**2 - below**2 * (1.0 - cosine**2), 0.0) ** 0.5


def _way(theirs: dict[str, np.ndarray], a: str, b: str) -> np.ndarray:
    """Unit vector (3,) from joint ``a`` to ``b``."""
    along = theirs[b] - theirs[a]
    length = float(np.linalg.norm(along))
    if length < SHORTEST:
        raise NeoError(
            f"a body's joints: {a} to {b} is {length:.3f} m; {SHORTEST:g} m or more needed: "
            "are they in metres?"
        )
    return along / length
