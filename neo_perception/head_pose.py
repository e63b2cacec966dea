"""Where the head camera is in ``base_link`` at an image's stamp: from joint encoders and kinematics."""

from __future__ import annotations

from collections import deque

import numpy as np

from neo_description.errors import NeoError
from neo_description.kinematics import Kinematics
from neo_description.tables import BODY

CAMERA_FRAME = "head_left_camera_optical_frame"
CHAIN = ("torso_yaw", "torso_roll", "torso_pitch", "neck_yaw", "neck_pitch")


class HeadPose:
    """A short history of joint positions, interpolated at an image's time.

    ``span`` s of history is kept; an image's stamp may lie at most ``reach`` s outside it (the nearest
    sample then counts).
    """

    def __init__(self, span: float = 1.0, reach: float = 0.03) -> None:
        self._span, self._reach = span, reach
        self._kinematics = Kinematics()
        self._chain = [BODY.index(joint) for joint in CHAIN]
        self._history: deque[tuple[float, np.ndarray]] = deque()

    def add(self, time: float, joint_position: np.ndarray) -> None:
        """Encoders (31,) rad, or (75,) with the hands, at ``time``; an earlier time clears the history."""
        if self._history and time <= self._history[-1][0]:
            if time == self._history[-1][0]:
                return
            self._history.clear()
        self._history.append((time, np.array(joint_position, float)))
        while time - self._history[0][0] > self._span:
            self._history.popleft()

    def ready(self, time: float) -> bool:
        """Whether the encoders reach up to ``time``, so that :meth:`at` need not extrapolate."""
        return bool(self._history) and self._history[-1][0] >= time

    def at(self, time: float) -> np.ndarray:
        """``T_base_camera`` (4, 4) of the left optical frame at ``time``; NeoError without encoders then."""
        q = np.zeros(len(BODY.joints))
        q[self._chain] = self.joints(time)[self._chain]
        return self._kinematics.frames(q, (CAMERA_FRAME,))[CAMERA_FRAME].copy()

    def joints(self, time: float) -> np.ndarray:
        """The joint positions at ``time``, interpolated; as many as were added."""
        if not self._history:
            raise NeoError("the head's pose is unknown: no joint encoders yet")
        first, last = self._history[0][0], self._history[-1][0]
        if not first - self._reach <= time <= last + self._reach:
            raise NeoError(
                f"no joint encoders at {time:.3f} s, the image's time; known from {first:.3f} to {last:.3f} s"
            )
        after = next((k for k, (t, _) in enumerate(self._history) if t >= time), len(self._history) - 1)
        t1, q1 = self._history[after]
        t0, q0 = self._history[max(after - 1, 0)]
        share = 1.0 if t1 == t0 else float(np.clip((time - t0) / (t1 - t0), 0.0, 1.0))
        return q0 + share * (q1 - q0)
