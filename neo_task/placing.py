"""Where a thing is put: beside a landmark, on it, or in it; and whether it is there."""

from __future__ import annotations

import numpy as np

from neo_description.skeleton import SHOULDER
from neo_task.grasp_pose import HAND_BELOW, GraspPlan
from neo_task.planner import Context, TaskFailed
from neo_task.prompt import Task
from neo_task.taking import Sighting

FLOOR = 0.012  # m: a thing that is put in another is let go so high above what that one stands on, at least
LEANS = 0.03  # m: how much lower or higher than upright a thing on or in another may be


def holds(task: Task) -> bool:
    """Whether the place is on or in a landmark, not beside one."""
    return task.relation in ("on", "in")


def room_for(ctx: Context, task: Task, landmark: Sighting, target: Sighting, row: float) -> np.ndarray:
    """(3,) m in odom: where the object's middle goes; "next to" is the hand's own side, or the other.

    ``row`` m: what the objects before take up beside the landmark. On or in it they share its longer side;
    what goes in is here still above the rim.
    """
    own = 1.0 if target.centre[1] > 0.0 else -1.0
    centre = target.centre.copy()
    if holds(task):
        number, parts = ctx.part
        longer = int(np.argmax(landmark.thing.size[:2]))
        share = (number + 0.5) / parts - 0.5
        ways = [share * landmark.thing.size[longer] * landmark.T_odom_object[:3, longer]]
        centre[2] = landmark.centre[2] + (landmark.thing.size[2] + target.thing.size[2]) / 2
    else:
        offset = _offset(task.relation, landmark.radius + target.radius + ctx.params.place_gap)
        ways = [own * offset, -own * offset] if task.relation == "next_to" else [offset]
        ways = [way + np.array([0.0, (np.sign(way[1]) or own) * row, 0.0]) for way in ways]
    for way in ways:
        centre[:2] = (landmark.centre + way)[:2]
        if np.hypot(*centre[:2]) <= ctx.params.reach:
            return centre
    where = f"{task.relation.replace('_', ' ')} the {landmark.name}"
    away = float(np.hypot(*centre[:2]))
    raise TaskFailed("unreachable", f"{where} is {away:.2f} m away; I reach {ctx.params.reach} m")


def _offset(relation: str, gap: float) -> np.ndarray:
    """From the landmark's centre to where the object goes, in odom (x forward, y left)."""
    return {
        "next_to": np.array([0.0, gap, 0.0]),
        "left_of": np.array([0.0, gap, 0.0]),
        "right_of": np.array([0.0, -gap, 0.0]),
        "behind": np.array([gap, 0.0, 0.0]),
        "in_front_of": np.array([-gap, 0.0, 0.0]),
    }[relation]


def set_down(plan: GraspPlan, start: np.ndarray, centre: np.ndarray, turned: bool) -> np.ndarray:
    """``T_odom_gripper`` (4, 4) that brings the object's middle from ``start`` to ``centre`` (3,) m in odom.

    ``turned``: the object turns with the arm, by the angle at the shoulder, as it must far to the other side.
    """
    T = plan.T_grasp.copy()
    T[:3, 3] -= start
    if turned:
        y = SHOULDER[1] if plan.side == "l" else -SHOULDER[1]
        before, after = (np.arctan2(place[1] - y, place[0]) for place in (start, centre))
        c, s = np.cos(after - before), np.sin(after - before)
        T[:3] = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ T[:3]
    T[:3, 3] += centre
    return T


def depth(landmark: Sighting, target: Sighting, plan: GraspPlan) -> float:
    """How far (m) below the rim a hand that stays above it brings the object's foot."""
    foot = target.centre[2] - target.thing.size[2] / 2
    return float(np.clip(plan.T_grasp[2, 3] - foot - HAND_BELOW, 0.0, landmark.thing.size[2] - FLOOR))


def rests(task: Task, landmark: Sighting, target: Sighting) -> bool:
    """Whether the object, as it is seen, is on or in the landmark: its middle above the outline, and not on
    the table beside it."""
    away = landmark.T_odom_object[:3, :3].T @ (target.centre - landmark.centre)
    inside = bool(np.all(np.abs(away[:2]) <= landmark.thing.size[:2] / 2))
    foot = landmark.thing.size[2] / 2 if task.relation == "on" else FLOOR - landmark.thing.size[2] / 2
    lying = float(min(target.thing.size)) / 2
    return inside and away[2] > foot + lying - LEANS
