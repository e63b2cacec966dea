"""From the landmarks of a person's hand to the joints of ours.

    retargeter = HandRetargeter("r")
    pose = retargeter.retarget(points)        # (21, 3) m, any rigid frame; pose.joints (22,) rad

The person's hand is fitted in three steps: its size beside ours (of bones, whose lengths no posture changes),
the palm (a rigid fit of what no joint moves), and the fingers: inverse kinematics by ``mink`` that brings the
landmarks of our hand, enlarged, onto theirs,

    min Σ c_i² | p_i(q) - t_i |² ,   q_min ≤ q ≤ q_max,   parts of the hand do not touch

from the posture of the frame before. Nothing in it is drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_description.errors import NeoError
from neo_description.hand import HALF_OPEN
from neo_description.tables import HAND
from neo_teleop.retargeting.fit import lengths, rigid_fit
from neo_teleop.retargeting.hand_model import BONES, FINGERTIPS, RIGID, hand_model
from neo_teleop.retargeting.landmarks import HAND_21, hand_21
from neo_teleop.retargeting.search import Search
from neo_teleop.retargeting.task import PointTask

SMALLEST, LARGEST = 0.6, 1.6  # of a person's hand beside ours
TIP_COST, JOINT_COST = 1.0, 0.5  # [cost]/[m]
WARM, COLD = 5, 40  # programs for a frame that follows one, for a first one
MEMORY = 30  # frames over which the size is averaged


@dataclass(frozen=True, slots=True)
class HandPose:
    """``joints`` (22,) rad in the order of ``HAND``; ``T_frame_wrist`` (4, 4): our wrist where they are.

    ``scale``: the person's hand in lengths of ours. ``error`` (5,) m: from our tips (thumb first), enlarged,
    to theirs, divided by ``scale``.
    """

    joints: np.ndarray
    T_frame_wrist: np.ndarray
    scale: float
    error: np.ndarray


class HandRetargeter:
    """Of the hand ``side``; :meth:`reset` before the frames of another person or another take."""

    def __init__(self, side: str):
        self.side = side
        self.hand = hand_model(side)
        self._tips, self._rigid = _rows(FINGERTIPS), _rows(RIGID)
        self._follow = np.flatnonzero(self.hand.moves.any(axis=1))
        tips = np.isin(self._follow, self._tips)
        self._task = PointTask(
            self.hand.sites[self._follow], self.hand.moves[self._follow], np.where(tips, TIP_COST, JOINT_COST)
        )
        self._search = Search(self.hand.model, [self._task], HAND.q_min, HAND.q_max)
        straight = self.hand.at(np.zeros(len(HAND.joints)))
        self._ours = straight[self._rigid]
        self._length = lengths(straight, BONES)
        self.reset()

    def reset(self) -> None:
        """Forget the frames before: the next one is a first one."""
        self._count, self._scale = 0, 0.0
        self._search.start(np.array([HALF_OPEN.get(name, 0.0) for name in HAND.joints]))

    def retarget(self, points: object) -> HandPose:
        """The pose of our hand for 21 landmarks (or WebXR's 25 joints), m, in any rigid frame.

        NeoError for what is no hand: another shape, not finite, of no hand's size; it changes nothing.
        """
        theirs = hand_21(points)
        scale = self._sized(theirs)
        T = rigid_fit(scale * self._ours, theirs[self._rigid])
        targets = (theirs - T[:3, 3]) @ T[:3, :3] / scale
        self._task.targets = targets[self._follow]
        self._search.run(COLD if self._count == 0 else WARM)
        self._count += 1
        error = np.linalg.norm((self.hand.points(self._search.data) - targets)[self._tips], axis=1)
        return HandPose(self._search.q, T, scale, error)

    def _sized(self, theirs: np.ndarray) -> float:
        scale = lengths(theirs, BONES) / self._length
        if not SMALLEST <= scale <= LARGEST:
            raise NeoError(
                f"a hand's landmarks: {scale:.2f} times as large as the robot's hand; "
                f"{SMALLEST:g} to {LARGEST:g} allowed: are they in metres?"
            )
        self._scale += (scale - self._scale) / min(self._count + 1, MEMORY)
        return self._scale


def _rows(names: tuple[str, ...]) -> np.ndarray:
    return np.array([HAND_21.index(name) for name in names])
