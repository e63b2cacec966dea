"""What a device says about its operator at one moment; gamepads, headsets and cameras all say it so.

``user`` is the operator's own frame: z up, at any place; ``heading`` (rad) in it is the robot's forward.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neo_description.tables import HAND

JOINTS = (len(HAND.joints),)
ORTHONORMAL = 1e-4  # largest element of RᵀR - 1


@dataclass(frozen=True, slots=True)
class HandFrame:
    """One hand: ``T_user_hand`` (4, 4), the hand's axes as the device likes; ``clutch``: its button is down.

    ``trigger`` 0 (open) to 1 (closed) works ``grasp`` (a row of grasps.yaml) for a thing ``width`` m wide;
    ``give``: what is held may be taken away. ``joints`` (22,) rad: the hand's joints follow the operator's
    fingers instead, and the trigger does not count.
    """

    T_user_hand: np.ndarray
    clutch: bool = False
    trigger: float = 0.0
    grasp: str = "medium_wrap"
    width: float = 0.06
    give: bool = False
    joints: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class OperatorFrame:
    """``time`` s on the device's clock; ``hands`` by side, without those that it does not see.

    ``look`` (3,) in user: where the operator looks, of any length; None: the head stays. ``walk`` (3,):
    forward, left (m/s) and turn (rad/s) of the robot, while the button for it is down; None: it is not.
    """

    time: float
    hands: dict[str, HandFrame] = field(default_factory=dict)
    heading: float = 0.0
    look: np.ndarray | None = None
    walk: np.ndarray | None = None


def problem(frame: OperatorFrame, side: str) -> str | None:
    """Why what ``frame`` says about a hand must not move anything; None: it may."""
    hand = frame.hands[side]
    for name, value in (("heading", frame.heading), ("trigger", hand.trigger), ("width", hand.width)):
        if not np.isfinite(value):
            return f"{name} is {value}; a finite number needed"
    T = np.asarray(hand.T_user_hand)
    if T.shape != (4, 4):
        return f"the hand's pose has shape {T.shape}; (4, 4) needed"
    if not np.isfinite(T).all():
        return "the hand's pose is not finite"
    R = T[:3, :3]
    if np.abs(R.T @ R - np.eye(3)).max() > ORTHONORMAL or np.linalg.det(R) < 0.0:
        return "the hand's rotation is none: not orthonormal with determinant 1"
    if hand.joints is not None and (np.shape(hand.joints) != JOINTS or not np.isfinite(hand.joints).all()):
        return f"fingers of shape {np.shape(hand.joints)}; {JOINTS[0]} finite joint positions needed"
    return None
