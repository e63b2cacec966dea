"""How things are taken off the rig's table: grasp, attitude and way in, from what eyes tell of the thing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neo_description.objects import Thing

LOWEST = 0.033  # m over the table: lower, the little finger meets it
SMALL = 0.05  # m of a round thing round which the fingers of a wrap would meet the thumb
WIDEST = 0.085  # m of a box between thumb and fingers
SEEN_YAW = 0.2  # rad: the hand comes along a box's sides, as well as eyes tell how they lie


def _sideways() -> np.ndarray:
    return np.array([1.0, 1.0, 0.0]) / np.sqrt(2.0)


@dataclass(frozen=True)
class Take:
    """``grasp``: row of grasps.yaml. ``height``: share of the thing's height at which the gripper stands.

    ``turn`` (3,) rad of the right hand, as :func:`neo_sim.hand_rig.turned` has it (0: thumb up, fingers along
    x); ``way_in`` (3,): direction of the last centimetres; ``table`` m: half its edge; ``yaw`` rad: the
    hand's heading is off from the thing's by up to this; ``across``: side of the thing (0: x, 1: y) between
    thumb and fingers.
    """

    grasp: str
    height: float
    turn: np.ndarray = field(default_factory=lambda: np.zeros(3))
    way_in: np.ndarray = field(default_factory=_sideways)
    table: float = 0.3
    yaw: float = 0.6
    across: int = 0

    def width(self, thing: Thing) -> float:
        """Of ``thing`` between thumb and fingers (m)."""
        return float(thing.size[self.across])


def take_of(thing: Thing) -> Take:
    """The take of a thing by its outline."""
    kinds = {shape.kind for shape in thing.shapes}
    height = float(thing.size[2])
    if kinds == {"box"}:
        long = int(np.argmax(thing.size[:2]))
        # the less deep it lies in the palm, the more of the fingers stands against the thumb
        return Take("box_wrap", 0.6, yaw=SEEN_YAW, across=long if thing.size[long] <= WIDEST else 1 - long)
    if kinds <= {"sphere", "ellipsoid"}:
        if min(thing.size[:2]) < SMALL:
            return Take("power_sphere", 0.6, table=0.02)
        return Take("large_wrap", max(0.45, LOWEST / height), table=0.02)  # on a pedestal: reached round
    return Take("medium_wrap", 0.42 if height > 0.16 else 0.55)
