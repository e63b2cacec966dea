"""Where a thing is put: beside a landmark, on it, or in it; and whether it is there."""

from __future__ import annotations

import itertools

import numpy as np

from neo_task.grasp_pose import HAND_BELOW, GraspPlan, Obstacle, above, arm_clearance, clearance, shoulder_y
from neo_task.planner import Context, TaskFailed
from neo_task.prompt import Task
from neo_task.taking import Sighting, grasp, others, own_side

FLOOR = 0.012  # m: a thing that is put in another is let go so high above what that one stands on, at least
# rad from odom's x
WAYS = {"behind": 0.0, "left_of": np.pi / 2, "in_front_of": np.pi, "right_of": -np.pi / 2}
TURNS = np.radians([0.0, 20.0, -20.0, 40.0, -40.0, 60.0, -60.0, 75.0, -75.0])  # a spot is still on that side
MORE = (0.0, 0.04, -0.04)  # m to the gap
OTHER_SIDE = 1.0  # rad: the other side is like a turn by so much
ABOVE = 0.10  # m: where a hand that sets something down comes from
ACROSS = 0.50  # m from the other shoulder's vertical: what that hand takes, reaching across
OVER = 0.03  # m that is kept free below what is carried over a thing, and beside it
LEANS = 0.03  # m: how much lower or higher than upright a thing on or in another may be


def holds(task: Task) -> bool:
    """Whether the place is on or in a landmark, not beside one."""
    return task.relation in ("on", "in")


def room_for(
    ctx: Context, task: Task, landmark: Sighting, target: Sighting, plan: GraspPlan | None = None
) -> np.ndarray:
    """(3,) m in odom: where the object's middle goes. "Next to" is the hand's own side, or another.

    Beside a landmark it is the first spot with room for the object and, where ``plan`` says how it is held,
    for the hand; else the one with the most. On or in it the objects share its longer side; what goes in is
    here still above the rim.
    """
    if holds(task):
        number, parts = ctx.part
        longer = int(np.argmax(landmark.thing.size[:2]))
        share = (number + 0.5) / parts - 0.5
        centre = landmark.centre + share * landmark.thing.size[longer] * landmark.T_odom_object[:3, longer]
        centre[2] = landmark.centre[2] + (landmark.thing.size[2] + target.thing.size[2]) / 2
        return _in_reach(ctx, task, landmark, [centre])[0]
    spots = _in_reach(ctx, task, landmark, _beside(ctx, task, landmark, target))
    around = others(ctx, target)
    rooms = [_room(spot, target, around, plan) for spot in spots]
    wanted = ctx.params.clearance
    return next((spot for spot, room in zip(spots, rooms, strict=True) if room >= wanted),
                spots[int(np.argmax(rooms))])  # fmt: skip


def hand_for(ctx: Context, task: Task, landmark: Sighting | None, target: Sighting) -> str:
    """The side of the hand that takes an object to put it where the task says; ``landmark``: beside what.

    It is the one on whose side the object is, unless the way to take it or to put it down is too narrow for
    that hand and its arm, and wide enough for the other, which must reach across.
    """
    own = own_side(target)
    if landmark is None or holds(task):
        return own
    other = "r" if own == "l" else "l"
    if np.hypot(target.centre[0], target.centre[1] - shoulder_y(other)) > ACROSS:
        return own
    around = others(ctx, target)
    spots = _in_reach(ctx, task, landmark, _beside(ctx, task, landmark, target))
    room = {}
    for side in (own, other):
        plan = grasp(ctx, target, side)
        room[side] = min(plan.clearance, max(_room(spot, target, around, plan) for spot in spots))
    narrow = ctx.params.clearance / 2
    return other if room[own] < narrow <= room[other] else own


def _in_reach(ctx: Context, task: Task, landmark: Sighting, spots: list[np.ndarray]) -> list[np.ndarray]:
    """Of ``spots``, those that are near enough, and not so near that there is no table."""
    reach, nearest = ctx.params.reach, ctx.params.place_nearest
    near = [spot for spot in spots if np.hypot(*spot[:2]) <= reach and spot[0] >= nearest]
    if near:
        return near
    where = f"{task.relation.replace('_', ' ')} the {landmark.name}"
    away = float(np.hypot(*spots[0][:2]))
    if away <= reach:
        raise TaskFailed("unreachable", f"{where} is beyond the table's edge, {spots[0][0]:.2f} m ahead")
    raise TaskFailed("unreachable", f"{where} is {away:.2f} m away; I reach {reach} m")


def _beside(ctx: Context, task: Task, landmark: Sighting, target: Sighting) -> list[np.ndarray]:
    """(3,) m each, the likeliest first: straight to the side meant, or turned from there, nearer or farther.

    Where it stands is none of them.
    """
    own = np.pi / 2 if target.centre[1] > 0.0 else -np.pi / 2
    ways = {own: 0.0, -own: OTHER_SIDE} if task.relation == "next_to" else {WAYS[task.relation]: 0.0}
    apart = landmark.radius + target.radius + ctx.params.place_gap
    found = []
    for way, turn, more in itertools.product(ways, TURNS, MORE):
        away = (apart + more) * np.array([np.cos(way + turn), np.sin(way + turn), 0.0])
        spot = landmark.centre + away
        spot[2] = target.centre[2]
        if np.linalg.norm(spot - target.centre) > ctx.params.place_gap / 2:
            found.append((ways[way] + abs(turn) + abs(more) / ctx.params.place_gap, spot))
    return [spot for _, spot in sorted(found, key=lambda one: one[0])]


def _room(spot: np.ndarray, target: Sighting, around: list[Obstacle], plan: GraspPlan | None) -> float:
    """m that stay free beside the object, and beside the hand and the arm that set it down."""
    free = min((_apart(spot, thing) for thing in around), default=np.inf) - target.radius
    if plan is not None:
        T_down = set_down(plan, target.centre, spot, turned=False)
        free = min(free, clearance(above(T_down, ABOVE), T_down, around))
        free = min(free, arm_clearance(plan.side, T_down, around))
    return float(free)


def _apart(spot: np.ndarray, thing: Obstacle) -> float:
    return float(np.linalg.norm(spot[:2] - thing.centre[:2])) - thing.radius


def set_down(plan: GraspPlan, start: np.ndarray, centre: np.ndarray, turned: bool) -> np.ndarray:
    """``T_odom_gripper`` (4, 4) that brings the object's middle from ``start`` to ``centre`` (3,) m in odom.

    ``turned``: the object turns with the arm, by the angle at the shoulder, as it must far to the other side.
    """
    T = plan.T_grasp.copy()
    T[:3, 3] -= start
    if turned:
        y = shoulder_y(plan.side)
        before, after = (np.arctan2(place[1] - y, place[0]) for place in (start, centre))
        c, s = np.cos(after - before), np.sin(after - before)
        T[:3] = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ T[:3]
    T[:3, 3] += centre
    return T


def carried(ctx: Context, target: Sighting, centre: np.ndarray) -> float:
    """How high (m) the object is lifted on its way to ``centre`` (3,): over all that stands in between."""
    a, b = target.centre[:2], centre[:2]
    foot, high = target.centre[2] - target.thing.size[2] / 2, float(ctx.params.lift_height)
    for thing in others(ctx, target):
        along = np.clip((thing.centre[:2] - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-9), 0.0, 1.0)
        if _apart(a + along * (b - a), thing) < target.radius + OVER:
            high = max(high, float(thing.centre[2]) + thing.height / 2 + OVER - float(foot))
    return min(high, ctx.params.carry_highest)


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
