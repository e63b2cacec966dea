"""Where a thing is that a hand holds: with the hand. Eyes lose what fingers hide, and are late on motion."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neo_description.signals import BodyEstimate, GraspPhase, GraspStatus

AT_HAND = (
    0.12  # m from the gripper: what is believed to be so near when a hand holds something is what it holds
)


class InHand:
    """Of one thing. It stays in the hand as it was believed to lie there when the hand first held, until it
    is seen farther than ``elsewhere`` m from there.
    """

    def __init__(self, elsewhere: float) -> None:
        self._elsewhere = elsewhere
        self._lies: dict[
            str, np.ndarray | None
        ] = {}  # by side that holds: (3,) m in the gripper, None: another

    def place(
        self, estimate: BodyEstimate, hands: Mapping[str, GraspStatus], believed: np.ndarray,
        seen: np.ndarray | None = None,
    ) -> np.ndarray | None:  # fmt: skip
        """(3,) m in odom, None where no hand holds it; ``believed`` (3,) m: where it is else, or NaN.

        ``seen`` (3,) m: where good eyes see it now; elsewhere, the hand holds something else.
        """
        out = None
        for side, hand in hands.items():
            if hand.phase != GraspPhase.HOLDING:
                self._lies.pop(side, None)
                continue
            T = estimate.gripper(side)
            if side not in self._lies:
                away = believed - T[:3, 3]
                near = bool(np.linalg.norm(away) < AT_HAND)  # of NaN: not
                self._lies[side] = T[:3, :3].T @ away if near else None
            lies = self._lies[side]
            if lies is None:
                continue
            at = T[:3, :3] @ lies + T[:3, 3]
            if seen is not None and np.linalg.norm(seen - at) > self._elsewhere:
                self._lies[side] = None
            else:
                out = at
        return out
