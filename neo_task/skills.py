"""The skills: look, pick, place, release, reach, push, give; each reads from top to bottom."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from neo_description.signals import GraspPhase, HandAction
from neo_task.detour import draw_back, go_home
from neo_task.grasp_pose import above, clearance, gripper_rotation
from neo_task.placing import carried, depth, hand_for, holds, rests, room_for, set_down
from neo_task.planner import Context, Script, TaskFailed
from neo_task.prompt import TABLE, Query, Task
from neo_task.taking import (
    SIDE_NAMES,
    Sighting,
    find,
    in_plain_view,
    in_sight,
    move,
    others,
    own_side,
    still_held,
    take,
)  # fmt: skip

PALM = -0.03  # m from the gripper's origin to the side of what its palm touches
BESIDE = (1.0, 0.75, 0.5, 0.25)  # of `before_distance`: how far from what it pushes a hand comes down
NEAR = 0.38  # m ahead of the feet: what was taken from low down comes up at most so far out
PUSHED_AT, HAND_HALF = 0.35, 0.06  # share of an object's height; m the hand needs above the table


def pick(ctx: Context, task: Task) -> Script:
    """Take the object and hold it up; standing, when it was taken from low down."""
    target, plan = yield from take(ctx, task.target)
    yield from rise(ctx, plan.side, target)
    ctx.enter("hold", 0.75, f"holding the {target.name}")
    start = ctx.now.time
    while ctx.now.time - start < ctx.params.hold_time:
        ctx.held = ctx.now.time - start
        ctx.enter("hold", 0.75 + 0.25 * ctx.held / ctx.params.hold_time, ctx.detail)
        still_held(ctx, plan.side, target)
        yield
    ctx.held = ctx.now.time - start
    return f"holding the {target.name} in the {SIDE_NAMES[plan.side]} hand, {ctx.lifted * 100:.0f} cm up"


def rise(ctx: Context, side: str, target: Sighting) -> Generator[None, None, None]:
    """Up to where the body stands again, from whatever is lower: it bends as deep as its hands need."""
    T = ctx.gripper(side).copy()
    height = ctx.params.rise_height - T[2, 3]
    if height <= 0.0:
        return
    ctx.enter("rise", 0.70)
    T[0, 3] = min(T[0, 3], NEAR)
    yield from move(ctx, side, above(T, height), ctx.params.lift_speed)
    still_held(ctx, side, target)
    ctx.lifted += height


def place(ctx: Context, task: Task) -> Script:
    """Take the objects, one after the other, and put them where the prompt says."""
    wanted = (task.target, *task.more)
    names = []
    for number, query in enumerate(wanted):
        ctx.part = number, len(wanted)
        target = yield from _place_one(ctx, query, task)
        names.append(target.name)
    ctx.part = 0, 1
    verb = "is" if len(names) == 1 else "are"
    return f"the {' and the '.join(names)} {verb} {task.relation.replace('_', ' ')} the {task.place}"


def _place_one(ctx: Context, query: Query, task: Task) -> Generator[None, None, Sighting]:
    landmark = None if task.place.class_name == TABLE else (yield from find(ctx, task.place))
    if landmark is not None:  # before anything is taken that could then not be put down
        room_for(ctx, task, landmark, (yield from find(ctx, query)))
    target, plan = yield from take(ctx, query, side=lambda target: hand_for(ctx, task, landmark, target))
    side = plan.side
    centre = target.centre.copy()  # on the table: back to where it stood
    if landmark is not None:
        centre = room_for(ctx, task, landmark, target, plan)
        if task.relation == "in":
            centre[2] -= depth(landmark, target, plan)
    T_down = set_down(plan, target.centre, centre, turned=holds(task))
    ctx.enter("carry", 0.65, f"to {np.round(centre, 2).tolist()}")
    high = carried(ctx, target, centre)
    if high > ctx.params.lift_height:
        yield from move(ctx, side, above(plan.T_grasp, high), ctx.params.lift_speed)
    yield from move(ctx, side, above(T_down, high), ctx.params.move_speed)
    still_held(ctx, side, target)
    ctx.enter("lower", 0.80)
    yield from move(ctx, side, T_down, ctx.params.lift_speed)
    yield from let_go(ctx, side)
    if landmark is not None and holds(task):
        yield from ctx.pause(ctx.params.look_again)
        seen = in_plain_view(ctx.now, Query(target.thing.color, target.thing.class_name))
        if seen and not rests(task, landmark, seen[0]):
            raise TaskFailed("lost", f"the {target.name} is not {task.relation} the {landmark.name}")
    return target


def let_go(ctx: Context, side: str) -> Generator[None, None, None]:
    """Open the hand, draw it back and release it."""
    ctx.enter("let go", 0.9)
    ctx.hand(side, HandAction.OPEN)
    yield from ctx.pause(1.0)
    yield from draw_back(ctx, side, others(ctx))
    yield from go_home(ctx, side, others(ctx))


def release(ctx: Context, task: Task) -> Script:
    """Lower whatever a hand holds to the table's height and open it."""
    holding = [side for side, status in ctx.now.hands.items() if status.phase == GraspPhase.HOLDING]
    if not holding:
        raise TaskFailed("refused", "no hand holds anything")
    for side in holding:
        ctx.enter("lower", 0.3)
        down = above(ctx.gripper(side), -ctx.params.lift_height + 0.01)
        yield from move(ctx, side, down, ctx.params.lift_speed)
        yield from let_go(ctx, side)
    return "let go"


def look(ctx: Context, task: Task) -> Script:
    """Turn the head to the object and say where it is."""
    ctx.enter("look", 0.1, f"looking for the {task.target}")
    if task.target.class_name == TABLE:
        ctx.body(gaze=np.reshape(ctx.params.gaze_points, (-1, 3))[0])
        yield from ctx.pause(ctx.params.look_time)
        return f"on the table I see {in_sight(ctx)}"
    target = yield from find(ctx, task.target)
    ctx.body(gaze=target.centre)
    yield from ctx.until(lambda: ctx.now.looks_at(target.centre), ctx.params.look_time)
    return f"the {target.name} is at {np.round(target.centre, 2).tolist()} m"


def reach(ctx: Context, task: Task) -> Script:
    """Bring the open hand in front of the object without touching it."""
    ctx.enter("look", 0.1, f"looking for the {task.target}")
    target = yield from find(ctx, task.target)
    side = own_side(target)
    T = np.eye(4)
    T[:3, :3] = gripper_rotation(side, 0.4, from_above=False)
    T[:3, 3] = target.centre - (target.radius + 0.10) * T[:3, 0]
    ctx.enter("reach", 0.4, target.name)
    yield from move(ctx, side, T, ctx.params.move_speed)
    return f"the {SIDE_NAMES[side]} hand is in front of the {target.name}"


def push(ctx: Context, task: Task) -> Script:
    """Push the object sideways along the table with the flat hand: the right hand to the left, and back.

    Without a direction it goes towards the robot's middle.
    """
    ctx.enter("look", 0.05, f"looking for the {task.target}")
    target = yield from find(ctx, task.target)
    direction = task.relation or ("right" if target.centre[1] > 0.0 else "left")
    side, way = ("r", 1.0) if direction == "left" else ("l", -1.0)
    T_touch = np.eye(4)
    T_touch[:3, :3] = gripper_rotation(side, 0.0, from_above=False)
    T_touch[:3, 3] = target.centre + np.array([ctx.params.push_reach, -way * (target.radius + PALM), 0.0])
    T_touch[2, 3] = target.centre[2] - (0.5 - PUSHED_AT) * target.thing.size[2]
    T_touch[2, 3] = max(T_touch[2, 3], target.centre[2] - 0.5 * target.thing.size[2] + HAND_HALF)
    T_before = _beside(ctx, target, T_touch, way)
    T_end = T_touch.copy()
    T_end[1, 3] += way * ctx.params.push_distance
    T_back = T_end.copy()
    T_back[1, 3] -= way * ctx.params.before_distance
    ctx.enter("approach", 0.2, f"{target.name} at {np.round(target.centre, 2).tolist()}")
    ctx.body(gaze=target.centre)
    T_high = above(T_before, ctx.params.lift_height)
    T_high[0, 3] -= ctx.params.before_distance
    yield from move(ctx, side, T_high, ctx.params.move_speed)
    yield from move(ctx, side, T_before, ctx.params.move_speed)
    ctx.enter("push", 0.5, direction)
    ctx.move(side, T_end, ctx.params.way_in_speed)  # what is heavy may hold the hand back a little
    timeout = 1.0 + 1.5 * ctx.error(side) / ctx.params.way_in_speed
    yield from ctx.until(lambda: ctx.error(side) < ctx.params.arrive_tolerance, timeout)
    ctx.enter("draw back", 0.8)
    yield from move(ctx, side, T_back, ctx.params.move_speed)
    yield from go_home(ctx, side, others(ctx))
    yield from ctx.pause(ctx.params.look_again)
    seen = in_plain_view(ctx.now, task.target)
    pushed = way * float(seen[0].centre[1] - target.centre[1]) if seen else 0.0
    if pushed < 0.3 * ctx.params.push_distance:
        moved = f"moved {pushed * 100:.0f} cm" if seen else "is out of sight"
        raise TaskFailed(
            "lost", f"the {target.name} {moved}; {ctx.params.push_distance * 100:.0f} were wanted"
        )
    return f"the {target.name} is pushed {pushed * 100:.0f} cm to the {direction}"


def _beside(ctx: Context, target: Sighting, T_touch: np.ndarray, way: float) -> np.ndarray:
    """Where a hand comes down to push: the farthest of some places with room for it, else the roomiest."""
    around, found = others(ctx, target), []
    for share in BESIDE:
        T = T_touch.copy()
        T[1, 3] -= way * share * ctx.params.before_distance
        room = clearance(above(T, ctx.params.lift_height), T, around)
        if room >= ctx.params.clearance:
            return T
        found.append((room, T))
    return max(found, key=lambda one: one[0])[1]


def give(ctx: Context, task: Task) -> Script:
    """Take the object, hold it out, and let go when somebody takes it."""
    target, plan = yield from take(ctx, task.target)
    side = plan.side
    T_out = plan.T_grasp.copy()
    T_out[:3, 3] = ctx.params.give_place
    T_out[1, 3] *= 1.0 if side == "l" else -1.0
    ctx.enter("carry", 0.60, "to where a person can take it")
    yield from move(ctx, side, T_out, ctx.params.move_speed)
    still_held(ctx, side, target)
    ctx.enter("give", 0.75, f"take the {target.name}")
    ctx.hand(side, HandAction.GIVE)
    taken = yield from ctx.until(
        lambda: ctx.now.hands[side].phase not in (GraspPhase.HOLDING, GraspPhase.CLOSING),
        ctx.params.give_timeout,
    )
    if not taken:
        raise TaskFailed("not_taken", f"nobody took the {target.name} in {ctx.params.give_timeout:g} s")
    yield from let_go(ctx, side)
    return f"the {target.name} is handed over"


SKILLS = {
    "pick": pick, "place": place, "release": release, "look": look, "reach": reach, "push": push,
    "give": give,
}  # fmt: skip
