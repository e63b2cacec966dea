"""An empty hand on its way: over what stands in between, not through it.

A hand goes straight to where it is sent, and one that is released to its resting place, and low. What stands
in its way would be knocked over.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from neo_task.grasp_pose import HAND_BELOW, Obstacle, above, clearance
from neo_task.planner import Context

OVER = 0.03  # m that is kept free below the hand
THERE, PATIENCE = 0.04, 4.0  # m, s: near enough; then on, for this is only the way


def rises(T: np.ndarray, T_to: np.ndarray, things: list[Obstacle], room: float) -> float | None:
    """How far (m) a hand at ``T`` (4, 4) rises over what is nearer than ``room`` on its way to ``T_to``.

    ``None``: nothing is. What it only leaves behind does not count: it stands beside what it has put down.
    """
    tops = [
        thing.centre[2] + thing.height / 2
        for thing in things
        if clearance(T, T_to, [thing]) < min(room, clearance(T, T, [thing]))
    ]
    return max(0.0, float(max(tops)) + HAND_BELOW + OVER - float(T[2, 3])) if tops else None


def pass_over(
    ctx: Context, side: str, T_to: np.ndarray, things: list[Obstacle]
) -> Generator[None, None, None]:
    """Bring the hand to above ``T_to`` (4, 4) if the straight way there is not free of ``things``."""
    T = ctx.gripper(side).copy()
    height = rises(T, T_to, things, ctx.params.clearance)
    if height is not None:
        yield from _by(ctx, side, above(T, height), ctx.params.move_speed)
        yield from _by(ctx, side, above(T_to, T[2, 3] + height - T_to[2, 3]), ctx.params.move_speed)


def draw_back(ctx: Context, side: str, things: list[Obstacle]) -> Generator[None, None, None]:
    """Off what the hand let go of: the way it came, or straight up where one of ``things`` stands there."""
    T = ctx.gripper(side).copy()
    T_back = T.copy()
    T_back[:3, 3] -= ctx.params.before_distance * (0.7 * T[:3, 0] + 0.7 * T[:3, 2])
    height = rises(T, T_back, things, ctx.params.clearance)
    yield from _by(ctx, side, T_back if height is None else above(T, height), ctx.params.way_in_speed)


def go_home(ctx: Context, side: str, things: list[Obstacle]) -> Generator[None, None, None]:
    """Release the hand: where it is, or above where the task found it, where ``things`` stand in its way."""
    yield from pass_over(ctx, side, ctx.found(side), things)
    ctx.body(release=(side,))


def _by(ctx: Context, side: str, T: np.ndarray, speed: float) -> Generator[None, None, None]:
    ctx.move(side, T, speed)
    yield from ctx.until(lambda: ctx.error(side) < THERE, PATIENCE)
