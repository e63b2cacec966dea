"""A controller's fingers along fingertip paths: JOINTS every tick, with what the fingers' mass costs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neo_description.errors import NeoError
from neo_description.signals import HandAction, HandCommand
from neo_description.tables import CONTROL_DT, HAND
from neo_hand_control.controller import HandController
from neo_hand_control.finger_dynamics import FingerDynamics
from neo_hand_control.fingertips import FingertipFollower

SETTLE = 250  # steps in which spare joints come to rest
MOST = 0.9  # share of a joint's effort that motion may ask for


class FingertipPaths:
    """Leads ``hand``; ``rest`` (22,) rad: the posture that spare joints drift to."""

    def __init__(self, hand: HandController, rest: np.ndarray | None = None):
        self._hand = hand
        self.follower = FingertipFollower(hand.side, rest)
        self._dynamics = FingerDynamics(hand.side)

    def begin(self, want: Mapping[str, np.ndarray], gravity: np.ndarray | None = None) -> None:
        """Go where tips are at ``want`` (finger → (3,) m, in the wrist's frame), however far that is."""
        self._dynamics.reset()
        self.follower.find(want)
        for _ in range(SETTLE):
            q, _ = self.follower.step(want)
        still = np.zeros(len(q))
        self._send(q, self._dynamics.accelerated(q, still, CONTROL_DT, gravity))

    def step(
        self,
        want: Mapping[str, np.ndarray],
        velocity: Mapping[str, np.ndarray],
        gravity: np.ndarray | None = None,
    ) -> None:
        """Before a tick's ``update``: tips at ``want`` (m), moving with ``velocity`` (m/s).

        ``gravity`` (3,) m/s² in the wrist's frame, where the arm knows it.
        """
        q, qd = self.follower.step(want, velocity)
        self._send(q, self._dynamics.accelerated(q, qd, CONTROL_DT, gravity))
        self._hand.move_with(qd)

    def _send(self, q: np.ndarray, effort: np.ndarray) -> None:
        most = MOST * HAND.effort
        effort = np.minimum(np.maximum(effort, -most), most)
        refused = self._hand.command(HandCommand(HandAction.JOINTS, joint_position=q, joint_effort=effort))
        if refused is not None:
            raise NeoError(f"{self._hand.side} hand: {refused}")
