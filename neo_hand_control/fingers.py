"""The motion of the fingers: towards a posture, closing until touch, pressing, letting go.

Each joint is moved by a reference ``q_ref`` (rad) that runs ahead of it by no more than ``lead``, so a joint
that meets something pushes with ``stiffness * lead`` and no more. When the hand squeezes, joints that
stand still change over from position to force: their share ``push`` rises to 1 and the torque is

    tau_close = sum over pads p of  F w_p J_pᵀ n_p

so that each pad presses with its share ``w_p`` of the total force ``F`` along its normal ``n_p``, whatever
the posture. A joint that presses also keeps a spring to where it has been of late (``q_anchor`` follows it
with ``finger_anchor_time``): shaking meets stiff fingers, while slow motion is free to find the balance of
forces. A joint that starts to run (nothing there yet, or no longer) goes back to position control.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from neo_description.tables import HAND
from neo_hand_control.grasps import MARGIN, Grasp
from neo_hand_control.touch import FINGERS

FINGER_OF_JOINT = np.array([FINGERS.index(name.split("_")[0]) for name in HAND.joints])
LOW, HIGH = HAND.q_min + MARGIN, HAND.q_max - MARGIN


class Fingers:
    """References of the 22 joints. ``params``: the room's parameters beginning with ``finger_``."""

    def __init__(self, params: SimpleNamespace):
        self._p = params
        self.reset(np.zeros(len(HAND.joints)))

    def reset(self, q: np.ndarray) -> None:
        """Stand at ``q`` (22,) rad, pressing nothing."""
        self.q_ref = np.clip(q, HAND.q_min, HAND.q_max)
        self.push = np.zeros(len(q))
        self.q_anchor = self.q_ref.copy()
        self.met = np.zeros(len(FINGERS), bool)
        self.done = np.zeros(len(FINGERS), bool)
        self._stalled = np.zeros(len(FINGERS))

    def move(self, target: np.ndarray, speed: float, dt: float) -> None:
        """Step the reference towards ``target`` (22,) rad at ``speed`` rad/s; all joints arrive together."""
        self.push *= max(1.0 - dt / self._p.finger_push_time, 0.0)
        way = target - self.q_ref
        longest = float(np.abs(way).max())
        if longest > 0.0:
            self.q_ref = self.q_ref + way * min(speed * dt / longest, 1.0)

    def follow(self, q: np.ndarray) -> None:
        """Let the references of pressing joints stand where the joints are (22,) rad."""
        self.q_ref = np.where(self.push > 0.0, q, self.q_ref)

    def spring(self, q: np.ndarray, stiffness: np.ndarray, squeeze: np.ndarray, dt: float) -> np.ndarray:
        """Torque (22,) N m that holds pressing joints where they have been; ``stiffness`` (22,) N m/rad.

        What of it would add to the ``squeeze`` (22,) N m, or take from it, is left out.
        """
        away = self.q_anchor - q
        follow = min(dt / self._p.finger_anchor_time, 1.0)
        self.q_anchor = np.where(self.push > 0.0, self.q_anchor - away * follow, q)
        torque = self.push * self._p.finger_anchor_stiffness * stiffness * away
        size = float(squeeze @ squeeze)
        return torque - squeeze * float(torque @ squeeze) / size if size > 0.0 else torque

    def start_closing(self) -> None:
        """Forget what was met."""
        self.met[:] = False
        self.done[:] = False
        self._stalled[:] = 0.0

    def close(self, grasp: Grasp, q: np.ndarray, felt: np.ndarray, dt: float) -> None:
        """Step every finger that has met nothing; ``felt`` (5,) bool: its pads feel something.

        A finger also counts as having met something when it stays behind its reference for
        ``finger_stall_time``: pads may be dead.
        """
        p = self._p
        behind = self.q_ref - q > 0.8 * p.finger_lead
        moving = grasp.closing > 0.0
        self.q_anchor = q.copy()  # the spring begins where the object was met
        for k in range(len(FINGERS)):
            own = (k == FINGER_OF_JOINT) & moving
            if not own.any():
                self.done[k] = True
                continue
            stuck = bool((behind & own).any())
            self._stalled[k] = self._stalled[k] + dt if stuck else 0.0
            if felt[k] or self._stalled[k] > p.finger_stall_time:
                self.met[k] = True
            if not self.met[k]:
                self._advance(own, grasp, q, p.finger_closing_speed, dt)
            self.done[k] = self.met[k] or bool((self.q_ref[own] >= HIGH[own] - 1e-9).all())

    def squeeze(self, grasp: Grasp, q: np.ndarray, qd: np.ndarray, dt: float) -> None:
        """Step all closing joints on: those at rest turn to force, those that run stay under position."""
        p = self._p
        moving = grasp.closing > 0.0
        rest = moving & (np.abs(qd) < p.finger_rest_speed)
        run = moving & (qd > p.finger_run_speed)
        self.push[rest] = np.minimum(self.push[rest] + dt / p.finger_push_time, 1.0)
        self.push[run] = np.maximum(self.push[run] - dt / (0.5 * p.finger_push_time), 0.0)
        self._advance(moving, grasp, q, p.finger_closing_speed, dt)

    def _advance(self, joints: np.ndarray, grasp: Grasp, q: np.ndarray, speed: float, dt: float) -> None:
        ahead = self.q_ref + grasp.closing * speed * dt
        ahead = np.minimum(np.minimum(ahead, q + self._p.finger_lead), HIGH)
        self.q_ref = np.where(joints, np.maximum(ahead, LOW), self.q_ref)
