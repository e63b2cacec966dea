"""Pull a drawer open: hook the fingers behind its bar handle, pull, let go.

Over the bar the hand goes forward until it stands against the front, which tells where the bar is better
than eyes do; back a little, down into the gap until the bar lies under the fingers, and the fingers close
round it. Then the arm pulls, its target never more than ``LEAD`` ahead of the hand: the arm yields. A hand
that feels nothing more has lost the bar and tries again; where the bar no longer comes, there is the stop.
"""

from __future__ import annotations

import numpy as np

from neo_description.signals import HandAction, HandCommand
from neo_description.tables import HAND
from neo_hand_control.skills.handling import Handling, palm_down
from neo_hand_control.skills.skill import Steps, Vector

ABOVE = 0.03  # m: of the gripper above the bar while it goes forward
NESTED = (-0.072, -0.029)  # m: gripper from the bar (forward, up) when the bar lies under the fingers
BACK_OFF = 0.006  # m from the front, so that nothing rubs
BLOCKED = 0.0035  # m the hand stays behind its target when something is in its way
LEAD = 0.009  # m the target may run ahead while pulling
SPEED, PULL_SPEED = 0.03, 0.10  # m/s
STOP_TIME, STEP = 0.4, 0.004  # s in which the bar does not come along this far (m) although the hand pulls
SLOW = 0.1  # s: time constant of where the bar is felt
LOST_TIME = 0.15  # s
FELT = 0.5  # N
TRIES = 3
HOOK = {  # rad at mcp, pip: backs at one depth; the little finger, shorter, would come down on the bar
    "index": (0.0, 1.3), "middle": (0.0, 1.5), "ring": (0.0, 1.3), "little": (1.5, 1.7),
}  # fmt: skip


def hooked() -> np.ndarray:
    """Joint angles (22,) rad: fingers forward, bent down at their middle joints; the thumb out of the way."""
    q = np.zeros(len(HAND.joints))
    for finger, (mcp, pip) in HOOK.items():
        q[HAND.index(f"{finger}_mcp_flex")] = mcp
        q[HAND.index(f"{finger}_pip_flex")] = pip
    q[HAND.index("thumb_cmc_flex")] = -0.3
    return np.clip(q, HAND.q_min, HAND.q_max)


class Drawer(Handling):
    """Hand ``side`` pulls a horizontal bar that is about ``bar`` (3,) m from where the gripper is at shift 0.

    The drawer opens along -x; it is pulled by ``way`` m or to its stop. ``opened`` m: how far the bar was
    felt to come along.
    """

    def __init__(self, side: str, bar: Vector, way: float = 0.18):
        self.side, self.bar, self.way = side, np.array(bar, float), way
        self.opened = 0.0
        super().__init__(side, {side: (self._over(-0.06), palm_down(side))})

    def _over(self, forward: float) -> np.ndarray:
        return self.bar + np.array([NESTED[0] + forward, 0.0, ABOVE])

    def script(self) -> Steps:
        for _ in range(TRIES):
            yield from self._hook()
            yield from self._pull()
            yield from self._leave()
            if self.opened > 0.8 * self.way:
                return
            self.bar[0] -= self.opened
            yield from self.go(self.side, self._over(-0.06))
        self.fail(f"opened {self.opened:.2f} m")

    def _hook(self) -> Steps:
        side = self.side
        self.tell(side, HandCommand(HandAction.JOINTS, joint_position=hooked()))
        yield from self.wait(0.7)
        rest, turn = self.behind(side), self.turn[side]  # what the hand's weight costs the arm
        front = yield from self.carry(
            {side: (self._over(0.06), turn)},
            speed=SPEED,
            until=lambda: self.behind(side)[0] - rest[0] > BLOCKED,
        )
        at = self._over(0.0)
        if front:
            at[0] = self.sensed[side].shift[0] - BACK_OFF
        yield from self.go(side, at, SPEED)
        at[2] = self.bar[2] + NESTED[1] - 0.01
        yield from self.carry(
            {side: (at, turn)}, speed=SPEED, until=lambda: rest[2] - self.behind(side)[2] > BLOCKED
        )
        self.shift[side] = self.sensed[side].shift.copy()
        self.tell(side, HandCommand(HandAction.CLOSE, grasp="hook"))
        yield from self.wait(0.8)

    def _pull(self) -> Steps:
        """Until it is open, the stop is met, or the bar is no longer felt."""
        side, before = self.side, self.opened
        rest = self.behind(side)[0]
        bar = farthest = begin = float(self.touched_at(side)[0])
        still = unfelt = 0.0
        while self.opened < self.way and still < STOP_TIME and unfelt < LOST_TIME:
            yield
            if rest - self.behind(side)[0] < LEAD:
                self.shift[side][0] -= PULL_SPEED * self.dt
            felt = self.normal(side) > FELT
            unfelt = 0.0 if felt else unfelt + self.dt
            if felt:
                bar += min(self.dt / SLOW, 1.0) * (self.touched_at(side)[0] - bar)
            if bar < farthest - STEP:
                farthest, still = bar, 0.0
            still += self.dt
            self.opened = before + begin - farthest

    def _leave(self) -> Steps:
        side = self.side
        here = self.sensed[side].shift.copy()
        self.shift[side] = here.copy()
        self.tell(side, HandCommand(HandAction.OPEN))
        yield from self.wait(0.4)
        self.tell(side, HandCommand(HandAction.JOINTS, joint_position=hooked()))
        yield from self.wait(0.6)
        up = here + np.array([0.005, 0.0, ABOVE - NESTED[1] + 0.02])
        yield from self.go(side, up)
        yield from self.go(side, up - np.array([0.08, 0.0, 0.0]))
