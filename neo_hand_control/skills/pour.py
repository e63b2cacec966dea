"""Pour: take a bottle, hold its lip over a cup, tip it while its weight falls, set it upright again.

It tips at ``TIP_SPEED`` until nearly level, then at ``POUR_SPEED``, and goes on until nothing more has come
for ``QUIET`` seconds at a steep angle: the load tells what flows. ``poured`` is the weight that went.
"""

from __future__ import annotations

import numpy as np

from neo_description.hand import rotation
from neo_description.signals import GraspPhase
from neo_hand_control.skills.handling import STILL, Handling, before
from neo_hand_control.skills.skill import Steps, Vector

LIFT = 0.12  # m
GRASP, GRIP = "medium_wrap", 18.0  # N: what tips in the hand would turn out of it
READY = 0.8  # rad: tipped so far on the way to the cup; nothing flows yet
LEVEL, STEEP, END = 1.3, 1.75, 2.15  # rad
TIP_SPEED, POUR_SPEED, BACK_SPEED = 0.9, 0.35, 0.9  # rad/s
LIP_IN = 0.3  # widths of the bottle that the lip stays before the cup's middle
LIP_OVER, FINGERS_OVER = (
    0.025,
    0.12,
)  # m of the lip above the rim; m/rad more below LEVEL: the fingers hang low
FLOWS = 0.15  # N/s: a load that falls faster means that something flows
QUIET = 0.8  # s
SLOW = 0.3  # s: time constant of the load


class Pour(Handling):
    """Hand ``side`` takes a bottle at its shift 0 and pours into a cup.

    ``width`` m of the bottle; ``lip`` m: its rim above the gripper; ``cup`` (3,) m: the middle of the cup's
    rim from shift 0. The bottle tips away from the palm.
    """

    def __init__(self, side: str, width: float, lip: float, cup: Vector):
        self.side, self.width = side, width
        self.sign = 1.0 if side == "r" else -1.0
        self.lip = np.array([0.0, self.sign * width / 2, lip])
        self.cup = np.asarray(cup, float)
        self.poured = 0.0  # N
        super().__init__(side, {side: (before(side), STILL)})

    def _tipped(self, angle: float) -> tuple[np.ndarray, np.ndarray]:
        """Shift and turn with the lip over the cup, the bottle tipped by ``angle`` rad."""
        turn = np.array([-self.sign * angle, 0.0, 0.0])
        up = LIP_OVER + FINGERS_OVER * max(LEVEL - angle, 0.0)
        lip = self.cup + np.array([0.0, -LIP_IN * self.sign * self.width, up])
        return lip - rotation(turn) @ self.lip, turn

    def script(self) -> Steps:
        side = self.side
        self.preshape(side, GRASP, self.width)
        yield from self.wait(0.8)
        yield from self.go(side, STILL)
        yield from self.wait(0.2)
        yield from self.take(side, GRASP, self.width, GRIP)
        yield from self.go(side, (0.0, 0.0, LIFT))
        yield from self.wait(0.3)
        full = yield from self.weigh(side)
        shift, turn = self._tipped(READY)
        yield from self.carry({side: ((0.0, 0.0, max(LIFT, shift[2])), turn)})
        yield from self.carry({side: (shift, turn)})
        yield from self._tip()
        yield from self._back()
        yield from self.carry({side: ((0.0, 0.0, LIFT), STILL)}, speed=0.15)
        yield from self.wait(0.3)
        self.poured = full - (yield from self.weigh(side))
        if self.phase(side) != GraspPhase.HOLDING:
            self.fail("lost the bottle")

    def _tip(self) -> Steps:
        """Further and further, slowly while the load falls, until it is steep and nothing more comes."""
        load = earlier = self.load(self.side)
        angle, quiet = READY, 0.0
        while angle < STEEP or (quiet < QUIET and angle < END):
            yield
            follow = min(self.dt / SLOW, 1.0)
            load += follow * (self.load(self.side) - load)
            earlier += follow * (load - earlier)
            flows = (earlier - load) / SLOW > FLOWS
            quiet = 0.0 if flows else quiet + self.dt
            angle = min(angle + (POUR_SPEED if flows or angle > LEVEL else TIP_SPEED) * self.dt, END)
            self.shift[self.side], self.turn[self.side] = self._tipped(angle)
        yield from self.wait(QUIET)

    def _back(self) -> Steps:
        """As it came."""
        angle = -self.sign * float(self.turn[self.side][0])
        while angle > READY:
            yield
            angle -= BACK_SPEED * self.dt
            self.shift[self.side], self.turn[self.side] = self._tipped(angle)
