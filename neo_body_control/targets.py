"""What the body shall do now: references of every task, moved by commands, stepped once a tick."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np

from neo_body_control.at_ease import AtEase
from neo_body_control.lasting_errors import LastingBend
from neo_body_control.pressing import Pressing
from neo_body_control.rotations import about_z, cross, exp, yaw
from neo_body_control.stance import Bending, Stance
from neo_body_control.tasks import HandReference
from neo_body_control.trajectories import ArrayReference, PointReference, PoseReference
from neo_description.postures import posture
from neo_description.signals import WholeBodyCommand
from neo_description.tables import BODY, CONTROL_DT, SIDES

PARTS = ("l", "r", "gaze", "height")
ARM_JOINTS = ("shoulder", "elbow", "wrist")
ARM = {
    s: np.array([i for i, j in enumerate(BODY.joints) if j[0] == s and j[2:].startswith(ARM_JOINTS)])
    for s in SIDES
}

SOON = 0.1  # s: a body that has bent by then has bent
BOWS = BODY.index("torso_pitch")
ELBOWS = np.array([BODY.index(f"{side}_elbow_pitch") for side in SIDES])
LIFTS = 1.5  # rad that an elbow without a target bends per rad of the bow: its hand stays as high


class Targets:
    """References in odom. ``hands[side]`` counts while ``side in busy``; ``gaze`` while ``gazing``."""

    def __init__(self, p: SimpleNamespace):
        self._p = p
        self.hands = {
            s: PoseReference(
                p.hand_speed,
                p.hand_acceleration,
                p.hand_turn_speed,
                p.hand_turn_acceleration,
                p.hand_bandwidth,
            )
            for s in SIDES
        }
        self.base = PoseReference(p.height_speed, 0.5, 0.5, 2.0, 6.0)  # com x, com y, height; orientation
        self.gaze = PointReference(p.gaze_speed, 6.0, 12.0)
        self.posture = ArrayReference(len(BODY.joints), p.posture_speed, 4.0, 6.0)
        self._nominal = posture(p.posture).body
        self._bending = Bending(p.stand_height, p.bend_height, p.bend_lean, p.bend_bow, p.bend_arm)
        self._stance: Stance | None = None
        self._lasting = LastingBend()
        self._ease = AtEase(p.ease_after, 0.0 if p.walking else p.ease_height, p.stand_height)
        self._height, self._walking = p.stand_height, False
        self.busy: set[str] = set()
        self.source: dict[str, np.ndarray] = {}  # by side: the target as it was commanded
        self.gazing = False
        self.velocity: np.ndarray | None = None  # (3,) at which to walk
        self._carried: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self.pressing = Pressing(p.press_time)
        self._until: dict[str, float] = {}
        self._speed: dict[str, float] = {}  # m/s, by side: as it was commanded

    def start(
        self, q: np.ndarray, com: np.ndarray, height: float, R: np.ndarray, support: np.ndarray
    ) -> None:
        """Standing up begins: rest at what is, then go to the nominal stance over ``support`` (3,)
        (x, y m, heading rad)."""
        self.busy.clear()
        self.gazing, self.velocity, self._carried = False, None, None
        self._until.clear()
        self._stance, self._height, self._walking = None, self._p.stand_height, False
        self._lasting = LastingBend()
        self._ease.reset()
        self.pressing.reset()
        self.posture.reset(q)
        self.posture.target = self._nominal.copy()
        T = np.eye(4)
        T[:3, :3], T[:3, 3] = R, (com[0], com[1], height)
        self.base.reset(T)
        self.base.point.target = np.array([support[0], support[1], self._p.stand_height])
        self.base.R_target = about_z(support[2])

    def place(self, anchors: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """(x, y m, heading rad) over which the robot belongs: between the soles, a little ahead.

        ``anchors``: axes (3, 3) and place (3,) m in odom of each sole that stands.
        """
        x, y = self.base.point.target[:2].tolist()
        if not anchors:
            return np.array([x, y, yaw(self.base.R_target)])
        headings = [yaw(R) for R, _ in anchors.values()]
        heading = math.atan2(sum(map(math.sin, headings)), sum(map(math.cos, headings)))
        if len(anchors) < 2:  # one sole lifts for a moment: stay
            return np.array([x, y, heading])
        (_, p), (_, p_other) = anchors.values()
        x, y, _ = ((p + p_other) / 2.0).tolist()
        ahead = self._p.com_ahead
        return np.array([x + ahead * math.cos(heading), y + ahead * math.sin(heading), heading])

    def support(self, support: np.ndarray) -> None:
        """Where the soles stand now: the centre of mass belongs over ``support`` (x, y m, heading rad)."""
        self.base.point.target[:2] = support[:2]
        self.base.R_target = about_z(support[2])
        if self._stance is not None:
            self.base.R_target = self.base.R_target @ exp(np.array([0.0, self._stance.lean, 0.0]))

    def walk(self, heading: float) -> None:
        """The legs walk: the pelvis faces ``heading`` rad, no higher than walking allows."""
        self.base.R_target = about_z(heading)
        self._height, self._walking = min(self._height, self._p.walk_height), True

    def carry(self, T: np.ndarray, place: np.ndarray, velocity: np.ndarray) -> None:
        """Hands go where the body goes: it has moved by ``T`` (4, 4) in odom, and moves about ``place``
        (3,) m with ``velocity`` (3,) m/s, rad/s."""
        for side in self.busy:
            self.hands[side].carry(T)
        self._carried = place, np.array([*velocity[:2], 0.0]), np.array([0.0, 0.0, velocity[2]])

    def come_to_rest(self, com: np.ndarray, velocity: np.ndarray) -> None:
        """The legs stand again: the centre of mass goes on from where it is (3,) m with (3,) m/s."""
        self.base.point.p[:2], self.base.point.v[:2] = com[:2], velocity[:2]
        self._carried, self._walking = None, False

    def apply(
        self,
        command: WholeBodyCommand,
        time: float,
        grippers: dict[str, np.ndarray],
        q: np.ndarray,
        looked_at: np.ndarray,
    ) -> None:
        """A checked command in odom takes effect. Now: ``grippers``' poses (4, 4), joints ``q`` (31,), the
        point (3,) ``looked_at``."""
        until = (command.start or time) + command.valid_for
        presses = {"l": command.l_hand_press, "r": command.r_hand_press}
        for side, T in (("l", command.T_l_hand), ("r", command.T_r_hand)):
            if T is None:
                continue
            self.pressing.ask(side, presses[side])
            reference = self.hands[side]
            if side not in self.busy:
                reference.reset(grippers[side])
                self.busy.add(side)
            self._speed[side] = command.hand_speed or self._p.hand_speed
            reference.target = T
            self.source[side] = T
            self._until[side] = until
        for side in command.release:
            self.release(side, q)
        if command.gaze is not None:
            if not self.gazing:
                self.gaze.reset(looked_at)
                self.gazing = True
            self.gaze.target = np.array(command.gaze, float)
            self._until["gaze"] = until
        if command.base_velocity is not None:
            moving = np.any(np.asarray(command.base_velocity) != 0.0)
            self.velocity = np.array(command.base_velocity, float) if moving else None
            self._until["velocity"] = until
        if command.base_height is not None:
            self._height = command.base_height
            self._until["height"] = until

    def release(self, side: str, q: np.ndarray) -> None:
        """Forget a hand's target; the arm goes from ``q`` (31,) back to its posture."""
        self.busy.discard(side)
        self.pressing.ask(side, None)
        self._until.pop(side, None)
        self.release_joints(ARM[side], q)

    def release_joints(self, index: np.ndarray, q: np.ndarray) -> None:
        """Joints ``index`` go from ``q`` (31,) back to their posture."""
        self.posture.x[index] = q[index]
        self.posture.v[index] = 0.0

    def halt(self, side: str) -> None:
        """A hand comes to rest where its speed carries it."""
        self.hands[side].stop_here()
        self.source.pop(side, None)
        self._until.pop(side, None)

    def step(self, time: float, alone: bool = True) -> None:
        """One tick; references whose command has expired come to rest where they are.

        ``alone``: nobody asks for anything that is not a target of this class.
        """
        for part in [part for part, until in self._until.items() if time > until]:
            del self._until[part]
            if part == "gaze":
                self.gaze.stop_here()
            elif part == "velocity":
                self.velocity = None
            elif part == "height":
                self._height = float(self.base.point.p[2] + 2.0 / 6.0 * self.base.point.v[2])
            else:
                self.hands[part].stop_here()
        stands = self._height == self._p.stand_height and not (self.busy or self._until)
        eased = self._ease.update(alone and stands)
        self._bend(eased if stands else self._height)
        self._keep_pace()
        self.posture.step(CONTROL_DT)
        self.base.step(CONTROL_DT)
        for side in self.busy:
            self.hands[side].step(CONTROL_DT)
        self.pressing.step()
        if self.gazing:
            self.gaze.step(CONTROL_DT)

    @property
    def in_force(self) -> set[str]:
        """Of :data:`PARTS`, those whose command has not expired."""
        return set(self._until)

    def _bend(self, height: float) -> None:
        """As deep as the lowest hand target needs, but not under way; a height that was asked for stays."""
        low = min((float(self.hands[side].point.target[2]) for side in self.busy), default=np.inf)
        self._stance = stance = None if self._walking else self._bending.least(low)
        asked = "height" in self._until or stance is None
        self.base.point.target[2] = height if asked or stance is None else stance.height
        bow = 0.0 if stance is None else stance.bow
        self.posture.target[BOWS] = self._nominal[BOWS] + bow
        self.posture.target[ELBOWS] = self._nominal[ELBOWS] - LIFTS * bow

    def _keep_pace(self) -> None:
        """No hand is low before the body has bent for it: one that is ahead drags the pelvis forward."""
        base = self.base.point
        bending = float(base.p[2] - base.target[2]) / self._p.height_speed  # s
        for side in self.busy:
            point, speed = self.hands[side].point, self._speed[side]
            if self._stance is not None and bending > SOON:
                speed = min(speed, float(np.linalg.norm(point.target - point.p)) / bending)
            point.speed = speed

    def height(self, z: float) -> tuple[float, float, float]:
        """Where base_link shall be now, ``z`` m above the soles as it is: place, speed, acceleration."""
        base = self.base.point
        height = self._lasting.height(z, float(base.p[2]), self._learns)
        return height, float(base.v[2]), float(base.a[2])

    def upright(self, R: np.ndarray) -> np.ndarray:
        """How base_link shall be turned (3, 3) now, as it is turned by ``R`` (3, 3)."""
        return self._lasting.upright(R, self.base.R, self._learns)

    @property
    def _learns(self) -> float:
        return 0.0 if self._stance is None else float(self._p.bend_integral)

    def hand(self, side: str) -> HandReference:
        """Where a gripper shall be now."""
        r = self.hands[side]
        v, w = r.point.v, r.R @ r.w
        if self._carried is not None:
            place, v_body, w_body = self._carried
            v, w = v + v_body + cross(w_body, r.point.p - place), w + w_body
        return HandReference(r.point.p, v, r.point.a, r.R, w, r.R @ r.alpha)
