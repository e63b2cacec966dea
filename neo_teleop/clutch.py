"""The clutch of one hand: the operator's hand moves a gripper only while they hold on to it.

Engaged at the hand's pose ``H0`` with the gripper at ``G0``, a hand at ``H`` asks for

    p = p_G0 + scale R (p_H - p_H0)          R_G = R (R_H R_H0ᵀ) Rᵀ R_G0

with ``R`` from user to odom, about the vertical. Pressing the button engages; that it was seen released
before makes pressing deliberate. Any fault lets go, and only another press takes hold again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from neo_description.signals import BodyEstimate, Safety
from neo_teleop.frames import HandFrame, OperatorFrame, problem

EPSILON = 1e-9  # s
STILL = 0.02  # m: a gripper that moves less stands still
SHORTEST = 1e-3  # s that two frames lie apart at least


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was where when the clutch was engaged; ``R_odom_user`` (3, 3), poses (4, 4)."""

    T_user_hand: np.ndarray
    T_odom_gripper: np.ndarray
    R_odom_user: np.ndarray


class Clutch:
    """Of the hand ``side``; ``engaged``, and ``reason``: why it is not."""

    def __init__(self, side: str, params: SimpleNamespace):
        self.side, self._p = side, params
        self.reason = "never engaged"
        self._snapshot: Snapshot | None = None
        self._ready = False  # the button was seen released
        self._heard: float | None = None  # plant time
        self._still = 0.0, np.zeros(3)  # plant time since which the gripper stands there
        self._last: tuple[float, np.ndarray] | None = None  # device's time, T_user_hand

    @property
    def engaged(self) -> bool:
        return self._snapshot is not None

    @property
    def ready(self) -> bool:
        """Whether pressing the button would engage."""
        return self._ready and not self.engaged

    def release(self, reason: str) -> None:
        """Let go now: ``reason``."""
        if self.engaged:
            self._let_go(reason)
        self._ready, self._last = False, None

    def step(self, frame: OperatorFrame | None, estimate: BodyEstimate) -> np.ndarray | None:
        """Where the gripper shall go, (4, 4) in odom, now that ``frame`` came or none did.

        None: nothing is asked. When the clutch lets go it asks once to stay where the gripper is.
        """
        was = self.engaged
        hand = None if frame is None else frame.hands.get(self.side)
        T_odom_gripper = estimate.gripper(self.side)
        if frame is None or hand is None:
            self._silence(estimate.time)
            if was and estimate.safety != Safety.ACTIVE:
                self._let_go("the robot is not active")
        else:
            self._hear(frame, hand, estimate, T_odom_gripper)
            if self._snapshot is not None:
                return target(self._snapshot, hand.T_user_hand, self._p.scale)
        stays = was and not self.engaged and estimate.safety == Safety.ACTIVE
        return T_odom_gripper.copy() if stays else None

    def _hear(
        self, frame: OperatorFrame, hand: HandFrame, estimate: BodyEstimate, T_odom_gripper: np.ndarray
    ) -> None:
        fault = problem(frame, self.side) or self._jump(frame.time, hand.T_user_hand)
        if fault is None and estimate.safety != Safety.ACTIVE:
            fault = "the robot is not active"
        if fault is not None:
            self._let_go(fault)
            return
        self._heard, self._last = estimate.time, (frame.time, hand.T_user_hand)
        if not hand.clutch:
            if self.engaged:
                self._let_go("the operator let go")
                self._last = frame.time, hand.T_user_hand
            self._ready = True
        elif self._snapshot is not None:
            wanted = target(self._snapshot, hand.T_user_hand, self._p.scale)[:3, 3]
            stuck = self._stuck(wanted, T_odom_gripper[:3, 3], estimate.time)
            if stuck is not None:
                self._let_go(stuck)
        elif self._ready:
            R = about_z(heading(estimate.T_odom_base) - frame.heading)
            self._snapshot, self.reason = Snapshot(hand.T_user_hand, T_odom_gripper.copy(), R), ""
            self._still = estimate.time, T_odom_gripper[:3, 3].copy()

    def _silence(self, time: float) -> None:
        silent = 0.0 if self._heard is None else time - self._heard
        if silent >= self._p.link_timeout - EPSILON:
            self._let_go(f"nothing heard of the hand for {self._p.link_timeout:g} s")
            self._heard = None

    def _jump(self, time: float, T_user_hand: np.ndarray) -> str | None:
        if self._last is None:
            return None
        before, T_before = self._last
        dt = min(max(time - before, SHORTEST), self._p.link_timeout)  # a long pause hides no jump
        speed = float(np.linalg.norm(T_user_hand[:3, 3] - T_before[:3, 3])) / dt
        if speed > self._p.jump_speed:
            return f"the hand jumped: {speed:.1f} m/s; at most {self._p.jump_speed:g} m/s allowed"
        turn = angle(T_before[:3, :3].T @ T_user_hand[:3, :3]) / dt
        if turn > self._p.jump_turn_speed:
            return f"the hand spun: {turn:.0f} rad/s; at most {self._p.jump_turn_speed:g} rad/s allowed"
        return None

    def _stuck(self, wanted: np.ndarray, p: np.ndarray, time: float) -> str | None:
        """Why a gripper at ``p`` must not be asked for ``wanted`` any more: a blocked arm tips the robot."""
        away = float(np.linalg.norm(wanted - p))
        if away > self._p.leash:
            return f"the gripper is {away:.2f} m behind; at most {self._p.leash:g} m allowed"
        if away < self._p.stall_distance or np.linalg.norm(p - self._still[1]) > STILL:
            self._still = time, p.copy()
        elif time - self._still[0] > self._p.stall_time:
            return f"the gripper has been stopped {away:.2f} m short of its target"
        return None

    def _let_go(self, reason: str) -> None:
        self._snapshot, self._ready, self._last = None, False, None
        self.reason = reason


def target(snapshot: Snapshot, T_user_hand: np.ndarray, scale: float) -> np.ndarray:
    """The gripper's target (4, 4) in odom for the hand's pose."""
    R, H, H0, G0 = snapshot.R_odom_user, T_user_hand, snapshot.T_user_hand, snapshot.T_odom_gripper
    T = np.eye(4)
    T[:3, 3] = G0[:3, 3] + scale * R @ (H[:3, 3] - H0[:3, 3])
    T[:3, :3] = R @ H[:3, :3] @ H0[:3, :3].T @ R.T @ G0[:3, :3]
    return T


def hand_for(snapshot: Snapshot, T_odom_gripper: np.ndarray, scale: float) -> np.ndarray:
    """The hand's pose (4, 4) in user that asks for a gripper's: the inverse of :func:`target`."""
    R, G, H0, G0 = snapshot.R_odom_user, T_odom_gripper, snapshot.T_user_hand, snapshot.T_odom_gripper
    T = np.eye(4)
    T[:3, 3] = H0[:3, 3] + R.T @ (G[:3, 3] - G0[:3, 3]) / scale
    T[:3, :3] = R.T @ G[:3, :3] @ G0[:3, :3].T @ R @ H0[:3, :3]
    return T


def heading(T_odom_base: np.ndarray) -> float:
    """Of the robot in odom (rad)."""
    return math.atan2(T_odom_base[1, 0], T_odom_base[0, 0])


def about_z(turn: float) -> np.ndarray:
    """Rotation (3, 3) by ``turn`` rad about the vertical."""
    s, c = math.sin(turn), math.cos(turn)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def angle(R: np.ndarray) -> float:
    """By how much (rad) the rotation (3, 3) turns."""
    sine2 = math.hypot(R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1])
    return math.atan2(sine2, float(np.trace(R)) - 1.0)
