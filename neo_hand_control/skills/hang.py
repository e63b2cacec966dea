"""Hang a cup by its handle on a hook: take it from above, thread the handle over the rod, lower, let go.

Where the hook is, is known to some millimetres only. What stops the arm on the way in, or pushes the cup in
the hand, is the rod against handle or cup: the hand goes back and tries beside, on ``SEARCH``. That the rod
is in the handle shows when the cup is lowered: its weight must go before the rod could have been missed.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from neo_description.signals import GraspPhase
from neo_hand_control.skills.handling import STILL, Handling, palm_down
from neo_hand_control.skills.skill import Steps, Vector

UP = 0.08  # m above the cup where the hand begins
AHEAD = 0.010  # m: the cup's axis ahead of the gripper
GRASP = "power_disk"
LIFT = 0.06  # m
FRONT, THROUGH = 0.03, 0.05  # m of the handle's middle before and behind the rod's tip
IN_SPEED, DOWN_SPEED = 0.04, 0.02  # m/s
BLOCKED = 0.003  # m that the hand stays behind its target when something is in its way
PUSHED = 2.0  # N that the pads feel more than the cup's weight when something pushes it
DEEP = 0.035  # m lowered at most until the weight must have gone
GONE = 0.4  # share of the weight that is left when it has
SEARCH = [np.zeros(3)] + [
    np.array([0.0, r * np.cos(a), r * np.sin(a)]) for r in (0.006, 0.011) for a in np.pi / 4 * np.arange(8)
]  # m beside and above


class Hang(Handling):
    """Hand ``side`` over a cup ``width`` m wide at its shift 0, palm down.

    ``hole`` (3,) m: the middle of the handle's hole from the cup's axis and the gripper's height;
    ``hook`` (3,) m: the rod's tip from shift 0, the rod pointing along -x. ``tries``: how often it went in.
    """

    def __init__(self, side: str, width: float, hole: Vector, hook: Vector):
        self.side, self.width = side, width
        self.hole = np.asarray(hole, float) + np.array([AHEAD, 0.0, 0.0])  # from the gripper
        self.hook = np.asarray(hook, float)
        self.tries = 0
        super().__init__(side, {side: (np.array([0.0, 0.0, UP]), palm_down(side))})

    def script(self) -> Steps:
        side = self.side
        self.preshape(side, GRASP, self.width)
        yield from self.wait(0.8)
        yield from self.go(side, STILL)
        yield from self.take(side, GRASP, self.width)
        yield from self.go(side, (0.0, 0.0, LIFT))
        front = self.hook - self.hole - np.array([FRONT, 0.0, 0.0])
        x = min(front[0], 0.0)
        yield from self.go(side, (x, 0.0, front[2]))
        yield from self.go(side, (x, front[1], front[2]), 0.15)
        yield from self.go(side, front)
        yield from self.wait(0.5)
        for beside in SEARCH:
            self.tries += 1
            yield from self.go(side, front + beside, 0.05)
            threaded = yield from self._thread()
            if self.phase(side) != GraspPhase.HOLDING:
                self.fail("lost the cup")
            if threaded and (yield from self._lower()):
                yield from self._leave()
                return
        self.fail("did not find the hook")

    def _thread(self) -> Generator[None, None, bool]:
        """In over the rod; whether nothing was in the way."""
        side = self.side
        yield from self.wait(0.2)
        rest, at = self.behind(side)[0], self.shift[side].copy()
        calm = pushed = self.net(side)

        def met() -> bool:
            nonlocal pushed
            pushed = pushed + min(self.dt / 0.03, 1.0) * (self.net(side) - pushed)
            return self.behind(side)[0] - rest > BLOCKED or float(np.linalg.norm(pushed - calm)) > PUSHED

        to = at + np.array([FRONT + THROUGH, 0.0, 0.0])
        blocked = yield from self.carry(
            {side: (to, self.turn[side].copy())},
            speed=IN_SPEED,
            until=met,
        )
        if blocked:
            self.shift[side] = self.sensed[side].shift.copy()
            yield from self.go(side, at)
        return not blocked

    def _lower(self) -> Generator[None, None, bool]:
        """Down until the weight has gone; whether it did."""
        side = self.side
        weight = load = yield from self.weigh(side, 0.3)
        top = self.shift[side].copy()
        while load > GONE * weight and self.shift[side][2] > top[2] - DEEP:
            yield
            self.shift[side][2] -= DOWN_SPEED * self.dt
            load += min(self.dt / 0.05, 1.0) * (self.load(side) - load)
        if load <= GONE * weight:
            return True
        yield from self.go(side, top, 0.05)
        yield from self.go(side, top - np.array([FRONT + THROUGH, 0.0, 0.0]), 0.05)
        return False

    def _leave(self) -> Steps:
        side = self.side
        yield from self.let_go(side)
        yield from self.go(side, self.shift[side] + np.array([0.0, 0.0, 0.12]))
        yield from self.go(side, self.shift[side] - np.array([0.15, 0.0, 0.0]))
