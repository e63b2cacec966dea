"""Where the gripper goes to take an object: poses in odom from its shape, and the free way in.

``gripper``: x to the fingertips, z out of the palm, origin in the centre of a power grasp.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from neo_description.errors import NeoError

TAKES = Path(__file__).with_name("takes.yaml")
UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Take:
    """How one class of objects is taken; a row of ``takes.yaml``.

    ``grasp``: row of the hand's grasp table. ``from_above``: palm down instead of sideways.
    ``height``: share of the object's height at which it is gripped. ``way_in`` (2,): direction of
    the last centimetres in the gripper's x and z. ``headings`` rad: of the fingers about the
    vertical, 0 = forward, positive = inwards, tried in this order.
    """

    grasp: str
    from_above: bool
    height: float
    way_in: tuple[float, float]
    headings: tuple[float, ...]
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class GraspPlan:
    """One way to take one object: poses ``T_odom_gripper`` (4, 4), before and at the grasp."""

    side: str
    take: Take
    width: float
    T_before: np.ndarray
    T_grasp: np.ndarray
    clearance: float


def takes() -> dict[str, Take]:
    """Object class → how it is taken."""
    rows = yaml.safe_load(TAKES.read_text())
    return {
        name: Take(
            grasp=row["grasp"],
            from_above=row.get("from_above", False),
            height=row["height"],
            way_in=tuple(row["way_in"]),
            headings=tuple(row["headings"]),
            offset=tuple(row.get("offset", (0.0, 0.0, 0.0))),
        )
        for name, row in rows.items()
    }


def gripper_rotation(side: str, heading: float, from_above: bool) -> np.ndarray:
    """``R_odom_gripper`` (3, 3): fingers along ``heading`` (rad, positive inwards), palm inwards or down."""
    inwards = 1.0 if side == "r" else -1.0
    forward = np.array([np.cos(heading), inwards * np.sin(heading), 0.0])
    palm = -UP if from_above else inwards * np.cross(UP, forward)
    return np.column_stack([forward, np.cross(palm, forward), palm])


def _segment_distance(point: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    along = b - a
    share = np.clip(np.dot(point - a, along) / max(np.dot(along, along), 1e-9), 0.0, 1.0)
    return float(np.linalg.norm(point - a - share * along))


def plan_grasp(
    side: str,
    take: Take,
    T_odom_object: np.ndarray,
    size: np.ndarray,
    others: list[tuple[np.ndarray, float]],
    distance: float,
    wanted_clearance: float,
) -> GraspPlan:
    """The first heading of ``take`` with the wanted clearance, else the one with the most.

    ``size`` (3,) m; ``others``: centre (3,) in odom and radius of each other object; ``distance`` m
    between the pose before and the grasp; clearance is what is left between the hand's way in, as
    a line in the horizontal plane, and the other objects' outlines.
    """
    if side not in ("l", "r"):
        raise NeoError(f"no side {side!r}; l or r")
    centre = T_odom_object[:3, 3]
    best: GraspPlan | None = None
    for heading in take.headings:
        R = gripper_rotation(side, heading, take.from_above)
        T_grasp = np.eye(4)
        T_grasp[:3, :3] = R
        T_grasp[:3, 3] = centre + UP * (take.height - 0.5) * size[2] + R @ np.array(take.offset)
        way = R @ np.array([take.way_in[0], 0.0, take.way_in[1]])
        T_before = T_grasp.copy()
        T_before[:3, 3] -= distance * way / np.linalg.norm(way)
        back = T_before[:3, 3] - 0.1 * R[:, 0]  # the wrist comes after
        clearance = min(
            (_segment_distance(c[:2], back[:2], T_grasp[:2, 3]) - radius for c, radius in others),
            default=1.0,
        )
        plan = GraspPlan(side, take, float(min(size[0], size[1])), T_before, T_grasp, clearance)
        if clearance >= wanted_clearance:
            return plan
        if best is None or clearance > best.clearance:
            best = plan
    assert best is not None
    return best
