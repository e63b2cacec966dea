"""An action as commands to body and hands: the inverse of what a ``Stepper`` notes.

commander = Commander()
body, hands = commander.give(action, T_odom_base)
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from neo_description.signals import HandAction, HandCommand, WholeBodyCommand
from neo_description.tables import SIDES
from neo_world_model.modalities import pose_of, table, unstack

VALID_FOR = 0.35  # s, less than two plans: without another action the body holds
SPEED = (0.05, 0.4)  # m/s
WIDTH = (0.01, 0.11)  # m
GRASPS = table()["grasps"]
ACTIONS = (HandAction.OPEN, HandAction.PRESHAPE, HandAction.CLOSE, HandAction.GIVE)
APART = 0.5  # of `closing` between two actions
SURE = 6  # steps in a row that a hand which closed must be told to open: a moment's doubt drops what it holds
FARTHEST = 0.72  # m from base_link along the floor: a gripper that is sent farther is sent so far


class Commander:
    """Hands are told what changes; grippers are told every step, and stay while their hand closes."""

    def __init__(self) -> None:
        self._told = {side: (HandAction.OPEN, "") for side in SIDES}
        self._moving = dict.fromkeys(SIDES, False)
        self._opening = dict.fromkeys(SIDES, 0)
        self._empty = dict.fromkeys(SIDES, False)
        self._sent: dict[str, np.ndarray] = {}  # where a gripper was last sent, in odom

    def give(
        self, action: np.ndarray, T_odom_base: np.ndarray, closing: Collection[str] = (),
        keeps: Collection[str] = (),
    ) -> tuple[WholeBodyCommand, list[tuple[str, HandCommand]]]:  # fmt: skip
        """``action`` (n,) as ``action`` in modalities.yaml; ``T_odom_base`` (4, 4) as estimated now.

        ``closing``: sides whose hand is on its way round something; ``keeps``: those that shall not open.
        """
        parts = unstack("action", action)
        gaze = T_odom_base[:3, :3] @ parts["gaze"] + T_odom_base[:3, 3]
        speed = float(np.clip(parts["speed"][0], *SPEED))
        body = WholeBodyCommand(valid_for=VALID_FOR, gaze=gaze, hand_speed=speed)
        hands = []
        for side in SIDES:
            if parts[f"{side}_moves"][0] > 0.5:
                if side not in closing or side not in self._sent:
                    self._sent[side] = T_odom_base @ within_reach(parts[f"{side}_gripper"])
                setattr(body, f"T_{side}_hand", self._sent[side])
                self._moving[side] = True
            elif self._moving[side]:
                body.release, self._moving[side] = (*body.release, side), False
            told = self._hand(side, parts, side in keeps)
            if told is not None:
                hands.append((side, told))
        return body, hands

    def lost(self, side: str) -> HandCommand | None:
        """Open a hand that lost what it held, once; until a plan begins anew it is not closed again."""
        if self._told[side][0] == HandAction.OPEN:
            return None
        self._empty[side], self._told[side] = True, (HandAction.OPEN, "")
        return HandCommand(HandAction.OPEN)

    def _hand(self, side: str, parts: dict[str, np.ndarray], keeps: bool) -> HandCommand | None:
        before, held = self._told[side]
        step = int(np.clip(round(float(parts[f"{side}_closing"][0]) / APART), 0, len(ACTIONS) - 1))
        wanted, likely = ACTIONS[step], parts[f"{side}_grasp"]
        if self._empty[side] and wanted in (HandAction.CLOSE, HandAction.GIVE):
            return None
        self._empty[side] = False
        closed = before in (HandAction.CLOSE, HandAction.GIVE)
        if closed and wanted in (HandAction.OPEN, HandAction.PRESHAPE):
            self._opening[side] += 1
            if keeps or self._opening[side] < SURE:
                return None
            wanted = HandAction.OPEN
        else:
            self._opening[side] = 0
        if wanted == HandAction.GIVE and not closed:
            wanted = HandAction.CLOSE
        if wanted == HandAction.OPEN:
            grasp = ""
        else:
            grasp = held if closed else GRASPS[int(np.argmax(likely))]
        if (wanted, grasp) == (before, held):
            return None
        self._told[side] = wanted, grasp
        return HandCommand(wanted, grasp=grasp, width=float(np.clip(parts[f"{side}_width"][0], *WIDTH)))


def within_reach(pose: np.ndarray) -> np.ndarray:
    """(4, 4) in base_link of nine numbers as of ``pose9``, at most :data:`FARTHEST` away."""
    T = pose_of(pose)
    T[:2, 3] *= min(1.0, FARTHEST / max(float(np.hypot(*T[:2, 3])), 1e-9))
    return T
