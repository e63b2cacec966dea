"""Press a button: the index finger goes in until it feels the button, on until it clicks, and back.

The finger is nearly straight, so it meets the button with its tip and the pad feels the push as shear: what
counts is the whole force beside what the pad read just before.

    in     until force > ``FELT``                                touched
    on     until force < ``CLICK`` of its peak, or > ``ENOUGH``  pressed: it gave way, or is at its end
    back   out of the way                                        released

No touch until ``REACH`` beyond the nominal place, or no click until ``TRAVEL`` beyond the touch: a failure.
"""

from __future__ import annotations

import numpy as np

from neo_description.signals import HandAction, HandCommand
from neo_description.tables import HAND, TAXELS
from neo_hand_control.skills.frames import Tips, from_gripper, shift_to
from neo_hand_control.skills.skill import Script, Steps

PAD = TAXELS.index("index_distal")
POINTING = {"index_mcp_flex": 0.15, "index_pip_flex": 0.15, "index_dip_flex": 0.1, "thumb_cmc_opp": 0.6}
BENT = {"mcp": 1.45, "pip": 1.6, "dip": 0.8}  # rad: the other fingers
AWAY, REACH, TRAVEL = 0.04, 0.03, 0.012  # m
IN_SPEED, PRESS_SPEED, BACK_SPEED = 0.04, 0.012, 0.05  # m/s
FELT, ENOUGH, STOP = 0.5, 8.0, 12.0  # N
CLICK, CLICK_PEAK = 0.75, 1.5  # share of the peak; N that the peak has at least
BEYOND = 0.0015  # m to go on after the click, so that a switch surely closes
FORWARD = np.array([1.0, 0.0, 0.0])
FOLLOW = 0.01  # s: time constant of the force


def pointing() -> np.ndarray:
    """Joint angles (22,) rad: the index finger out, the others bent."""
    q = np.zeros(len(HAND.joints))
    for finger in ("middle", "ring", "little"):
        for joint, angle in BENT.items():
            q[HAND.index(f"{finger}_{joint}_flex")] = angle
    for joint, angle in POINTING.items():
        q[HAND.index(joint)] = angle
    return q


class Press(Script):
    """Hand ``side`` presses a button about ``at`` (3,) m that gives way along +x; palm down.

    ``force`` N: what the fingertip feels; ``travel`` m: how far it went from the touch to the click.
    """

    def __init__(self, side: str, at: tuple[float, float, float] = (0.0, 0.0, 0.0)):
        self.side, self.at = side, np.asarray(at, float)
        self.level = np.array([-np.pi / 2 if side == "r" else np.pi / 2, 0.0, 0.0])
        tips = Tips(side)
        tips.kinematics.move(pointing())
        self._tip = from_gripper(side, tips.end(PAD))
        self.force = self.travel = 0.0
        self._rest: np.ndarray | None = None
        super().__init__(side, {side: (self._tip_at(-AWAY), self.level)})

    def _tip_at(self, depth: float) -> np.ndarray:
        return shift_to(self.at + depth * FORWARD, self._tip, self.level)

    def _feel(self) -> float:
        assert self._rest is not None
        reading = self.sensed[self.side].state.taxel_force[PAD] - self._rest
        self.force += min(self.dt / FOLLOW, 1.0) * (float(np.linalg.norm(reading)) - self.force)
        return self.force

    def script(self) -> Steps:
        side = self.side
        if not self.sensed[side].state.taxel_valid[PAD]:
            self.fail("the pad of the index fingertip is dead")
        self.tell(side, HandCommand(HandAction.JOINTS, joint_position=pointing()))
        yield from self.wait(1.0)
        readings = []
        for _ in range(50):
            yield
            readings.append(self.sensed[side].state.taxel_force[PAD])
        self._rest = np.mean(readings, axis=0)
        met = yield from self.carry(
            {side: (self._tip_at(REACH), self.level)}, IN_SPEED, until=lambda: self._feel() > FELT
        )
        if not met:
            yield from self._back()
            self.fail("met no button")
        touched = self.shift[side].copy()
        peak = 0.0

        def pressed() -> bool:
            nonlocal peak
            force = self._feel()
            peak = max(peak, force)
            return force > ENOUGH or (peak > CLICK_PEAK and force < CLICK * peak)

        deep = touched + TRAVEL * FORWARD
        pressing = yield from self.carry({side: (deep, self.level)}, PRESS_SPEED, until=pressed)
        self.travel = float(self.sensed[side].shift[0] - touched[0])
        if pressing:
            beyond = self.shift[side] + BEYOND * FORWARD
            yield from self.carry(
                {side: (beyond, self.level)}, PRESS_SPEED, until=lambda: self._feel() > ENOUGH
            )
            yield from self.wait(0.1, until=lambda: self._feel() > STOP)
        yield from self._back()
        if not pressing:
            self.fail(f"no click within {TRAVEL} m; {peak:.1f} N at most")

    def _back(self) -> Steps:
        yield from self.carry({self.side: (self._tip_at(-AWAY), self.level)}, BACK_SPEED)
