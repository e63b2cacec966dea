"""An empty hand on its way back to the body: over what stands in between, not through it.

A hand that is released goes to its resting place by itself, and low. What stands in its way would be knocked
over after the task is done.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from neo_task.grasp_pose import HAND_BELOW, Obstacle, clearance
from neo_task.planner import Context
from neo_task.taking import Sighting, above, obstacle

OVER = 0.03  # m that is kept free below the hand
THERE, PATIENCE = 0.04, 4.0  # m, s: near enough; then on, for a hand that does not come up has done its task


def go_home(ctx: Context, side: str) -> Generator[None, None, None]:
    """Bring the hand to above where the task found it, if the straight way is not free, and release it."""
    T, T_home = ctx.gripper(side), ctx.found(side)
    things = [obstacle(Sighting(t, at)) for t, at in ctx.now.objects()]
    height = _over(T, T_home, things, ctx.params.clearance)
    if height > 0.0:
        for T_next in (above(T, height), above(T_home, T[2, 3] + height - T_home[2, 3])):
            ctx.move(side, T_next, ctx.params.move_speed)
            yield from ctx.until(lambda: ctx.error(side) < THERE, PATIENCE)
    ctx.body(release=(side,))


def _over(T: np.ndarray, T_home: np.ndarray, things: list[Obstacle], room: float) -> float:
    """How far (m) a hand at ``T`` (4, 4) rises: then nothing is nearer on its way to ``T_home`` than ``room``

    What it only leaves behind does not count: it stands beside what it has put down.
    """
    tops = [
        thing.centre[2] + thing.height / 2
        for thing in things
        if clearance(T, T_home, [thing]) < min(room, clearance(T, T, [thing]))
    ]
    return max((float(top) + HAND_BELOW + OVER - float(T[2, 3]) for top in tops), default=0.0)
