"""Turn a ball over in the hand: it rolls along two fingers from the palm to the raised fingertips.

The palm looks up. Middle and ring finger lie straight and make a groove, index and little finger stand a
little higher beside it, the fingertips are bent up as a wall. First the fingers rise a little, until the pads
feel the ball near the palm; then the hand tilts slowly until the ball rolls to the wall, and levels out. What
lies where is known from the pads alone: those of the groove feel the weight, those of the wall its arrival.

A ball of radius R on two fingers of radius r, whose bones are d apart, rolls at the height
h = sqrt((R + r)² - (d/2)²) over the bones and turns by

    angle = way / (h R / (R + r))
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neo_description.hand import PALM_SIZE, PALM_START, directions
from neo_description.signals import HandAction, HandCommand
from neo_description.tables import TAXELS
from neo_hand_control.skills.fingertips import bent
from neo_hand_control.skills.frames import Tips
from neo_hand_control.skills.skill import Script, Steps, Until

FLOOR, BETWEEN, WALL = (
    [TAXELS.index(f"{finger}_{part}") for finger in ("middle", "ring")]
    for part in ("proximal", "middle", "distal")
)
GROOVE = FLOOR + BETWEEN
SPREAD = 0.08  # rad
TRAY = {
    "middle_dip_flex": 0.9, "ring_dip_flex": 0.9, "middle_pip_flex": 0.05, "ring_pip_flex": 0.05,
    "middle_mcp_abd": SPREAD, "ring_mcp_abd": -SPREAD,
    "index_mcp_abd": 2 * SPREAD, "little_mcp_abd": -2 * SPREAD,
    "index_mcp_flex": 0.35, "little_mcp_flex": 0.45, "index_dip_flex": 0.6, "little_dip_flex": 0.6,
    "thumb_cmc_opp": 0.3,
}  # fmt: skip
UP, DOWN = 0.25, 0.45  # rad: fingers up at first; furthest down
SLOW, LEVEL_SPEED = 0.15, 0.5  # rad/s
LEVEL = -0.12  # rad: how the ball is kept at the wall
FELT, AT_WALL = 0.12, 0.10  # N: the weight; the weight's part on the wall
SETTLED = 0.3  # s
FOLLOW = 0.05  # s
PALM_END, PALM_TOP = PALM_START + PALM_SIZE[0], PALM_SIZE[2] / 2  # m along u, w


class Rotate(Script):
    """Hand ``side`` turns a ball of about ``radius`` m that was put on its fingers.

    ``angle`` rad: how far it has turned, as far as the hand can tell.
    """

    def __init__(self, side: str, radius: float = 0.02):
        self.side, self.radius = side, radius
        self._sign = 1.0 if side == "r" else -1.0
        self._tips = Tips(side)
        self.angle = 0.0
        self._n = np.zeros(len(TAXELS))
        super().__init__(side, {side: (np.zeros(3), self._attitude(UP))})

    def script(self) -> Steps:
        side = self.side
        self.tell(side, HandCommand(HandAction.JOINTS, joint_position=bent(TRAY)))
        held = yield from self._wait_for(lambda: self._n[GROOVE].sum() > FELT, SETTLED, 3.0)
        if not held:
            self.fail("felt nothing on the fingers")
        tilt = UP
        rolled = False
        wall = 0.0
        while tilt > -DOWN and not rolled:
            tilt -= SLOW * self.dt
            self.turn[side] = self._attitude(tilt)
            self._feel()
            wall = wall + self.dt if self._n[WALL].sum() > AT_WALL else 0.0
            rolled = wall > 0.1
            yield
        yield from self.carry({side: (np.zeros(3), self._attitude(LEVEL))}, turn_speed=LEVEL_SPEED)
        kept = yield from self._wait_for(lambda: self._n.sum() > FELT, SETTLED, 2.0)
        if not kept:
            self.fail("the ball left the hand")
        if not rolled:
            self.fail("the ball did not roll")
        self.angle = self._turned()

    def _wait_for(self, seen: Callable[[], bool], seconds: float, limit: float) -> Until:
        """Until ``seen()`` held for ``seconds``; False after ``limit`` s."""
        passed = held = 0.0
        while passed < limit:
            yield
            self._feel()
            passed += self.dt
            held = held + self.dt if seen() else 0.0
            if held >= seconds:
                return True
        return False

    def _feel(self) -> None:
        state = self.sensed[self.side].state
        n = state.taxel_force[:, 0] * state.taxel_valid
        self._n += min(self.dt / FOLLOW, 1.0) * (n - self._n)

    def _turned(self) -> float:
        """rad by which a ball turns on its way from the palm's edge to the wall, as the joints stand."""
        k = self._tips.kinematics
        k.move(self.sensed[self.side].state.joint_position)
        u, _, w = directions(self.side).T
        floor, wall = (np.array([self._tips.bone(p) for p in pads]) for pads in (FLOOR, WALL))
        flesh = float(self._tips.radius[FLOOR].mean())
        apart = float(np.linalg.norm(floor[0].mean(axis=0) - floor[1].mean(axis=0)))
        high = float(np.sqrt((self.radius + flesh) ** 2 - (apart / 2.0) ** 2))  # of the ball over the bones
        step = high + float((floor[:, 0] @ w).mean()) - PALM_TOP
        start = PALM_END + float(np.sqrt(max(self.radius**2 - step**2, 0.0)))
        along, up = (wall[:, 1] - wall[:, 0]).mean(axis=0), wall[:, 0].mean(axis=0)
        corner = float(np.arctan2(along @ w, along @ u))
        end = float(up @ u) - high * np.tan(corner / 2.0)
        return float(end - start) * (self.radius + flesh) / (self.radius * high)

    def _attitude(self, up: float) -> np.ndarray:
        """Palm up, the fingers ``up`` rad above the horizontal."""
        return np.array([self._sign * np.pi / 2, 0.0, self._sign * up])
