"""The skills: look, pick, place, release, reach, push, give; each reads from top to bottom.

Everything comes from the observation: perceived objects, estimated poses, what the hand feels.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from neo_description.signals import DetectedObject, GraspPhase, HandAction
from neo_task.grasp_pose import UP, GraspPlan, Obstacle, gripper_rotation, plan_grasp, takes
from neo_task.planner import Context, Script, TaskFailed
from neo_task.prompt import TABLE, Query, Task

VISIBLE = 0.3  # share of the outline that must be seen before an object's place is trusted
PALM = -0.03  # m from the gripper's origin to the side of what its palm touches
PUSHED_AT, HAND_HALF = 0.35, 0.06  # share of an object's height; m the hand needs above the table
SIDE_NAMES = {"l": "left", "r": "right"}


@dataclass(frozen=True)
class Sighting:
    """An object that stood still in several images; ``T_odom_object`` (4, 4)."""

    thing: DetectedObject
    T_odom_object: np.ndarray

    @property
    def centre(self) -> np.ndarray:
        """(3,) m in odom."""
        return self.T_odom_object[:3, 3]

    @property
    def radius(self) -> float:
        """Of the outline on the table (m)."""
        return float(max(self.thing.size[0], self.thing.size[1]) / 2)

    @property
    def name(self) -> str:
        """As in a prompt: colour and class."""
        return f"{self.thing.color} {self.thing.class_name}"


def _candidates(ctx: Context, query: Query) -> list[Sighting]:
    """Objects that the query may mean, the most certain first."""
    found = [Sighting(t, T) for t, T in ctx.objects() if query.matches(t.color, t.class_name)]
    return sorted(found, key=lambda s: -s.thing.confidence)


def find(ctx: Context, query: Query) -> Generator[None, None, Sighting]:
    """Look over the table until an object that ``query`` means stands still in several images."""
    points = np.reshape(ctx.params.gaze_points, (-1, 3))
    last: Sighting | None = None
    still, seen_at = 0, -1.0
    for point in points:
        ctx.body(gaze=point)
        leave_at = ctx.now.time + ctx.params.look_time
        while ctx.now.time < leave_at:
            scene = ctx.now.scene
            if scene is not None and scene.time > seen_at:
                seen_at = scene.time
                here = [s for s in _candidates(ctx, query) if s.thing.visible_fraction >= VISIBLE]
                moved = last is None or not here or _apart(here[0], last) > ctx.params.steady_distance
                still = 0 if moved else still + 1
                if here and (last is None or last.thing.id != here[0].thing.id):
                    ctx.body(gaze=here[0].centre)
                    leave_at = ctx.now.time + 2 * ctx.params.look_time
                last = here[0] if here else None
                if last is not None and still >= ctx.params.steady_frames:
                    return last
            yield
    raise TaskFailed("not_found", f"no {query} in sight; I see {_in_sight(ctx)}")


def _apart(a: Sighting, b: Sighting) -> float:
    return float(np.linalg.norm(a.centre - b.centre))


def _in_sight(ctx: Context) -> str:
    return ", ".join(sorted({f"{t.color} {t.class_name}" for t, _ in ctx.objects()})) or "nothing"


def _others(ctx: Context, target: Sighting) -> list[Obstacle]:
    seen = (Sighting(t, T) for t, T in ctx.objects() if t.id != target.thing.id)
    return [Obstacle(s.centre, s.radius, float(s.thing.size[2])) for s in seen if _apart(s, target) > 0.03]


def move(ctx: Context, side: str, T_odom_gripper: np.ndarray, speed: float) -> Generator[None, None, None]:
    """Send a gripper somewhere and wait until it is there."""
    ctx.move(side, T_odom_gripper, speed)
    timeout = 3.0 + 1.5 * ctx.error(side) / speed
    arrived = yield from ctx.until(lambda: ctx.error(side) < ctx.params.arrive_tolerance, timeout)
    if not arrived and ctx.error(side) > ctx.params.give_up_tolerance:
        raise TaskFailed(
            "unreachable",
            f"the {SIDE_NAMES[side]} hand stays {ctx.error(side) * 100:.0f} cm short of its target",
        )


def above(T: np.ndarray, height: float) -> np.ndarray:
    """The pose ``height`` m above ``T`` (4, 4)."""
    T_above = T.copy()
    T_above[2, 3] += height
    return T_above


def _plan(ctx: Context, target: Sighting) -> GraspPlan:
    kinds = takes()
    if target.thing.class_name not in kinds:
        known = ", ".join(kinds)
        raise TaskFailed(
            "refused", f"do not know how to take a {target.thing.class_name}; I can take {known}"
        )
    side = "l" if target.centre[1] > 0.0 else "r"
    distance = float(np.hypot(*target.centre[:2]))
    if distance > ctx.params.reach:
        raise TaskFailed(
            "unreachable", f"the {target.name} is {distance:.2f} m away; I reach {ctx.params.reach} m"
        )
    return plan_grasp(
        side,
        kinds[target.thing.class_name],
        target.T_odom_object,
        target.thing.size,
        ctx.gripper(side),
        _others(ctx, target),
        ctx.params.before_distance,
        ctx.params.clearance,
    )


def take(
    ctx: Context, query: Query, progress: float = 0.0
) -> Generator[None, None, tuple[Sighting, GraspPlan]]:
    """Find, reach, close and lift; tries again when the object is not in the hand."""
    problem = TaskFailed("lost", f"could not hold the {query}")
    for attempt in range(ctx.params.attempts):
        try:
            return (yield from _take_once(ctx, query, progress, attempt))
        except TaskFailed as failure:
            if failure.reason not in ("lost", "unreachable") or attempt + 1 == ctx.params.attempts:
                raise
            problem = failure
            ctx.detail = f"trying again: {problem}"
            yield from back_off(ctx)
    raise problem


def _take_once(
    ctx: Context, query: Query, progress: float, attempt: int
) -> Generator[None, None, tuple[Sighting, GraspPlan]]:
    ctx.enter(
        "look", progress + 0.02, f"looking for the {query}" + (f", attempt {attempt + 1}" if attempt else "")
    )
    target = yield from find(ctx, query)
    plan = _plan(ctx, target)
    side = plan.side

    ctx.enter("approach", progress + 0.10, f"{target.name} at {np.round(target.centre, 2).tolist()}")
    ctx.hand(side, HandAction.PRESHAPE, grasp=plan.take.grasp, width=plan.width)
    ctx.body(gaze=target.centre)
    yield from move(ctx, side, plan.T_back, ctx.params.move_speed)
    yield from move(ctx, side, plan.T_before, ctx.params.move_speed)
    yield from ctx.pause(ctx.params.look_again)

    again = [s for s in _candidates(ctx, query) if s.thing.visible_fraction >= VISIBLE]
    if again:
        if _apart(again[0], target) > ctx.params.moved_distance:
            raise TaskFailed("lost", f"the {target.name} has moved")
        target = again[0]
        plan = _plan_again(ctx, plan, target)
    ctx.enter("close in", progress + 0.30)
    yield from move(ctx, side, plan.T_grasp, ctx.params.way_in_speed)

    ctx.enter("grasp", progress + 0.40, plan.take.grasp)
    ctx.hand(side, HandAction.CLOSE, grasp=plan.take.grasp, width=plan.width)
    closed = yield from ctx.until(
        lambda: ctx.now.hands[side].phase == GraspPhase.HOLDING, ctx.params.close_timeout
    )
    if not closed:
        raise TaskFailed("lost", f"the {SIDE_NAMES[side]} hand does not feel the {target.name}")

    ctx.enter("lift", progress + 0.50)
    start = ctx.gripper(side)[2, 3]
    ctx.move(side, above(plan.T_grasp, ctx.params.lift_height), ctx.params.lift_speed)
    lifted = yield from ctx.until(
        lambda: ctx.error(side) < ctx.params.arrive_tolerance or _lost(ctx, side),
        3.0 + 1.5 * ctx.params.lift_height / ctx.params.lift_speed,
    )
    ctx.lifted = float(ctx.gripper(side)[2, 3] - start)
    if _lost(ctx, side) or (not lifted and ctx.lifted < 0.5 * ctx.params.lift_height):
        raise TaskFailed("lost", f"the {target.name} slipped out of the {SIDE_NAMES[side]} hand")
    yield from ctx.pause(ctx.params.look_again)
    if _elsewhere(ctx, side, target):
        raise TaskFailed("lost", f"the {SIDE_NAMES[side]} hand came up without the {target.name}")
    return target, plan


def _plan_again(ctx: Context, plan: GraspPlan, target: Sighting) -> GraspPlan:
    """The same way in, to where the object is seen now."""
    return plan_grasp(
        plan.side,
        replace(plan.take, headings=(plan.heading,)),
        target.T_odom_object,
        target.thing.size,
        plan.T_before,
        [],
        ctx.params.before_distance,
        0.0,
    )


def _lost(ctx: Context, side: str) -> bool:
    """Whether the hand feels nothing any more."""
    return ctx.now.hands[side].phase in (GraspPhase.LOST, GraspPhase.IDLE)


def _elsewhere(ctx: Context, side: str, target: Sighting) -> bool:
    """Whether the object is seen now, well away from the hand that should hold it."""
    seen = [
        s
        for s in _candidates(ctx, Query(target.thing.color, target.thing.class_name))
        if s.thing.visible_fraction >= VISIBLE and ctx.now.scene and s.thing.last_seen >= ctx.now.scene.time
    ]
    hand = ctx.gripper(side)[:3, 3]
    return bool(seen) and all(np.linalg.norm(s.centre - hand) > ctx.params.in_hand_distance for s in seen)


def back_off(ctx: Context) -> Generator[None, None, None]:
    """Open both hands where they are and draw back from the objects."""
    for side in ("l", "r"):
        ctx.hand(side, HandAction.OPEN)
    yield from ctx.pause(0.8)
    for side in ("l", "r"):
        T = ctx.gripper(side).copy()
        if T[0, 3] > 0.30:  # over the table
            T[:3, 3] += -0.12 * T[:3, 0] - 0.08 * T[:3, 2] + 0.05 * UP
            ctx.move(side, T, ctx.params.move_speed)
            yield from ctx.until(lambda side=side: ctx.error(side) < 0.03, 2.5)  # type: ignore[misc]


def pick(ctx: Context, task: Task) -> Script:
    """Take the object and hold it up."""
    target, plan = yield from take(ctx, task.target)
    ctx.enter("hold", 0.75, f"holding the {target.name}")
    start = ctx.now.time
    while ctx.now.time - start < ctx.params.hold_time:
        ctx.held = ctx.now.time - start
        ctx.enter("hold", 0.75 + 0.25 * ctx.held / ctx.params.hold_time, ctx.detail)
        if _lost(ctx, plan.side):
            raise TaskFailed("lost", f"the {target.name} slipped out of the {SIDE_NAMES[plan.side]} hand")
        yield
    ctx.held = ctx.now.time - start
    return f"holding the {target.name} in the {SIDE_NAMES[plan.side]} hand, {ctx.lifted * 100:.0f} cm up"


def _place_offset(relation: str, gap: float) -> np.ndarray:
    """From the landmark's centre to where the object goes, in odom (x forward, y left)."""
    return {
        "next_to": np.array([0.0, gap, 0.0]),
        "left_of": np.array([0.0, gap, 0.0]),
        "right_of": np.array([0.0, -gap, 0.0]),
        "behind": np.array([gap, 0.0, 0.0]),
        "in_front_of": np.array([-gap, 0.0, 0.0]),
    }[relation]


def place(ctx: Context, task: Task) -> Script:
    """Take the objects, one after the other, and put them where the prompt says."""
    wanted = (task.target, *task.more)
    names = []
    row = 0.0  # m of the place that the objects before take up
    for number, query in enumerate(wanted):
        ctx.part = number, len(wanted)
        target = yield from _place_one(ctx, query, task, row)
        row += 2 * target.radius + ctx.params.place_gap
        names.append(target.name)
    ctx.part = 0, 1
    verb = "is" if len(names) == 1 else "are"
    return f"the {' and the '.join(names)} {verb} {task.relation.replace('_', ' ')} the {task.place}"


def _place_one(ctx: Context, query: Query, task: Task, row: float) -> Generator[None, None, Sighting]:
    landmark = None if task.place.class_name == TABLE else (yield from find(ctx, task.place))
    target, plan = yield from take(ctx, query)
    side = plan.side
    centre = target.centre.copy()  # on the table: back to where it stood
    if landmark is not None:
        own = 1.0 if side == "l" else -1.0  # towards the hand's own side
        if task.relation in ("on", "in"):
            centre[:2] = landmark.centre[:2] + np.array([0.0, own * row])
            centre[2] += landmark.thing.size[2]
        else:
            offset = _place_offset(task.relation, landmark.radius + target.radius + ctx.params.place_gap)
            if task.relation == "next_to":
                offset *= own
            along = np.sign(offset[1]) if offset[1] else own
            centre[:2] = (landmark.centre + offset)[:2] + np.array([0.0, along * row])
    T_down = plan.T_grasp.copy()
    T_down[:3, 3] += centre - target.centre
    ctx.enter("carry", 0.65, f"to {np.round(centre, 2).tolist()}")
    yield from move(ctx, side, above(T_down, ctx.params.lift_height), ctx.params.move_speed)
    if _lost(ctx, side):
        raise TaskFailed("lost", f"the {target.name} slipped out of the {SIDE_NAMES[side]} hand")
    ctx.enter("lower", 0.80)
    yield from move(ctx, side, T_down, ctx.params.lift_speed)
    yield from let_go(ctx, side)
    return target


def let_go(ctx: Context, side: str) -> Generator[None, None, None]:
    """Open the hand and draw it back the way it came."""
    ctx.enter("let go", 0.9)
    ctx.hand(side, HandAction.OPEN)
    yield from ctx.pause(1.0)
    T = ctx.gripper(side).copy()
    T[:3, 3] -= ctx.params.before_distance * (0.7 * T[:3, 0] + 0.7 * T[:3, 2])
    ctx.move(side, T, ctx.params.way_in_speed)
    yield from ctx.until(lambda: ctx.error(side) < 0.03, 4.0)
    ctx.body(release=(side,))


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
        return f"on the table I see {_in_sight(ctx)}"
    target = yield from find(ctx, task.target)
    return f"the {target.name} is at {np.round(target.centre, 2).tolist()} m"


def reach(ctx: Context, task: Task) -> Script:
    """Bring the open hand in front of the object without touching it."""
    ctx.enter("look", 0.1, f"looking for the {task.target}")
    target = yield from find(ctx, task.target)
    side = "l" if target.centre[1] > 0.0 else "r"
    T = np.eye(4)
    T[:3, :3] = gripper_rotation(side, 0.4, from_above=False)
    T[:3, 3] = target.centre - (target.radius + 0.10) * T[:3, 0]
    ctx.enter("reach", 0.4, target.name)
    yield from move(ctx, side, T, ctx.params.move_speed)
    return f"the {SIDE_NAMES[side]} hand is in front of the {target.name}"


def push(ctx: Context, task: Task) -> Script:
    """Push the object sideways along the table with the flat hand: the right hand to the left, and back.

    Without a direction it goes to the side where the robot stands in the middle of.
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
    T_before = T_touch.copy()
    T_before[1, 3] -= way * ctx.params.before_distance
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
    ctx.body(release=(side,))
    yield from ctx.pause(ctx.params.look_again)
    seen = [s for s in _candidates(ctx, task.target) if s.thing.visible_fraction >= VISIBLE]
    pushed = way * float(seen[0].centre[1] - target.centre[1]) if seen else 0.0
    if pushed < 0.3 * ctx.params.push_distance:
        moved = f"moved {pushed * 100:.0f} cm" if seen else "is out of sight"
        raise TaskFailed(
            "lost", f"the {target.name} {moved}; {ctx.params.push_distance * 100:.0f} were wanted"
        )
    return f"the {target.name} is pushed {pushed * 100:.0f} cm to the {direction}"


def give(ctx: Context, task: Task) -> Script:
    """Take the object, hold it out, and let go when somebody takes it."""
    target, plan = yield from take(ctx, task.target)
    side = plan.side
    T_out = plan.T_grasp.copy()
    T_out[:3, 3] = ctx.params.give_place
    T_out[1, 3] *= 1.0 if side == "l" else -1.0
    ctx.enter("carry", 0.60, "to where a person can take it")
    yield from move(ctx, side, T_out, ctx.params.move_speed)
    if _lost(ctx, side):
        raise TaskFailed("lost", f"the {target.name} slipped out of the {SIDE_NAMES[side]} hand")
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
