"""Carry a tray by two handles: both hands take hold, lift, go, set it down where it is felt to stand."""

from __future__ import annotations

import numpy as np

from neo_hand_control.skills.handling import Handling
from neo_hand_control.skills.skill import Steps, Vector, Way

BESIDE = 0.08  # m outside the handles
DEEP = 0.03  # m that the gripper stands above the bar: it lies where the fingers begin
IN = 0.04  # m further in than where the handle should be, at most
MET = 2.0  # N of a palm against its handle
IN_SPEED, LIFT_SPEED, SPEED, DOWN_SPEED = 0.05, 0.08, 0.15, 0.03  # m/s
LIFT = 0.15  # m
DEEPER = 0.03  # m below where it stood, at most, when setting down
GRASP, GRIP = "small_wrap", 20.0  # N: a tray may tip, which a hand that has just enough would allow
CLEAR = 0.012  # m the open hands go below the handles before they leave
STOOD = 0.3  # share of the load that is still felt when the tray stands


class Tray(Handling):
    """Handles ``width`` m thick at shift 0 of both hands, palms to each other; ``way`` (3,) m to carry it."""

    def __init__(self, way: Vector, width: float):
        self.way, self.width = np.asarray(way, float), width
        turn = np.array([0.0, np.pi / 2, 0.0])  # fingers down, thumbs forward
        super().__init__("lr", {side: (self._out(side) + np.array([0, 0, DEEP]), turn) for side in "lr"})

    def _out(self, side: str) -> np.ndarray:
        return np.array([0.0, -BESIDE if side == "r" else BESIDE, 0.0])

    def _all(self, by: Vector) -> Way:
        return {side: (self.shift[side] + np.asarray(by, float), self.turn[side].copy()) for side in "lr"}

    def script(self) -> Steps:
        self.preshape("lr", GRASP, self.width)
        yield from self.wait(0.8)
        yield from self._meet()
        yield from self.take("lr", GRASP, self.width, GRIP)
        empty = self.load("lr")
        yield from self.carry(self._all((0.0, 0.0, LIFT)), speed=LIFT_SPEED)
        yield from self.wait(0.5)
        full = yield from self.weigh("lr")
        yield from self.carry(self._all(self.way), speed=SPEED)
        yield from self.wait(0.5)
        yield from self.carry(self._all((0.0, 0.0, 0.01 - LIFT)), speed=LIFT_SPEED)
        yield from self.carry(
            self._all((0.0, 0.0, -0.01 - DEEPER)),
            speed=DOWN_SPEED,
            until=lambda: self.load("lr") - empty < STOOD * (full - empty),
        )
        yield from self.let_go("lr")
        yield from self.carry(self._all((0.0, 0.0, -CLEAR)), speed=DOWN_SPEED)
        out = {side: (self.shift[side] + self._out(side), self.turn[side].copy()) for side in "lr"}
        yield from self.carry(out, speed=0.06)

    def _meet(self) -> Steps:
        """Both hands go in, each until its palm meets its handle."""
        going = set("lr")
        while going:
            yield
            for side in tuple(going):
                inwards = 1.0 if side == "r" else -1.0
                self.shift[side][1] += inwards * IN_SPEED * self.dt
                if self.palm(side) > MET or self.shift[side][1] * inwards > IN:
                    going.discard(side)
