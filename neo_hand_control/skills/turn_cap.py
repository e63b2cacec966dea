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

from neo_description.hand import directions
from neo_description.signals import HandAction, HandCommand
from neo_description.tables import HAND, TAXELS
from neo_hand_control.skills.frames import Tips, from_gripper, rotation, shift_to
from neo_hand_control.skills.reach import Goal, reach
from neo_hand_control.skills.skill import Script, Steps

FINGERS = ("thumb", "index", "middle", "ring")
AROUND = np.array([np.pi, 0.85, 0.0, -0.85])  # rad about the cap, from the direction of the fingers
SHARE = np.array([0.436, 0.188, 0.188, 0.188])  # of the grip: what goes in on one side comes in on the other
PADS = [TAXELS.index(f"{finger}_distal") for finger in FINGERS]
MIDDLE = (0.112, 0.0105, 0.079)  # m along u, v, w: the cap between the fingertips
OPEN, CLOSED, STEP = 0.030, 0.011, 0.001  # m from the middle to the flesh
STRAIGHT = {"thumb_cmc_opp": 1.4, "thumb_cmc_flex": 0.35} | {
    f"{f}_{j}_flex": a for f in FINGERS[1:] for j, a in (("mcp", 1.1), ("pip", 0.25), ("dip", 0.1))
}
BENT = {"little_mcp_flex": 1.45, "little_pip_flex": 1.6, "little_dip_flex": 0.8}
GIVE = 0.7  # compliance of bending joints while they press

ABOVE = 0.07  # m above the cap to begin and to end
HALF_STROKE = 0.70  # rad: the wrist turns from minus to plus this
DOWN_SPEED, BACK_SPEED, STROKE_SPEED = 0.06, 1.2, 0.5  # m/s, rad/s
CLOSE_SPEED = 0.03  # m/s of each fingertip
USUAL = 0.016  # m: radius of a cap
FELT = 0.25  # N
GRIP_LEAST, GRIP_MOST, GRIP_RATE = 8.0, 40.0, 60.0  # N, N, N/s
TORQUE_GAIN, TORQUE_AHEAD, TORQUE_RATE = 4.0, 0.08, 0.5  # N m/(rad s), N m, N m/s
KNOWN = 0.8  # share of the torque that the last stroke needed, with which the next begins
FRICTION, MARGIN = 0.5, 0.8
STROKES, TRIES = 9, 4
SMOOTH, GAVE_WAY = 20, 0.85  # ticks; share of the largest torque of a stroke
ENOUGH = 3  # fingertips on the cap, the thumb among them, before all press
CENTRED = 0.002  # m


class TurnCap(Script):
    """Hand ``side`` turns a cap about ``at`` (3,) m by ``goal`` rad, seen from above: positive opens.

    ``turned`` rad: how far the cap has come, as far as the hand can tell; ``radius`` m as felt.
    """

    def __init__(self, side: str, at: tuple[float, float, float] = (0.0, 0.0, 0.0), goal: float = 3.8):
        self.side, self.goal = side, goal
        self.turned, self.radius, self.torque, self.grip = 0.0, 0.0, 0.0, 0.0
        self._needed = 0.0
        self._sign = 1.0 if side == "r" else -1.0
        self._D = directions(side)
        self._tips = Tips(side)
        self._flesh = float(self._tips.radius[PADS].mean())
        self._middle = np.array(at, float)  # of the cap, in the world
        self._tool = self._D @ MIDDLE
        self._tool_world = from_gripper(side, self._tool)
        self._paths = self._fingertip_paths()
        self._radii = np.full(len(FINGERS), OPEN)
        self._q = self._posture()
        super().__init__(side, {side: self._pose(-HALF_STROKE, ABOVE)})

    def script(self) -> Steps:
        side = self.side
        self._command(self._q)
        yield from self.wait(1.0)
        yield from self._tare()
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

    # --- phases ---

    def _tare(self) -> Steps:
        readings = []
        for _ in range(50):
            yield
            readings.append(self.sensed[self.side].state.taxel_force[PADS])
        self._rest = np.mean(readings, axis=0)

    def _centre_on(self) -> Steps:
        """Close until the fingertips feel the cap; while it is not in their midst, open and move over it."""
        for _ in range(TRIES):
            met = yield from self._close()
            if not met.any():
                yield from self._open()
                self.fail("felt no cap")
            self._locate(met)
            aside = self._centre - self._tool
            if met[0] and met.sum() >= ENOUGH and np.linalg.norm(aside) < CENTRED:
                return
            yield from self._open()
            R = rotation(self.turn[self.side])
            self._middle = self._middle + R @ (from_gripper(self.side, self._centre) - self._tool_world)
            yield from self.carry({self.side: self._pose(-HALF_STROKE)}, DOWN_SPEED)
        self.fail(f"felt no cap with {', '.join(f for f, m in zip(FINGERS, met, strict=True) if not m)}")

    def _close(self) -> Generator[None, None, np.ndarray]:
        """Each fingertip comes in until it feels the cap; (4,) bool: which did."""
        met = np.zeros(len(FINGERS), bool)
        felt = np.zeros(len(FINGERS))
        while not met.all():
            yield
            felt += min(self.dt / 0.01, 1.0) * (np.linalg.norm(self._force(), axis=1) - felt)
            met |= felt > FELT
            if (self._radii[~met] <= CLOSED).any():
                break
            self._radii[~met] -= CLOSE_SPEED * self.dt
            self._command(self._posture())
        return met

    def _take(self) -> Steps:
        """All press lightly, then as hard and with as much torque as the last stroke needed."""
        self._q = self.sensed[self.side].state.joint_position.copy()
        self.grip = self.torque = 0.0
        while self.grip < GRIP_LEAST:
            self.grip += GRIP_RATE * self.dt
            self._press()
            yield
        yield from self.wait(0.1)
        self._locate(np.ones(len(FINGERS), bool))
        self._q = self.sensed[self.side].state.joint_position.copy()
        while self.torque < KNOWN * self._needed:
            self.torque = min(self.torque + TORQUE_RATE * self.dt, self._bearable)
            self._squeeze(KNOWN * self._needed)
            self._press()
            yield

    def _stroke(self) -> Steps:
        """Turn the wrist about the cap's middle; torque follows the twist of the fingers, grip the torque."""
        tool = from_gripper(self.side, self._centre)
        pose = self.turn[self.side]
        middle = self.shift[self.side] + rotation(pose) @ tool
        angle, begun = -HALF_STROKE, self._twist()
        before = 0.0
        steps: list[tuple[float, float]] = []
        while angle < HALF_STROKE:
            angle = min(angle + STROKE_SPEED * self.dt, HALF_STROKE)
            self.turn[self.side] = self._attitude(angle)
            self.shift[self.side] = shift_to(middle, tool, self.turn[self.side])
            twist = begun - self._twist()
            rolled = twist * (1.0 + self._flesh / self.radius)
            felt = self._felt_torque()
            most = min(self._bearable, felt + TORQUE_AHEAD)
            self.torque = float(np.clip(self.torque + TORQUE_GAIN * twist * self.dt, 0.0, most))
            self._squeeze(max(self.torque, felt))
            self._press()
            steps.append((felt, STROKE_SPEED * self.dt - (rolled - before)))
            before = rolled
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
        self._command(self._posture())
        yield from self.wait(0.4)

    # --- what the hand feels ---

    def _force(self) -> np.ndarray:
        """(4, 3) N: what the fingertips' pads read beside what they read in free air."""
        state = self.sensed[self.side].state
        return (state.taxel_force[PADS] - self._rest) * state.taxel_valid[PADS][:, None]

    def _felt_torque(self) -> float:
        """N m about the cap's axis that the pads feel against the turning."""
        k = self._tips.kinematics
        force = np.einsum("pij,pj->pi", k.R[PADS] * [-1.0, 1.0, 1.0], self._force())
        tangents = np.cross(self._axis, self._radial)
        return float(-np.sum(tangents * force) * self.radius)

    @property
    def _axis(self) -> np.ndarray:
        """(3,) in the wrist's frame: about which the cap opens, up in the world."""
        return -self._D[:, 2]

    def _nearest(self, centre: np.ndarray) -> np.ndarray:
        """(4, 3) m from the axis through ``centre`` to the nearest points of the fingertips' bones."""
        w = self._D[:, 2]
        out = []
        for pad in PADS:
            a, b = self._tips.bone(pad)
            a, b = a - centre, b - centre
            a, b = a - (a @ w) * w, b - (b @ w) * w
            share = np.clip(-(a @ (b - a)) / max((b - a) @ (b - a), 1e-12), 0.0, 1.0)
            out.append(a + share * (b - a))
        return np.array(out)

    def _locate(self, met: np.ndarray) -> None:
        """The cap's middle and radius from where fingertips ``met`` it: the circle that touches them."""
        u, v, _ = self._D.T
        self._tips.kinematics.move(self.sensed[self.side].state.joint_position)
        centre, radius = self._tool.copy(), self.radius or USUAL
        for _ in range(6):
            away = self._nearest(centre)
            far = np.linalg.norm(away, axis=1)
            r = away / far[:, None]
            A = np.column_stack([-r @ u, -r @ v, -np.full(len(far), float(met.sum() >= ENOUGH))])
            gap = far - self._tips.radius[PADS] - radius
            step = np.linalg.lstsq(A[met], -gap[met], rcond=None)[0]
            centre = centre + np.clip(step[0], -0.005, 0.005) * u + np.clip(step[1], -0.005, 0.005) * v
            radius = float(np.clip(radius + step[2], 0.008, 0.030))
        self._centre, self.radius = centre, radius
        self._away = self._nearest(centre)
        self._radial = self._away / np.linalg.norm(self._away, axis=1)[:, None]

    def _twist(self) -> float:
        """Mean angle (rad) of the fingertips about the cap's middle, the way the cap opens."""
        self._tips.kinematics.move(self.sensed[self.side].state.joint_position)
        now = self._nearest(self._centre)
        sine = np.cross(self._away, now) @ self._axis
        return float(np.mean(np.arctan2(sine, np.sum(self._away * now, axis=1))))

    @property
    def _bearable(self) -> float:
        """N m that the grip holds, were the friction as assumed."""
        return self.grip * self.radius * FRICTION

    # --- what the hand does ---

    def _squeeze(self, torque: float) -> None:
        wanted = np.clip(torque / (self.radius * FRICTION * MARGIN), GRIP_LEAST, GRIP_MOST)
        step = GRIP_RATE * self.dt
        self.grip += float(np.clip(wanted - self.grip, -0.2 * step, step))

    def _press(self) -> None:
        """Command the grip and the torque as efforts of the joints."""
        k = self._tips.kinematics
        k.move(self.sensed[self.side].state.joint_position)
        away = self._nearest(self._centre)
        effort = np.zeros(len(HAND.joints))
        for pad, share, offset in zip(PADS, SHARE, away, strict=True):
            far = float(np.linalg.norm(offset))
            radial = offset / far
            push = -share * self.grip * radial
            push += share * self.torque / self.radius * np.cross(self._axis, radial)
            point = k.p[pad] - self._tips.radius[pad] * (k.R[pad, :, 0] + radial)
            effort += k.jacobian(pad, point).T @ push
        effort = np.clip(effort, -0.9 * HAND.effort, 0.9 * HAND.effort)
        self._command(self._q, effort, BENDING * GIVE)

    def _command(
        self, q: np.ndarray, effort: np.ndarray | None = None, give: np.ndarray | None = None
    ) -> None:
        self.tell(
            self.side, HandCommand(HandAction.JOINTS, joint_position=q, joint_effort=effort, compliance=give)
        )

    # --- where it goes ---

    def _attitude(self, angle: float) -> np.ndarray:
        """Palm down, turned by ``angle`` rad about the vertical."""
        return np.array([-self._sign * np.pi / 2, -self._sign * angle, 0.0])

    def _pose(self, angle: float, above: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        turn = self._attitude(angle)
        return shift_to(self._middle + np.array([0.0, 0.0, above]), self._tool_world, turn), turn

    def _fingertip_paths(self) -> np.ndarray:
        """(n, 22) rad: postures with all fingertips ``OPEN`` … ``CLOSED`` m from the middle."""
        q = np.zeros(len(HAND.joints))
        for joint, angle in (STRAIGHT | BENT).items():
            q[HAND.index(joint)] = angle
        u, v, _ = self._D.T
        paths = []
        for radius in np.arange(OPEN, CLOSED - STEP / 2, -STEP):
            goals = []
            for pad, angle in zip(PADS, AROUND, strict=True):
                flesh = self._tips.radius[pad]
                direction = np.cos(angle) * u + np.sin(angle) * v
                point = np.array([-flesh, 0.8 * self._tips.half[pad], 0.0])
                goals.append(Goal(pad, point, self._tool + (radius + flesh) * direction))
            paths.append(reach(self._tips.kinematics, goals, q))
        return np.array(paths)

    def _posture(self) -> np.ndarray:
        """(22,) rad: each fingertip at its own distance from the middle."""
        q = self._paths[0].copy()
        for finger, radius in zip(FINGERS, self._radii, strict=True):
            place = (OPEN - radius) / STEP
            i = int(np.clip(np.floor(place), 0, len(self._paths) - 2))
            own = [j for j, name in enumerate(HAND.joints) if name.startswith(finger)]
            low, high = self._paths[i][own], self._paths[i + 1][own]
            q[own] = low + np.clip(place - i, 0.0, 1.0) * (high - low)
        return q


def _since_it_gave_way(steps: np.ndarray) -> float:
    """Sum of the angles (second column) since the torque (first column) was nearly reached."""
    felt = np.convolve(steps[:, 0], np.full(SMOOTH, 1.0 / SMOOTH), mode="same")
    begun = int(np.argmax(felt >= GAVE_WAY * felt.max()))
    return float(steps[begun:, 1].sum())


BENDING = np.array([float(name.endswith("_flex")) for name in HAND.joints])
