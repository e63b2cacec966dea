"""Roll a pen between the thumb and three fingertips by moving them past each other.

The pen stands upright before the hand, across the fingers. The fingertips close on it until all feel it,
press, and the hand lifts it. Then the fingers go out and the thumb comes in (or the other way round), each by
half the way; the pen, rolling without sliding between them, turns by

    theta = s / 2R        s: how far the fingers' flesh went past the thumb's at the contacts (m)

``s`` is known from the joints, the pen's radius R from how far the thumb is from the fingers. Where the pen
sits on the thumb's round tip is known from the direction of the thumb's force: the forces of both sides lie
on one line. The pen is rolled the way that brings it over the tip, not off it.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from neo_description.hand import directions
from neo_description.signals import HandAction, HandCommand
from neo_description.tables import HAND
from neo_hand_control.skills.fingertips import Fingertips, bent
from neo_hand_control.skills.frames import from_gripper, shift_to
from neo_hand_control.skills.skill import Script, Steps

FINGERS = ("thumb", "index", "middle", "ring")
MIDDLE = np.array([0.103, 0.0105, 0.072])  # m along u, v, w: the pen between the fingertips
ACROSS = np.array([0.0105, 0.032, 0.0105, -0.011])  # m along v: where each fingertip takes it
SHARE = np.array([1.0, 0.33, 0.34, 0.33])  # of the grip
OPEN, CLOSED, STEP = 0.022, -0.004, 0.001  # m from the pen's axis to the flesh
FURTHER = np.array([-0.005, 0.0, 0.0, 0.0])  # m: further out than the pen
BEFORE, LIFT, BACK = 0.06, 0.10, 0.009  # m
TRIES, TILTED = 3, 0.4  # rad
SPEED, CLOSE_SPEED, ROLL_SPEED = 0.06, 0.025, 0.010  # m/s
FELT = 0.25  # N
ENOUGH = 3  # fingertips that feel the pen, the thumb among them, before all press
GRIP, GRIP_RATE = 1.2, 6.0  # N of the thumb, N/s
TRIM_GAIN, TRIM = 8.0, (-1.0, 5.0)  # 1/s; N
LINE_TIME = 0.06  # s
LOST = 0.3  # share of the grip
GIVE = 0.5
STIFFER = 0.2  # 1/rad: stiffness beside the hand's own, over effort
RADIUS = (0.004, 0.008)  # m of pens
LONGEST = 0.030  # m of s
STRAIGHT = {"thumb_cmc_opp": 1.4, "thumb_cmc_flex": 0.35} | {
    f"{f}_{j}_flex": a for f in FINGERS[1:] for j, a in (("mcp", 1.1), ("pip", 0.25), ("dip", 0.1))
}


class Roll(Script):
    """Hand ``side`` rolls an upright pen about ``at`` (3,) m by ``goal`` rad.

    ``rolled`` rad: how far, as far as the hand can tell; ``radius`` m as felt; ``rolling``: whether the pen
    has been lifted and the rolling has begun.
    """

    def __init__(self, side: str, at: tuple[float, float, float] = (0.0, 0.0, 0.0), goal: float = 2.1):
        self.side, self.goal = side, goal
        self.rolled = self.radius = self.grip = 0.0
        self.rolling = False
        self._trim = 0.0
        self._line = directions(side)[:, 0]  # from the thumb to the fingers
        self._tips = tips = Fingertips(side, FINGERS)
        self._middle = tips.D @ MIDDLE
        self._paths = tips.postures(self._places(np.arange(OPEN, CLOSED, -STEP)), bent(STRAIGHT, ("little",)))
        self._gaps = np.full(len(FINGERS), OPEN)
        self._out = np.array([0.0, 1.0 if side == "r" else -1.0, 0.0])
        self._at = shift_to(np.asarray(at), from_gripper(side, self._middle), np.zeros(3))
        super().__init__(side, {side: (self._at - BEFORE * self._out, np.zeros(3))})

    def script(self) -> Steps:
        side = self.side
        self._follow()
        yield from self.wait(1.0)
        yield from self._tips.tare(self)
        yield from self.carry({side: (self._at, np.zeros(3))}, SPEED)
        yield from self._take()
        up = self.shift[side] + np.array([0.0, 0.0, LIFT])
        yield from self.carry({side: (up, np.zeros(3))}, SPEED, until=self._hold)
        yield from self.wait(0.3, until=self._hold)
        self._still_there("lifting")
        yield from self._roll()
        yield from self.wait(0.5, until=self._hold)
        self._still_there("rolling")

    def _still_there(self, doing: str) -> None:
        felt = np.linalg.norm(self._tips.reading(self), axis=1)
        if min(felt[0], felt[1:].sum()) < LOST * self.grip:
            self.fail(f"lost the pen while {doing} it")

    def _take(self) -> Steps:
        """Close and press; a pen that is squeezed into the hand is taken again, nearer to the fingertips."""
        for _ in range(TRIES):
            met = yield from self._close()
            if met[0] and met.sum() >= ENOUGH:
                yield from self._press()
                if (np.linalg.norm(self._tips.reading(self), axis=1) > FELT).sum() >= ENOUGH and abs(
                    self._tilt()
                ) < TILTED:
                    return
            self._gaps[:], self.grip, self._trim, self._line = OPEN, 0.0, 0.0, self._tips.D[:, 0]
            self._follow()
            yield from self.wait(0.4)
            back = self.shift[self.side] - BACK * self._out
            yield from self.carry({self.side: (back, np.zeros(3))}, SPEED)
        self.fail(f"felt no pen with {', '.join(f for f, m in zip(FINGERS, met, strict=True) if not m)}")

    def _tilt(self) -> float:
        """rad: of the line of the forces from the way straight across the hand."""
        return float(np.arctan2(self._line @ self._tips.D[:, 2], self._line @ self._tips.D[:, 0]))

    def _close(self) -> Generator[None, None, np.ndarray]:
        """Each fingertip comes in until it feels the pen; (4,) bool: which did."""
        met = np.zeros(len(FINGERS), bool)
        while not met.all():
            yield
            met |= self._tips.feel(self) > FELT
            if (self._gaps[~met] <= CLOSED + STEP).any():
                break
            self._gaps[~met] -= CLOSE_SPEED * self.dt
            self._follow()
        return met

    def _press(self) -> Steps:
        self._q = self.sensed[self.side].state.joint_position.copy()
        while self.grip < GRIP:
            self.grip += GRIP_RATE * self.dt
            self._hold()
            yield
        yield from self.wait(0.2, until=self._hold)
        self._q = self.sensed[self.side].state.joint_position.copy()

    def _roll(self) -> Steps:
        tips = self._tips
        tips.move(self.sensed[self.side].state.joint_position)
        self.radius = self._felt_radius()
        along = np.cross(self._line, tips.D[:, 1])
        along *= np.sign(along @ tips.D[:, 2])  # out of the hand
        self.rolling = True
        begun = tips.ends()
        way = np.arange(0.0, LONGEST / 2, STEP)
        path = tips.postures(begun[None] + np.multiply.outer(way, SIGNS[:, None] * along), self._q)
        s = 0.0
        while abs(self.rolled) < self.goal:
            s += ROLL_SPEED * self.dt
            if s >= LONGEST - 2 * STEP:
                self.fail(f"rolled {self.rolled:.2f} rad, the fingers reach no further")
            i, rest = divmod(s / 2 / STEP, 1.0)
            self._q = path[int(i)] + rest * (path[int(i) + 1] - path[int(i)])
            self._hold()
            self.rolled += self._speed() / (2.0 * self.radius) * self.dt
            yield
        self._q = self.sensed[self.side].state.joint_position.copy()

    def _speed(self) -> float:
        """m/s at which the fingers' flesh passes the thumb's."""
        along = np.cross(self._line, self._tips.D[:, 1])
        along *= np.sign(along @ self._tips.D[:, 2])
        flesh = self._tips.velocities(self._contacts(), self.sensed[self.side].state.joint_velocity)
        return float((flesh[1:].mean(axis=0) - flesh[0]) @ along)

    def _contacts(self) -> np.ndarray:
        """(4, 3) m: where the round ends of the fingertips meet the pen, on the line of the forces."""
        return self._tips.bones()[:, 1] - np.outer(SIGNS * self._tips.flesh, self._line)

    def _felt_radius(self) -> float:
        """The pen's radius (m): half of what is between the round ends of the thumb and the fingers."""
        ends, v = self._tips.bones()[:, 1], self._tips.D[:, 1]
        apart = ends[1:].mean(axis=0) - ends[0]
        apart = apart - (apart @ v) * v
        between = float(np.linalg.norm(apart)) - self._tips.flesh[0] - self._tips.flesh[1:].mean()
        return float(np.clip(0.5 * between, *RADIUS))

    def _follow_line(self) -> None:
        """The line through the contacts of both sides: along it lies the force, whatever friction does."""
        v = self._tips.D[:, 1]
        forces = self._tips.forces(self)
        between = forces[1:].sum(axis=0) - forces[0]
        between -= (between @ v) * v
        size = float(np.linalg.norm(between))
        if size > 2.0 * FELT:
            self._line = self._line + min(self.dt / LINE_TIME, 1.0) * (between / size - self._line)
            self._line /= np.linalg.norm(self._line)

    def _hold(self) -> bool:
        """Press, the more the less is felt; never True, so that other motions may do it on their way."""
        self._tips.move(self.sensed[self.side].state.joint_position)
        self._follow_line()
        felt = np.linalg.norm(self._tips.reading(self), axis=1)
        error = self.grip - 0.5 * (felt[0] + felt[1:].sum())
        self._trim = float(np.clip(self._trim + TRIM_GAIN * error * self.dt, *TRIM))
        push = np.outer((self.grip + self._trim) * SHARE * -SIGNS, self._line)
        effort = self._tips.effort(self._contacts(), push)
        behind = self._q - self.sensed[self.side].state.joint_position
        effort = np.clip(
            effort + STIFFER * HAND.effort * self._tips.bending * behind, -HAND.effort, HAND.effort
        )
        self.tell(
            self.side,
            HandCommand(
                HandAction.JOINTS,
                joint_position=self._q,
                joint_effort=effort,
                compliance=self._tips.bending * GIVE,
            ),
        )
        return False

    def _follow(self) -> None:
        q = self._tips.posture(self._paths, (OPEN - self._gaps) / STEP)
        self.tell(self.side, HandCommand(HandAction.JOINTS, joint_position=q))

    def _places(self, gaps: np.ndarray) -> np.ndarray:
        """(n, 4, 3) m: the fingertips' bones ``gaps`` + flesh from the pen's axis."""
        u, v, w = self._tips.D.T
        out = np.empty((len(gaps), len(FINGERS), 3))
        for k in range(len(FINGERS)):
            side = -1.0 if k == 0 else 1.0
            away = (gaps + self._tips.flesh[k])[:, None] * side * u
            out[:, k] = self._middle + away + (ACROSS[k] - MIDDLE[1]) * v + FURTHER[k] * w
        return out


SIGNS = np.array([-1.0, 1.0, 1.0, 1.0])
