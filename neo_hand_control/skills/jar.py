"""Open a jar: one hand holds it, the other takes the lid, turns, lets go, goes back and takes it again.

How hard the lid must be taken nobody knows: the hand begins with ``FIRST`` newtons and takes it harder the
next time when it slid. What counts as turned is the wrist's way less what the fingers gave way themselves.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from neo_description.hand import rotation
from neo_hand_control.hand_kinematics import HandKinematics
from neo_hand_control.skills.frames import from_gripper
from neo_hand_control.skills.handling import STILL, Handling, before
from neo_hand_control.skills.skill import Steps, Vector

STROKE = (
    -0.3,
    1.2,
)  # rad of the right hand's wrist, seen from above to the left; of the left hand's mirrored
TURN_SPEED, BACK_SPEED = 0.8, 2.0  # rad/s
GRASP = "medium_wrap"
HOLD = 90.0  # N on the jar: it must bear what the lid bears
FIRST, MORE, MOST = 60.0, 15.0, 90.0  # N on the lid
SLID = 0.5  # share of the way that the fingers gave way
STROKES = 5


class Jar(Handling):
    """``holder`` holds a jar ``width`` m wide, whose middle is at its shift 0; the other hand opens the lid.

    ``lid`` (3,) m: the lid's middle from the turning hand's shift 0; ``lid_width`` m; ``angle`` rad to turn.
    """

    def __init__(self, holder: str, width: float, lid: Vector, lid_width: float, angle: float = 3.2):
        self.holder, self.turner = holder, "r" if holder == "l" else "l"
        self.width, self.lid, self.lid_width = width, np.asarray(lid, float), lid_width
        self.angle, self.turned = angle, 0.0
        low, high = STROKE
        self.stroke = (low, high) if self.turner == "r" else (-high, -low)
        self._kinematics = HandKinematics(self.turner)
        super().__init__("lr", {holder: (before(holder), STILL), self.turner: self._at(self.stroke[0], True)})

    def _at(self, angle: float, away: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Shift and turn round the lid, the hand turned by ``angle`` about it; or before that."""
        turn = np.array([0.0, 0.0, angle])
        return self.lid + away * rotation(turn) @ before(self.turner), turn

    def script(self) -> Steps:
        holder, turner = self.holder, self.turner
        begin, end = self.stroke
        self.preshape(holder, GRASP, self.width)
        self.preshape(turner, GRASP, self.lid_width)
        yield from self.wait(0.8)
        yield from self.go(holder, STILL)
        yield from self.wait(0.2)
        yield from self.take(holder, GRASP, self.width, HOLD)
        force = FIRST
        for _ in range(STROKES):
            yield from self.carry({turner: self._at(begin)})
            yield from self.wait(0.2)
            yield from self.take(turner, GRASP, self.lid_width, force)
            gave_way = yield from self._stroke()
            self.turned += end - begin - gave_way
            if gave_way > SLID * (end - begin):
                force = min(force + MORE, MOST)
            yield from self.let_go(turner)
            self.preshape(turner, GRASP, self.lid_width)
            yield from self.carry({turner: self._at(end, True)})
            if self.turned >= self.angle:
                return
            yield from self.carry({turner: self._at(begin, True)}, turn_speed=BACK_SPEED)
        self.fail(f"turned the lid by {self.turned:.2f} rad")

    def _stroke(self) -> Generator[None, None, float]:
        """Turn the lid once; how far (rad) the pads that press were pushed back round it."""
        began = self._round()
        yield from self.carry({self.turner: self._at(self.stroke[1])}, turn_speed=TURN_SPEED)
        feeling = self.sensed[self.turner].feeling
        if feeling is None or feeling.normal <= 0.0:
            return self.stroke[1] - self.stroke[0]
        back = np.angle(np.exp(1j * (self._round() - began)))
        return abs(float(feeling.force[:, 0] @ back)) / feeling.normal

    def _round(self) -> np.ndarray:
        """(19,) rad: where the pads are round the lid's axis."""
        self._kinematics.move(self.sensed[self.turner].state.joint_position)
        at = from_gripper(self.turner, self._kinematics.p)
        return np.arctan2(at[:, 1], at[:, 0])
