"""How much faster it must be told to walk, so that it walks as fast as it should.

Steps come to lie a little elsewhere and last a little longer or shorter than planned, always in the same
way: a robot walked 12 % too fast forward and a third too slowly to the side. Odometry over the last two
steps, in which swaying cancels, says by how much; an integral takes it back.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from neo_body_control.walking.stance import rotation, wrapped

STRIDE = 2  # steps
MOST = np.array([0.2, 0.2, 0.3])  # m/s forward and to the left, rad/s that are taken back at most


class Pace:
    """``gain``: share of what is amiss that each step takes back."""

    def __init__(self, gain: float):
        self._gain = gain
        self.reset()

    def reset(self) -> None:
        """Nothing is known: the next velocity is walked as it is."""
        self._more = np.zeros(3)
        self._steps: deque[tuple[float, np.ndarray, float, np.ndarray]] = deque(maxlen=STRIDE + 1)

    def corrected(self, velocity: np.ndarray) -> np.ndarray:
        """The velocity (3,) to plan with for ``velocity``; none stays none."""
        return velocity + self._more if velocity.any() else velocity

    def stepped(self, time: float, place: np.ndarray, heading: float, velocity: np.ndarray) -> None:
        """A foot has come down at ``time`` s, the body at ``place`` (2,) m facing ``heading`` rad in odom,
        told to go at ``velocity`` (3,) m/s, m/s, rad/s. Only strides at one velocity count."""
        if self._steps and not np.array_equal(self._steps[-1][3], velocity):
            self._steps.clear()
        self._steps.append((time, place.copy(), heading, velocity.copy()))
        if len(self._steps) <= STRIDE or not velocity.any():
            return
        before, start, heading_then, _ = self._steps[0]
        lasted, turn = time - before, wrapped(heading - heading_then)
        way = rotation(heading_then + 0.5 * turn).T @ (place - start)
        walked = np.array([*way, turn]) / lasted
        self._more = np.clip(self._more + self._gain * (velocity - walked), -MOST, MOST)
