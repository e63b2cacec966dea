"""How things are taken off the rig's table: grasp, attitude and way in, from what eyes tell of the thing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neo_description.objects import Thing


def _sideways() -> np.ndarray:
    return np.array([1.0, 1.0, 0.0]) / np.sqrt(2.0)


@dataclass(frozen=True)
class Take:
    """``grasp``: row of grasps.yaml. ``height``: share of the thing's height at which the gripper stands.

    ``turn`` (3,) rad of the right hand, as :func:`neo_sim.hand_rig.turned` has it (0: thumb up, fingers along
    x); ``way_in`` (3,): direction of the last centimetres; ``table`` m: half its edge.
    """

    grasp: str
    height: float
    turn: np.ndarray = field(default_factory=lambda: np.zeros(3))
    way_in: np.ndarray = field(default_factory=_sideways)
    table: float = 0.3

    def width(self, thing: Thing) -> float:
        """Of ``thing`` between thumb and fingers (m)."""
        return float(min(thing.size[:2]))


def take_of(thing: Thing) -> Take:
    """The take of a thing by its outline."""
    kinds = {shape.kind for shape in thing.shapes}
    height = float(thing.size[2])
    if kinds == {"box"}:
        return Take("box_wrap", 0.6)
    if kinds <= {"sphere", "ellipsoid"}:
        return Take("large_wrap", 0.6, table=0.02)  # on a pedestal: the hand reaches below
    return Take("medium_wrap", 0.42 if height > 0.16 else 0.55)
