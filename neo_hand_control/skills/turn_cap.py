"""Turn a bottle's cap: four fingertips close round it, the wrist turns, lets go, goes back, and again.

Palm down over the cap: thumb on one side, index, middle and ring finger on the other. Each fingertip comes
straight in until it feels the cap; where the four stand tells the cap's middle and radius, better than eyes
do. Each then presses towards that middle with its share of the grip, and pushes round it with its share of
the torque:

    T <- T + k dt twist            twist: angle (rad) by which the fingertips stay behind the wrist
    F  = max(T_felt, T) / (radius · friction · margin)   sum of the forces towards the middle (N)

so a stiff cap gets the torque and the grip it needs, and a loose one is touched lightly. Fingertips of radius
r that stay behind roll on the cap of radius R, so it has turned by what the wrist turned less
``twist (R + r) / R``, counted from the moment when the torque rose no further: until then the cap stuck.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from neo_description.hand import rotation
from neo_description.signals import HandAction, HandCommand
from neo_hand_control.skills.around import ENOUGH, Around
from neo_hand_control.skills.fingertips import Fingertips, bent
from neo_hand_control.skills.frames import from_gripper, shift_to
from neo_hand_control.skills.skill import Script, Steps

FINGERS = ("thumb", "index", "middle", "ring")
AROUND = np.array([np.pi, 0.85, 0.0, -0.85])  # rad about the cap, from the direction of the fingers
SHARE = np.array([0.436, 0.188, 0.188, 0.188])  # of the grip: what goes in on one side comes in on the other
MIDDLE = (0.112, 0.0105, 0.079)  # m along u, v, w: the cap between the fingertips
OPEN, CLOSED, STEP = 0.030, 0.011, 0.001  # m from the middle to the flesh
USUAL = 0.016  # m: radius of a cap
STRAIGHT = {"thumb_cmc_opp": 1.4, "thumb_cmc_flex": 0.35} | {
    f"{f}_{j}_flex": a for f in FINGERS[1:] for j, a in (("mcp", 1.1), ("pip", 0.25), ("dip", 0.1))
}
GIVE = 0.7  # compliance of bending joints while they press

ABOVE = 0.07  # m above the cap to begin and to end
HALF_STROKE = 0.70  # rad: the wrist turns from minus to plus this
DOWN_SPEED, BACK_SPEED, STROKE_SPEED = 0.06, 1.2, 0.5  # m/s, rad/s
CLOSE_SPEED = 0.03  # m/s of each fingertip
FELT = 0.25  # N
GRIP_LEAST, GRIP_MOST, GRIP_RATE = 8.0, 40.0, 60.0  # N, N, N/s
TORQUE_GAIN, TORQUE_AHEAD, TORQUE_RATE = 4.0, 0.08, 0.5  # N m/(rad s), N m, N m/s
KNOWN = 0.8  # share of the torque that the last stroke needed, with which the next begins
FRICTION, MARGIN = 0.5, 0.8
STROKES, TRIES = 9, 4
SMOOTH, GAVE_WAY = 20, 0.85  # ticks; share of the largest torque of a stroke
CENTRED = 0.002  # m


class TurnCap(Script):
    """Hand ``side`` turns a cap about ``at`` (3,) m by ``goal`` rad, seen from above: positive opens.

    ``turned`` rad: how far the cap has come, as far as the hand can tell; ``radius`` m as felt.
    """

    def __init__(self, side: str, at: tuple[float, float, float] = (0.0, 0.0, 0.0), goal: float = 4.0):
        self.side, self.goal = side, goal
        self.turned = self.torque = self.grip = self._needed = 0.0
        self._sign = 1.0 if side == "r" else -1.0
        self._tips = tips = Fingertips(side, FINGERS)
        self._axis = -tips.D[:, 2]  # up in the world: about it the cap opens
        self._middle = np.array(at, float)  # of the cap, in the world
        self._tool = tips.D @ MIDDLE
        self._cap = Around(tips, self._tool, USUAL)
        self._paths = tips.postures(
            self._places(np.arange(OPEN, CLOSED - STEP / 2, -STEP)), bent(STRAIGHT, ("little",))
        )
        self._radii = np.full(len(FINGERS), OPEN)
        self._q = self._paths[0]
        super().__init__(side, {side: self._pose(-HALF_STROKE, ABOVE)})

    @property
    def radius(self) -> float:
        """Of the cap (m), as felt."""
        return self._cap.radius

    def script(self) -> Steps:
        side = self.side
        self._command(self._q)
        yield from self.wait(1.0)
        yield from self._tips.tare(self)
        yield from self.carry({side: self._pose(-HALF_STROKE)}, DOWN_SPEED)
        for _ in range(STROKES):
            yield from self._centre_on()
            yield from self._take()
            yield from self._stroke()
            yield from self._let_go()
            if self.turned >= self.goal:
                break
            yield from self.carry({side: self._pose(-HALF_STROKE)}, DOWN_SPEED, BACK_SPEED)
        yield from self.carry({side: self._pose(HALF_STROKE, ABOVE)}, DOWN_SPEED)
        if self.turned < self.goal:
            self.fail(f"turned {self.turned:.2f} rad in {STROKES} strokes")

    def _centre_on(self) -> Steps:
        """Close until the fingertips feel the cap; while it is not in their midst, open and move over it."""
        for _ in range(TRIES):
            met = yield from self._close()
            if not met.any():
                yield from self._open()
                self.fail("felt no cap")
            self._move()
            self._cap.locate(self._tool, met)
            aside = self._cap.centre - self._tool
            if met[0] and met.sum() >= ENOUGH and np.linalg.norm(aside) < CENTRED:
                return
            yield from self._open()
            here, nominal = from_gripper(self.side, np.array([self._cap.centre, self._tool]))
            self._middle = self._middle + rotation(self.turn[self.side]) @ (here - nominal)
            yield from self.carry({self.side: self._pose(-HALF_STROKE)}, DOWN_SPEED)
        self.fail(f"felt no cap with {', '.join(f for f, m in zip(FINGERS, met, strict=True) if not m)}")

    def _close(self) -> Generator[None, None, np.ndarray]:
        """Each fingertip comes in until it feels the cap; (4,) bool: which did."""
        met = np.zeros(len(FINGERS), bool)
        while not met.all():
            yield
            met |= self._tips.feel(self) > FELT
            if (self._radii[~met] <= CLOSED).any():
                break
            self._radii[~met] -= CLOSE_SPEED * self.dt
            self._command(self._tips.posture(self._paths, (OPEN - self._radii) / STEP))
        return met

    def _take(self) -> Steps:
        """All press lightly, then nearly as hard and with as much torque as the last stroke needed."""
        self._q = self.sensed[self.side].state.joint_position.copy()
        self.grip = self.torque = 0.0
        while self.grip < GRIP_LEAST:
            self.grip += GRIP_RATE * self.dt
            self._press()
            yield
        yield from self.wait(0.1)
        self._move()
        self._cap.locate(self._tool, np.ones(len(FINGERS), bool))
        self._q = self.sensed[self.side].state.joint_position.copy()
        while self.torque < KNOWN * self._needed:
            self.torque = min(self.torque + TORQUE_RATE * self.dt, self._bearable)
            self._squeeze(KNOWN * self._needed)
            self._press()
            yield

    def _stroke(self) -> Steps:
        """Turn the wrist about the cap's middle; torque follows the twist of the fingers, grip the torque."""
        tool = from_gripper(self.side, self._cap.centre)
        middle = self.shift[self.side] + rotation(self.turn[self.side]) @ tool
        rolls = 1.0 + float(self._tips.flesh.mean()) / self.radius
        angle, before = -HALF_STROKE, 0.0
        steps: list[tuple[float, float]] = []
        self._move()
        self._cap.mark()
        while angle < HALF_STROKE:
            angle = min(angle + STROKE_SPEED * self.dt, HALF_STROKE)
            self.turn[self.side] = self._attitude(angle)
            self.shift[self.side] = shift_to(middle, tool, self.turn[self.side])
            self._move()
            twist = -self._cap.twist(self._axis)
            felt = -self._cap.torque(self._tips.forces(self), self._axis)
            most = min(self._bearable, felt + TORQUE_AHEAD)
            self.torque = float(np.clip(self.torque + TORQUE_GAIN * twist * self.dt, 0.0, most))
            self._squeeze(max(self.torque, felt))
            self._press()
            steps.append((felt, STROKE_SPEED * self.dt - rolls * (twist - before)))
            before = twist
            yield
        self._needed = self.torque
        self.turned += _since_it_gave_way(np.array(steps))
        self._middle[:2] = middle[:2]

    def _let_go(self) -> Steps:
        while self.grip > 0.0:
            self.grip = max(self.grip - 2.0 * GRIP_RATE * self.dt, 0.0)
            self.torque = max(self.torque - 2.0 * TORQUE_RATE * self.dt, 0.0)
            self._press()
            yield
        self.torque = 0.0
        yield from self._open()

    def _open(self) -> Steps:
        self._radii[:] = OPEN
        self._command(self._paths[0])
        yield from self.wait(0.4)

    @property
    def _bearable(self) -> float:
        """N m that the grip holds, were the friction as assumed."""
        return self.grip * self.radius * FRICTION

    def _squeeze(self, torque: float) -> None:
        wanted = np.clip(torque / (self.radius * FRICTION * MARGIN), GRIP_LEAST, GRIP_MOST)
        step = GRIP_RATE * self.dt
        self.grip += float(np.clip(wanted - self.grip, -0.2 * step, step))

    def _move(self) -> None:
        self._tips.move(self.sensed[self.side].state.joint_position)

    def _press(self) -> None:
        """Command the grip and the torque as efforts of the joints."""
        self._move()
        effort = self._cap.effort(SHARE * self.grip, SHARE * self.torque / self.radius, self._axis)
        self._command(self._q, effort, GIVE * self._tips.bending)

    def _command(
        self, q: np.ndarray, effort: np.ndarray | None = None, give: np.ndarray | None = None
    ) -> None:
        self.tell(
            self.side, HandCommand(HandAction.JOINTS, joint_position=q, joint_effort=effort, compliance=give)
        )

    def _attitude(self, angle: float) -> np.ndarray:
        """Palm down, turned by ``angle`` rad about the vertical."""
        return np.array([-self._sign * np.pi / 2, -self._sign * angle, 0.0])

    def _pose(self, angle: float, above: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        turn, tool = self._attitude(angle), from_gripper(self.side, self._tool)
        return shift_to(self._middle + np.array([0.0, 0.0, above]), tool, turn), turn

    def _places(self, radii: np.ndarray) -> np.ndarray:
        """(n, 4, 3) m: the fingertips' bones when their flesh is ``radii`` (n,) m from the middle."""
        u, v, _ = self._tips.D.T
        directions = np.outer(np.cos(AROUND), u) + np.outer(np.sin(AROUND), v)
        return self._tool + (radii[:, None] + self._tips.flesh)[..., None] * directions


def _since_it_gave_way(steps: np.ndarray) -> float:
    """Sum of the angles (second column) since the torque (first column) was nearly reached."""
    felt = np.convolve(steps[:, 0], np.full(SMOOTH, 1.0 / SMOOTH), mode="same")
    begun = int(np.argmax(felt >= GAVE_WAY * felt.max()))
    return float(steps[begun:, 1].sum())
