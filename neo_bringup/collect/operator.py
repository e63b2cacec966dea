"""A scripted person at the controls: wants what a planner wants, and moves as people do.

They react late, tremble, move at a limited speed, overshoot a little, and let go of the clutch to bring a
hand back to where it is comfortable. They see the robot and feel nothing of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from neo_body_control.rotations import exp, log
from neo_description.signals import HandAction, HandCommand, WholeBodyCommand
from neo_description.tables import SIDES
from neo_task.planner import Observation, Step
from neo_teleop.clutch import Snapshot, about_z, hand_for, heading
from neo_teleop.frames import HandFrame, OperatorFrame
from neo_teleop.teleop import Teleop

DT = 0.02  # s between two frames
REACTION = (0.15, 0.30)  # s
TREMOR, TREMOR_TURN, TREMOR_TIME = 0.0015, 0.006, 0.1  # m, rad (deviation an axis), s of its low pass
FASTEST, FASTEST_TURN = 0.6, 2.0  # m/s, rad/s of a hand
BANDWIDTH, DAMPING = 9.0, 0.75  # rad/s; ratio: below 1 overshoots
COMFORT = 0.30  # m from where a hand rests, beyond which it is brought back
BORED = (5.0, 12.0)  # s after which it is brought back anyway
BACK, BACK_SPEED = 0.05, 0.8  # m: near enough to where it rests; m/s on the way
DELICATE = ("close in", "grasp", "lift", "lower", "let go", "push", "give")  # no time to let go of a hand
SQUEEZE = 8.0  # of a trigger's way a second
PRESSED = {HandAction.OPEN: 0.0, HandAction.PRESHAPE: 0.5, HandAction.CLOSE: 1.0, HandAction.GIVE: 1.0}
HOME_SPEED = 0.3  # m/s of a gripper that is not needed any more


class Operator:
    """Both hands and the eyes, somewhere, facing somewhere. ``teleop``: whose clutches they see."""

    def __init__(self, teleop: Teleop, rng: np.random.Generator):
        self._rng = rng
        self._heading = float(rng.uniform(-np.pi, np.pi))
        place = rng.uniform((-2.0, -2.0, 0.9), (2.0, 2.0, 1.2))
        self._arms = {side: _Arm(side, teleop, place, self._heading, rng) for side in SIDES}
        self._heard: deque[tuple[float, Step]] = deque()  # what comes to mind, and when
        self._look_at: np.ndarray | None = None  # in odom

    def frames(self, seen: Observation, wanted: Step) -> list[OperatorFrame]:
        """What the device says, when the person sees ``seen`` and a planner there would do ``wanted``."""
        if wanted.body or wanted.hands:
            due = seen.time + self._rng.uniform(*REACTION)
            self._heard.append((max(due, self._heard[-1][0] if self._heard else 0.0), wanted))
        while self._heard and self._heard[0][0] <= seen.time:
            self._understand(self._heard.popleft()[1])
        R_user_odom = about_z(self._heading - heading(seen.estimate.T_odom_base))
        calm = wanted.phase not in DELICATE
        hands = {side: arm.move(seen, R_user_odom, calm) for side, arm in self._arms.items()}
        look = None
        if self._look_at is not None:
            look = R_user_odom @ (self._look_at - seen.estimate.T_odom_head_camera[:3, 3])
        return [OperatorFrame(seen.time, hands, self._heading, look)]

    def _understand(self, wanted: Step) -> None:
        for command in wanted.body:
            self._look_at = self._look_at if command.gaze is None else command.gaze
            for side, arm in self._arms.items():
                arm.wants(command, getattr(command, f"T_{side}_hand"))
        for side, hand_command in wanted.hands:
            self._arms[side].grips(hand_command)


class _Arm:
    """One arm of the person: a pose that follows what it is for, and a thumb on the clutch."""

    def __init__(
        self, side: str, teleop: Teleop, place: np.ndarray, heading: float, rng: np.random.Generator
    ):
        self._side, self._teleop, self._rng = side, teleop, rng
        out = 0.2 if side == "l" else -0.2
        self._rest = place + about_z(heading) @ np.array([0.3, out, 0.0])
        self._R_rest = exp(rng.uniform(-0.5, 0.5, 3))  # how a device's axes lie in a hand
        self._p, self._R, self._v, self._w = self._rest.copy(), self._R_rest.copy(), np.zeros(3), np.zeros(3)
        self._tremor = np.zeros(6)
        self._snapshot: Snapshot | None = None
        self._home: np.ndarray | None = None  # the gripper's first pose, in odom
        self._goal: np.ndarray | None = None  # of the gripper, in odom
        self._speed = FASTEST
        self._hand = HandFrame(np.eye(4))
        self._squeezed = 0.0
        self._press_at = float(rng.uniform(*REACTION))  # s from the beginning; then plant time
        self._began: float | None = None
        self._bored_at = np.inf

    def wants(self, command: WholeBodyCommand, T_odom_gripper: np.ndarray | None) -> None:
        if T_odom_gripper is not None:
            self._goal, self._speed = T_odom_gripper, min(command.hand_speed or FASTEST, FASTEST)
        elif self._side in command.release:
            self._goal, self._speed = self._home, HOME_SPEED

    def grips(self, command: HandCommand) -> None:
        self._squeezed = PRESSED[command.action]
        self._hand = replace(self._hand, give=command.action == HandAction.GIVE)
        if command.grasp:
            self._hand = replace(self._hand, grasp=command.grasp, width=command.width)

    def move(self, seen: Observation, R_user_odom: np.ndarray, calm: bool) -> HandFrame:
        """The next frame, ``DT`` later; ``calm``: the hand may be brought back now."""
        if self._began is None:
            self._began = seen.time
            self._press_at += seen.time
        clutch = self._teleop.clutches[self._side]
        if self._hand.clutch and not clutch.engaged:  # it let go by itself
            self._lift(seen.time)
        elif self._hand.clutch and calm and self._goal is not None:
            away = float(np.linalg.norm(self._p - self._rest))
            if away > COMFORT or (seen.time > self._bored_at and away > BACK):
                self._lift(seen.time)
        self._follow()
        T = self._trembling()
        back = np.linalg.norm(self._p - self._rest) < BACK
        if not self._hand.clutch and seen.time >= self._press_at and back:
            T_odom_gripper = seen.estimate.gripper(self._side).copy()
            self._home = T_odom_gripper if self._home is None else self._home
            self._snapshot = Snapshot(T, T_odom_gripper, R_user_odom.T)
            self._hand = replace(self._hand, clutch=True)
            self._bored_at = seen.time + self._rng.uniform(*BORED)
        step = np.clip(self._squeezed - self._hand.trigger, -SQUEEZE * DT, SQUEEZE * DT)
        self._hand = replace(self._hand, T_user_hand=T, trigger=float(self._hand.trigger + step))
        return self._hand

    def _lift(self, time: float) -> None:
        self._hand, self._snapshot = replace(self._hand, clutch=False), None
        self._press_at = time + self._rng.uniform(*REACTION)

    def _follow(self) -> None:
        """Second order, speeds bounded, damped a little too weakly: so it overshoots."""
        goal_p, goal_R, speed = self._rest, self._R_rest, BACK_SPEED
        if self._snapshot is not None:
            goal_p, goal_R = self._snapshot.T_user_hand[:3, 3], self._snapshot.T_user_hand[:3, :3]
            scale = self._teleop.params.scale
            if self._goal is not None:
                T = hand_for(self._snapshot, self._goal, scale)
                goal_p, goal_R, speed = T[:3, 3], T[:3, :3], self._speed / scale
        self._v += DT * _pull(goal_p - self._p, self._v, speed)
        self._p = self._p + DT * self._v
        turn = self._R @ log(self._R.T @ goal_R)  # in user
        self._w += DT * _pull(turn, self._w, FASTEST_TURN)
        self._R = exp(DT * self._w) @ self._R

    def _trembling(self) -> np.ndarray:
        size = np.repeat((TREMOR, TREMOR_TURN), 3)
        noise = self._rng.standard_normal(6) * np.sqrt(2.0 * DT / TREMOR_TIME)
        self._tremor += -DT / TREMOR_TIME * self._tremor + size * noise
        T = np.eye(4)
        T[:3, 3] = self._p + self._tremor[:3]
        T[:3, :3] = exp(self._tremor[3:]) @ self._R
        return T


def _pull(error: np.ndarray, velocity: np.ndarray, fastest: float) -> np.ndarray:
    """``w² error - 2 d w velocity``, towards ``fastest`` at most."""
    want = BANDWIDTH / (2.0 * DAMPING) * error
    length = float(np.linalg.norm(want))
    if length > fastest:
        want = want * (fastest / length)
    return 2.0 * DAMPING * BANDWIDTH * (want - velocity)
