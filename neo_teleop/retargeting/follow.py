"""A landmark track as a motion of the robot: joints of the body and both hands, at each moment of the track.

Where the body was seen, the pelvis of the person is base_link, and arms copy arms. Where only hands were, the
robot sits as in `ready`, and its wrists go where they were. A hand that is not seen for a moment stays as it
was; one that is not seen for :data:`LONGEST` ends the motion, and the next sight begins another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from neo_description.errors import NeoError
from neo_description.kinematics import Kinematics
from neo_description.tables import SIDES
from neo_teleop.retargeting.body import BodyPose, BodyRetargeter
from neo_teleop.retargeting.body_model import READY, ROWS
from neo_teleop.retargeting.hand import HandRetargeter
from neo_teleop.retargeting.landmark_track import LandmarkTrack, Moment

FAR = 0.05  # m
LONGEST = 0.5  # s that a hand may be out of sight within one motion
EYE = "head_left_camera_optical_frame"


@dataclass
class Motion:
    """``times`` (T,) s; ``body`` (T, 31) and ``hands`` (T, 22) by side, rad, of those seen."""

    times: np.ndarray
    body: np.ndarray
    hands: dict[str, np.ndarray]


@dataclass
class Followed:
    """``motions`` in order; ``left_out``: why a part of a moment was not taken → how often.

    ``far``: in how many moments an arm is farther than :data:`FAR` from where the person's was: out of reach.
    """

    motions: list[Motion] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    far: int = 0


def follow(
    track: LandmarkTrack, least: float = 0.5, say: Callable[[int, int], None] = lambda done, of: None
) -> Followed:
    """The motions in ``track``; what was seen with a confidence below ``least`` counts as not seen."""
    T_base_frame = track.T_base_frame
    found = Followed()
    follower = _Follower(eye() if T_base_frame is None else T_base_frame, found)
    rows: list[_Row] = []
    for number, moment in enumerate(track.moments):
        sure = moment.sure(least)
        for name in (*moment.hands, *(["body"] if moment.body is not None else [])):
            if name not in sure.hands and not (name == "body" and sure.body is not None):
                found.left_out["unsure"] += 1
        if rows and follower.lost(sure):
            _end(rows, found)
            follower.reset()
            rows = []
        row = follower.step(sure)
        if row is not None:
            rows.append(row)
        say(number + 1, len(track.moments))
    _end(rows, found)
    return found


def eye() -> np.ndarray:
    """``T_base_eye`` (4, 4): the left eye of the robot in `ready`."""
    return Kinematics().frames(READY, (EYE,))[EYE]


@dataclass(frozen=True, slots=True)
class _Row:
    time: float
    body: np.ndarray
    hands: dict[str, np.ndarray]


class _Follower:
    def __init__(self, T_base_frame: np.ndarray, found: Followed):
        self._T_base_frame, self._found = T_base_frame, found
        self._hands = {side: HandRetargeter(side) for side in SIDES}
        self._body = BodyRetargeter()
        self.reset()

    def reset(self) -> None:
        for hand in self._hands.values():
            hand.reset()
        self._body.reset()
        self._seen: dict[str, float] = {}
        self._joints: dict[str, np.ndarray] = {}
        self._wrists: dict[str, np.ndarray] = {}

    def lost(self, moment: Moment) -> bool:
        """Whether what was seen has not been for too long, now that ``moment`` comes."""
        return any(moment.time - time > LONGEST for time in self._seen.values())

    def step(self, moment: Moment) -> _Row | None:
        """The robot at ``moment``; None while nothing was ever seen."""
        for side, points in moment.hands.items():
            try:
                pose = self._hands[side].retarget(points)
            except NeoError as error:
                self._found.left_out[str(error)] += 1
                continue
            self._seen[side], self._joints[side] = moment.time, pose.joints
            self._wrists[side] = pose.T_frame_wrist
        now = {s: self._wrists[s] for s, time in self._seen.items() if time == moment.time and s in SIDES}
        upper = self._upper(moment, now)
        if upper is None:
            return None
        body = READY.copy()
        body[ROWS] = upper
        return _Row(moment.time, body, dict(self._joints))

    def _upper(self, moment: Moment, now: dict[str, np.ndarray]) -> np.ndarray | None:
        if moment.body is not None:
            try:
                pose = self._body.retarget(moment.body, now)
            except NeoError as error:
                self._found.left_out[str(error)] += 1
            else:
                self._seen["body"] = moment.time
                return self._joints_of(pose)
        if "body" in self._seen:
            return self._body.joints
        if not self._wrists:
            return None
        return self._joints_of(self._body.reach({s: self._T_base_frame @ T for s, T in self._wrists.items()}))

    def _joints_of(self, pose: BodyPose) -> np.ndarray:
        self._found.far += pose.error > FAR
        return pose.joints


def _end(rows: list[_Row], found: Followed) -> None:
    if not rows:
        return
    sides = [side for side in SIDES if any(side in row.hands for row in rows)]
    first = {side: next(row.hands[side] for row in rows if side in row.hands) for side in sides}
    found.motions.append(
        Motion(
            np.array([row.time for row in rows]),
            np.array([row.body for row in rows]),
            {side: np.array([row.hands.get(side, first[side]) for row in rows]) for side in sides},
        )
    )
