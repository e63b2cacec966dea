"""Where the gripper goes to take an object: poses in odom from its shape, and the free way in.

``gripper``: x to the fingertips, z out of the palm, origin in the centre of a power grasp.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from neo_description.errors import NeoError
from neo_description.skeleton import SHOULDER

TAKES = Path(__file__).with_name("takes.yaml")
UP = np.array([0.0, 0.0, 1.0])
THUMB = {"l": 1.0, "r": -1.0}  # which way along a gripper's y its thumb is
DIPS = (0.2, 0.6), (0.5, 0.0)  # m, rad: of fingers at these heights above the floor
LOW = 0.09  # m: what is not higher is taken as its row's `low` says


@dataclass(frozen=True)
class Take:
    """How one class of objects is taken; a row of ``takes.yaml``.

    ``grasp``: row of the hand's grasp table. ``from_above``: palm down instead of sideways.
    ``height``: share of the object's height at which it is gripped. ``way_in`` (2,): direction of
    the last centimetres in the gripper's x and z. ``headings`` rad: of the fingers about the
    vertical, 0 = forward, positive = inwards, tried in this order; ``square`` turns each to the nearest
    side of the object. ``tilt`` rad: the fingers point so far to the palm's side. ``offset`` m: along
    fingers, thumb and palm, from the object's axis to the gripper.
    ``low``: how those at most ``LOW`` m high are taken instead.
    """

    grasp: str
    from_above: bool
    height: float
    way_in: tuple[float, float]
    headings: tuple[float, ...]
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    square: bool = False
    tilt: float = 0.0
    low: Take | None = None


@dataclass(frozen=True)
class GraspPlan:
    """One way to take one object: poses ``T_odom_gripper`` (4, 4), the last one at the grasp.

    From ``T_back``, behind the object, to ``T_before``, beside it, to ``T_grasp``. ``clearance`` (m) is
    what stays free beside the hand on the way.
    """

    side: str
    take: Take
    heading: float
    width: float
    T_back: np.ndarray
    T_before: np.ndarray
    T_grasp: np.ndarray
    clearance: float


@dataclass(frozen=True)
class Obstacle:
    """An upright thing to keep clear of: centre (3,) in odom, radius and height (m)."""

    centre: np.ndarray
    radius: float
    height: float


def takes() -> dict[str, Take]:
    """Object class → how it is taken."""
    return {name: _take(row) for name, row in yaml.safe_load(TAKES.read_text()).items()}


def _take(row: dict[str, Any]) -> Take:
    return Take(
        grasp=row["grasp"],
        from_above=row.get("from_above", False),
        height=row["height"],
        way_in=tuple(row["way_in"]),
        headings=tuple(row["headings"]),
        offset=tuple(row.get("offset", (0.0, 0.0, 0.0))),
        square=row.get("square", False),
        tilt=row.get("tilt", 0.0),
        low=_take(row["low"]) if "low" in row else None,
    )


def gripper_rotation(
    side: str, heading: float, from_above: bool, tilt: float = 0.0, dip: float = 0.0
) -> np.ndarray:
    """``R_odom_gripper`` (3, 3): fingers along ``heading`` (rad, positive inwards), palm inwards or down.

    With the palm inwards the fingers point down by ``dip`` rad. They are then turned by ``tilt`` rad towards
    where the palm looks.
    """
    inwards = 1.0 if side == "r" else -1.0
    forward = np.array([np.cos(heading), inwards * np.sin(heading), 0.0])
    palm = -UP if from_above else inwards * np.cross(UP, forward)
    if not from_above:
        forward = np.cos(dip) * forward - np.sin(dip) * UP
    fingers = np.cos(tilt) * forward + np.sin(tilt) * palm
    return np.column_stack([fingers, np.cross(palm, forward), np.cos(tilt) * palm - np.sin(tilt) * forward])


def dip(height: float) -> float:
    """rad by which fingers point down to what is gripped ``height`` m above the floor.

    An arm comes to things on the floor from above, and a wrist turns by 1 rad; beyond that the hand would
    take pelvis and spine with it.
    """
    return float(np.interp(height, *DIPS))


HAND_POINTS = np.array([-0.08, -0.02, 0.04, 0.10])  # m along the gripper's x: wrist, palm, fingers, tips
FOREARM = np.array([0.05, 0.10, 0.15, 0.20])  # m from the wrist towards the shoulder, along the table
FOREARM_RISES = 0.75  # m up a metre of that
HAND_BELOW = 0.05  # m: how far the hand reaches below its origin
SAMPLES = 12
TURN = 0.15  # rad: a side may turn the hand so much further than the headings a class is taken with


def _way(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(SAMPLES, 4, 3) points of the hand on its way from pose ``a`` to ``b``, turning steadily."""
    t = np.linspace(0.0, 1.0, SAMPLES)[:, None]
    origin = a[:3, 3] + t * (b[:3, 3] - a[:3, 3])
    forward = a[:3, 0] + t * (b[:3, 0] - a[:3, 0])
    forward /= np.maximum(np.linalg.norm(forward, axis=1, keepdims=True), 1e-6)
    return origin[:, None, :] + HAND_POINTS[None, :, None] * forward[:, None, :]


def _clearance(points: np.ndarray, obstacles: list[Obstacle]) -> float:
    """Least horizontal distance (m) of hand points (n, 4, 3) from obstacles as high as they are."""
    least = 1.0
    for thing in obstacles:
        apart = np.linalg.norm(points[..., :2] - thing.centre[:2], axis=-1) - thing.radius
        above = points[..., 2] - HAND_BELOW > thing.centre[2] + thing.height / 2
        least = min(least, float(np.min(np.where(above, 1.0, apart))))
    return least


def clearance(T_from: np.ndarray, T_to: np.ndarray, others: list[Obstacle]) -> float:
    """m that stay free beside a hand that goes from one pose (4, 4) to another; 1: nothing is near."""
    return _clearance(_way(T_from, T_to), others)


def above(T: np.ndarray, height: float) -> np.ndarray:
    """The pose ``height`` m above ``T`` (4, 4)."""
    T_above = T.copy()
    T_above[2, 3] += height
    return T_above


def shoulder_y(side: str) -> float:
    """m to the left of the robot's middle."""
    return SHOULDER[1] if side == "l" else -SHOULDER[1]


def arm_clearance(side: str, T_odom_gripper: np.ndarray, others: list[Obstacle]) -> float:
    """m that stay free beside the forearm of a hand at a pose (4, 4): it rises towards the shoulder."""
    wrist = T_odom_gripper[:3, 3] + HAND_POINTS[0] * T_odom_gripper[:3, 0]
    back = np.array([0.0, shoulder_y(side)]) - wrist[:2]
    back /= max(float(np.linalg.norm(back)), 1e-6)
    points = wrist + FOREARM[:, None] * np.array([*back, FOREARM_RISES])
    return _clearance(points[None], others)


def _headings(side: str, take: Take, T_odom_object: np.ndarray) -> tuple[float, ...]:
    """The headings of ``take``, turned to the object's sides where it has some."""
    if not take.square:
        return take.headings
    inwards = 1.0 if side == "r" else -1.0
    yaw = inwards * np.arctan2(T_odom_object[1, 0], T_odom_object[0, 0])
    quarter = np.pi / 2
    turned = [yaw + quarter * np.round((heading - yaw) / quarter) for heading in take.headings]
    low, high = min(take.headings) - TURN, max(take.headings) + TURN
    bearable = [heading for heading in turned if low <= heading <= high] or turned[:1]
    return tuple(dict.fromkeys(round(float(heading), 6) for heading in bearable))


def plan_grasp(
    side: str,
    take: Take,
    T_odom_object: np.ndarray,
    size: np.ndarray,
    T_odom_gripper: np.ndarray,
    others: list[Obstacle],
    distance: float,
    wanted_clearance: float,
) -> GraspPlan:
    """The first heading of ``take`` with the wanted clearance, else the one with the most.

    ``size`` (3,) m; ``T_odom_gripper``: where the hand is now; ``others``: what else stands there;
    ``distance`` m between the pose before and the grasp, and again between back and before.
    """
    if side not in ("l", "r"):
        raise NeoError(f"no side {side!r}; l or r")
    if take.low is not None and size[2] <= LOW:
        take = take.low
    centre = T_odom_object[:3, 3]
    target = Obstacle(centre, float(max(size[:2]) / 2), float(size[2]))
    plans = []
    for heading in _headings(side, take, T_odom_object):
        R = gripper_rotation(side, heading, take.from_above, take.tilt, dip(centre[2]))
        T_grasp = np.eye(4)
        T_grasp[:3, :3] = R
        offset = R @ (take.offset * np.array([1.0, THUMB[side], 1.0]))
        T_grasp[:3, 3] = centre + UP * (take.height - 0.5) * size[2] + offset
        way_in = R @ np.array([take.way_in[0], 0.0, take.way_in[1]])
        T_before = T_grasp.copy()
        T_before[:3, 3] -= distance * way_in / np.linalg.norm(way_in)
        T_back = T_before.copy()
        T_back[:3, 3] -= distance * R[:, 0]
        there = np.concatenate([_way(T_odom_gripper, T_back), _way(T_back, T_before)])
        free = min(_clearance(there, [*others, target]), clearance(T_before, T_grasp, others))
        width = float(min(size[0], size[1]))
        plans.append(GraspPlan(side, take, heading, width, T_back, T_before, T_grasp, free))
        if free >= wanted_clearance:
            return plans[-1]
    return max(plans, key=lambda plan: plan.clearance)
