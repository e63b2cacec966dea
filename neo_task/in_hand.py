"""Where a thing is that a hand holds: with the hand. Eyes lose what fingers hide, and are late on motion."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neo_description.signals import BodyEstimate, GraspPhase, GraspStatus

AT_HAND = (
    0.12  # m from the gripper: what is believed to be so near when a hand holds something is what it holds
)


class InHand:
    """Of one thing. It stays in the hand as it was believed to lie there when the hand first held."""

    def __init__(self) -> None:
        self._lies: dict[
            str, np.ndarray | None
        ] = {}  # by side that holds: (3,) m in the gripper, None: another

    def place(
        self, estimate: BodyEstimate, hands: Mapping[str, GraspStatus], believed: np.ndarray
    ) -> np.ndarray | None:
        """(3,) m in odom, None where no hand holds it; ``believed`` (3,) m: where eyes have it, or NaN."""
        out = None
        for side, hand in hands.items():
            if hand.phase != GraspPhase.HOLDING:
                self._lies.pop(side, None)
                continue
            T: np.ndarray = getattr(estimate, f"T_odom_{side}_gripper")
            if side not in self._lies:
                away = believed - T[:3, 3]
                near = bool(np.linalg.norm(away) < AT_HAND)  # of NaN: not
                self._lies[side] = T[:3, :3].T @ away if near else None
            lies = self._lies[side]
            if lies is not None:
                out = T[:3, :3] @ lies + T[:3, 3]
        return out
