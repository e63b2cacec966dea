"""How a thing is found and taken: looked for, reached, closed on, lifted, and tried again.

Everything comes from the observation: perceived objects, estimated poses, what the hand feels.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import numpy as np

from neo_description.signals import DetectedObject, GraspPhase, HandAction
from neo_task.detour import pass_over
from neo_task.grasp_pose import UP, GraspPlan, Obstacle, above, plan_grasp, takes
from neo_task.planner import Context, Observation, TaskFailed
from neo_task.prompt import Query

VISIBLE = 0.3  # share of the outline that must be seen before an object's place is trusted
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


def candidates(now: Observation, query: Query) -> list[Sighting]:
    """Objects that the query may mean, the most certain first."""
    found = [Sighting(t, T) for t, T in now.objects() if query.matches(t.color, t.class_name)]
    return sorted(found, key=lambda s: -s.thing.confidence)


def in_plain_view(now: Observation, query: Query) -> list[Sighting]:
    """The candidates of which enough is seen for their place to be trusted."""
    return [s for s in candidates(now, query) if s.thing.visible_fraction >= VISIBLE]


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
                here = in_plain_view(ctx.now, query)
                moved = last is None or not here or apart(here[0], last) > ctx.params.steady_distance
                still = 0 if moved else still + 1
                if here and (last is None or last.thing.id != here[0].thing.id):
                    ctx.body(gaze=here[0].centre)
                    leave_at = ctx.now.time + 2 * ctx.params.look_time
                last = here[0] if here else None
                if last is not None and still >= ctx.params.steady_frames:
                    return last
            yield
    raise TaskFailed("not_found", f"no {query} in sight; I see {in_sight(ctx)}")


def apart(a: Sighting, b: Sighting) -> float:
    return float(np.linalg.norm(a.centre - b.centre))


def in_sight(ctx: Context) -> str:
    return ", ".join(sorted({f"{t.color} {t.class_name}" for t, _ in ctx.now.objects()})) or "nothing"


def others(ctx: Context, target: Sighting | None = None) -> list[Obstacle]:
    """What stands there, ``target`` left out."""
    seen = [Sighting(t, T) for t, T in ctx.now.objects()]
    if target is not None:
        seen = [s for s in seen if s.thing.id != target.thing.id and apart(s, target) > 0.03]
    return [Obstacle(s.centre, s.radius, float(s.thing.size[2])) for s in seen]


def move(
    ctx: Context, side: str, T_odom_gripper: np.ndarray, speed: float, short: float | None = None
) -> Generator[None, None, None]:
    """Send a gripper somewhere and wait until it is there, or after a while no more than ``short`` m from it.

    ``None``: the parameter ``give_up_tolerance``.
    """
    ctx.move(side, T_odom_gripper, speed)
    timeout = 3.0 + 1.5 * ctx.error(side) / speed
    arrived = yield from ctx.until(lambda: ctx.error(side) < ctx.params.arrive_tolerance, timeout)
    if not arrived and ctx.error(side) > (ctx.params.give_up_tolerance if short is None else short):
        raise TaskFailed(
            "unreachable",
            f"the {SIDE_NAMES[side]} hand stays {ctx.error(side) * 100:.0f} cm short of its target",
        )


def own_side(target: Sighting) -> str:
    """The hand on whose side the object is."""
    return "l" if target.centre[1] > 0.0 else "r"


def grasp(ctx: Context, target: Sighting, side: str) -> GraspPlan:
    """How that hand would take the object; TaskFailed where nobody could."""
    kinds = takes()
    if target.thing.class_name not in kinds:
        known = ", ".join(kinds)
        raise TaskFailed(
            "refused", f"do not know how to take a {target.thing.class_name}; I can take {known}"
        )
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
        others(ctx, target),
        ctx.params.before_distance,
        ctx.params.clearance,
    )


def take(
    ctx: Context, query: Query, progress: float = 0.0, side: Callable[[Sighting], str] = own_side
) -> Generator[None, None, tuple[Sighting, GraspPlan]]:
    """Find, reach, close and lift, with the hand that ``side`` says; tries again when it holds nothing."""
    problem = TaskFailed("lost", f"could not hold the {query}")
    for attempt in range(ctx.params.attempts):
        try:
            return (yield from _take_once(ctx, query, progress, attempt, side))
        except TaskFailed as failure:
            if failure.reason not in ("lost", "unreachable") or attempt + 1 == ctx.params.attempts:
                raise
            problem = failure
            ctx.detail = f"trying again: {problem}"
            yield from back_off(ctx)
    raise problem


def _take_once(
    ctx: Context, query: Query, progress: float, attempt: int, side_of: Callable[[Sighting], str]
) -> Generator[None, None, tuple[Sighting, GraspPlan]]:
    ctx.enter(
        "look", progress + 0.02, f"looking for the {query}" + (f", attempt {attempt + 1}" if attempt else "")
    )
    target = yield from find(ctx, query)
    plan = grasp(ctx, target, side_of(target))
    side = plan.side

    ctx.enter("approach", progress + 0.10, f"{target.name} at {np.round(target.centre, 2).tolist()}")
    ctx.hand(side, HandAction.PRESHAPE, grasp=plan.take.grasp, width=plan.width)
    ctx.body(gaze=target.centre)
    yield from pass_over(ctx, side, plan.T_back, others(ctx, target))
    yield from move(ctx, side, plan.T_back, ctx.params.move_speed, short=ctx.params.before_distance / 2)
    yield from move(ctx, side, plan.T_before, ctx.params.move_speed)
    yield from ctx.pause(ctx.params.look_again)

    again = in_plain_view(ctx.now, query)
    if again:
        if apart(again[0], target) > ctx.params.moved_distance:
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
        lambda: ctx.error(side) < ctx.params.arrive_tolerance or lost(ctx, side),
        3.0 + 1.5 * ctx.params.lift_height / ctx.params.lift_speed,
    )
    ctx.lifted = float(ctx.gripper(side)[2, 3] - start)
    if lost(ctx, side) or (not lifted and ctx.lifted < 0.5 * ctx.params.lift_height):
        raise slipped(side, target)
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


def lost(ctx: Context, side: str) -> bool:
    """Whether the hand feels nothing any more."""
    return ctx.now.hands[side].phase in (GraspPhase.LOST, GraspPhase.IDLE)


def slipped(side: str, target: Sighting) -> TaskFailed:
    """The end of a task whose object is no longer in the hand."""
    return TaskFailed("lost", f"the {target.name} slipped out of the {SIDE_NAMES[side]} hand")


def still_held(ctx: Context, side: str, target: Sighting) -> None:
    """Ends the task when the hand feels nothing any more."""
    if lost(ctx, side):
        raise slipped(side, target)


def _elsewhere(ctx: Context, side: str, target: Sighting) -> bool:
    """Whether the object is seen now, well away from the hand that should hold it."""
    seen = [
        s
        for s in in_plain_view(ctx.now, Query(target.thing.color, target.thing.class_name))
        if ctx.now.scene and s.thing.last_seen >= ctx.now.scene.time
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
