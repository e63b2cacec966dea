"""What skills that take, carry and put down things have in common, as steps of a :class:`Script`."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from neo_description.hand import R_WORLD_WRIST, rotation
from neo_description.signals import GraspPhase, HandAction, HandCommand
from neo_hand_control.skills.frames import from_gripper
from neo_hand_control.skills.skill import Script, Steps, Vector
from neo_hand_control.touch import GROUPS

BEFORE = 0.12  # m before the grasp on the diagonal way in
STILL = np.zeros(3)
ENDED = (GraspPhase.HOLDING, GraspPhase.LOST)


def before(side: str) -> np.ndarray:
    """(3,) m: from a grasp to where the hand begins its diagonal way in, back and off the palm's side."""
    d = BEFORE / np.sqrt(2.0)
    return np.array([-d, -d if side == "r" else d, 0.0])


def palm_down(side: str) -> np.ndarray:
    """(3,) rad: turn with the palm down, fingers forward."""
    return np.array([-np.pi / 2 if side == "r" else np.pi / 2, 0.0, 0.0])


class Handling(Script):
    """A script with words for taking things; ``sides`` as strings of one or two letters."""

    def phase(self, side: str) -> GraspPhase:
        """Where a hand's grasp stands."""
        return self.sensed[side].status.phase

    def net(self, side: str) -> np.ndarray:
        """(3,) N along the world's axes: sum of what pushes on a hand's pads."""
        sensed = self.sensed[side]
        if sensed.feeling is None:
            return np.zeros(3)
        return rotation(sensed.turn) @ R_WORLD_WRIST @ sensed.feeling.net

    def palm(self, side: str) -> float:
        """Sum of the normal forces that a hand's palm feels (N)."""
        feeling = self.sensed[side].feeling
        return 0.0 if feeling is None else float(feeling.group_normal[GROUPS.index("palm")])

    def touched_at(self, side: str) -> np.ndarray:
        """(3,) m from shift 0: the centre of pressure of what a hand touches."""
        sensed = self.sensed[side]
        if sensed.feeling is None:
            return sensed.shift.copy()
        return sensed.shift + rotation(sensed.turn) @ from_gripper(side, sensed.feeling.cop)

    def load(self, sides: str) -> float:
        """What pulls the hands down (N)."""
        return -sum(float(self.net(side)[2]) for side in sides)

    def weigh(self, sides: str, seconds: float = 0.2) -> Generator[None, None, float]:
        """The load (N), averaged."""
        felt = []
        for _ in range(round(seconds / self.dt)):
            yield
            felt.append(self.load(sides))
        return float(np.mean(felt))

    def behind(self, side: str) -> np.ndarray:
        """(3,) m: how far a hand stays behind where it is sent: its arm pushes, or is on its way."""
        return self.shift[side] - self.sensed[side].shift

    def go(self, side: str, to: Vector, speed: float = 0.1) -> Steps:
        """Carry one hand to shift ``to``, its turn kept."""
        yield from self.carry({side: (to, self.turn[side].copy())}, speed=speed)

    def preshape(self, sides: str, grasp: str, width: float) -> None:
        """Open the hands as a grasp wants it."""
        for side in sides:
            self.tell(side, HandCommand(HandAction.PRESHAPE, grasp=grasp, width=width))

    def take(self, sides: str, grasp: str, width: float, force: float = 0.0) -> Steps:
        """Close the hands; fail when one does not hold then. ``force`` N, 0: by itself."""
        for side in sides:
            self.tell(side, HandCommand(HandAction.CLOSE, grasp=grasp, width=width, grip_force=force))
        yield from self.wait(0.1)
        yield from self.wait(4.0, lambda: all(self.phase(side) in ENDED for side in sides))
        for side in sides:
            if self.phase(side) != GraspPhase.HOLDING:
                self.fail(f"the {side} hand took nothing with {grasp}")
        yield from self.wait(0.3)

    def let_go(self, sides: str) -> Steps:
        """Open the hands and wait until they are."""
        for side in sides:
            self.tell(side, HandCommand(HandAction.OPEN))
        yield from self.wait(0.1)
        yield from self.wait(2.0, lambda: all(self.phase(side) == GraspPhase.IDLE for side in sides))
