"""Pass a thing from hand to hand: the first takes it low and brings it, the other grasps it above.

The giving hand is told to ``GIVE``: it lets go when it feels that what it holds is taken. The other hand
pulls up a little for that; what it cannot pull it does not hold, and then nobody lets go.
"""

from __future__ import annotations

import numpy as np

from neo_description.signals import GraspPhase, HandAction, HandCommand
from neo_hand_control.skills.handling import STILL, Handling, before
from neo_hand_control.skills.skill import Steps, Vector

LIFT = 0.10  # m
ABOVE = 0.10  # m: the taking hand above the giving one
MET = 3.0  # N at which the taking hand is near enough
READY = 0.4  # s for the giving hand to feel what it holds before it is pulled
PULL = 0.012  # m the taking hand pulls up at most
PULL_SPEED = 0.006  # m/s


class PassOver(Handling):
    """``giver`` takes a thing ``width`` m wide at its shift 0 with ``grasp`` and gives it to the other hand.

    ``apart`` (3,) m: from the giver's place at shift 0 to the taker's.
    """

    def __init__(self, giver: str, apart: Vector, grasp: str, width: float):
        self.giver, self.taker = giver, "l" if giver == "r" else "r"
        self.apart = np.asarray(apart, float)
        self.grasp, self.width = grasp, width
        super().__init__("lr", {side: (before(side), STILL) for side in "lr"})

    def script(self) -> Steps:
        giver, taker = self.giver, self.taker
        self.preshape("lr", self.grasp, self.width)
        yield from self.wait(0.8)
        yield from self.go(giver, STILL)
        yield from self.wait(0.2)
        yield from self.take(giver, self.grasp, self.width)
        meet = self.apart / 2 + np.array([0.0, 0.0, LIFT])
        yield from self.go(giver, (0.0, 0.0, LIFT))
        yield from self.go(giver, meet)
        at = meet - self.apart + np.array([0.0, 0.0, ABOVE])
        yield from self.go(taker, at + before(taker), 0.2)
        yield from self.carry({taker: (at, STILL)}, speed=0.06, until=lambda: self.normal(taker) > MET)
        yield from self.wait(0.2)
        yield from self.take(taker, self.grasp, self.width)
        self.tell(giver, HandCommand(HandAction.GIVE))
        yield from self.wait(READY)
        yield from self._pull()
        yield from self.wait(2.0, lambda: self.phase(giver) == GraspPhase.IDLE)
        yield from self.go(giver, self.shift[giver] + before(giver))
        yield from self.go(taker, self.shift[taker] + self.apart / 4)
        if self.phase(taker) != GraspPhase.HOLDING:
            self.fail("the taking hand lost it")

    def _pull(self) -> Steps:
        """The taking hand pulls up until the giving hand lets go."""
        top = self.shift[self.taker][2] + PULL
        while self.phase(self.giver) == GraspPhase.HOLDING:
            if self.shift[self.taker][2] > top:
                self.fail(f"the {self.taker} hand pulls and nothing is given")
            yield
            self.shift[self.taker][2] += PULL_SPEED * self.dt
