"""The commands that wait for their time: checked when they come, converted to odom once, sorted by start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neo_body_control.safety import SafetyMachine
from neo_body_control.validation import CommandLimits, check_limits, check_shape
from neo_description.signals import Safety, WholeBodyCommand


class CommandQueue:
    """``refusals`` counts, ``last_refusal`` is the last one's text, ``last`` the last command accepted."""

    def __init__(self, limits: CommandLimits):
        self._limits = limits
        self._waiting: list[WholeBodyCommand] = []
        self.last = WholeBodyCommand(valid_for=0.0)
        self.refusals = 0
        self.last_refusal = ""

    def offer(
        self,
        command: WholeBodyCommand,
        time: float,
        safety: SafetyMachine,
        T_odom_base: np.ndarray,
        shoulders: dict[str, np.ndarray],
    ) -> str | None:
        """``None``: accepted, else why ``command`` was refused at plant ``time``; then nothing has changed.

        ``shoulders`` (3,) m in odom, by side.
        """
        T = T_odom_base if command.frame == "base_link" else np.eye(4)
        reason = check_shape(command) or _stopped(safety)
        reason = reason or check_limits(command, time, self._limits, T, shoulders)
        if reason is not None:
            self.refusals += 1
            self.last_refusal = reason
            return reason
        self.last = replace(
            command,
            frame="odom",
            T_l_hand=None if command.T_l_hand is None else T @ command.T_l_hand,
            T_r_hand=None if command.T_r_hand is None else T @ command.T_r_hand,
            l_hand_press=_turned(T[:3, :3], command.l_hand_press),
            r_hand_press=_turned(T[:3, :3], command.r_hand_press),
            gaze=None if command.gaze is None else T[:3, :3] @ command.gaze + T[:3, 3],
        )
        self._waiting.append(self.last)
        self._waiting.sort(key=lambda c: c.start)
        return None

    def due(self, time: float) -> list[WholeBodyCommand]:
        """Commands whose start has come at plant ``time``, in order; they leave the queue."""
        n = sum(c.start <= time + 1e-9 for c in self._waiting)
        due, self._waiting = self._waiting[:n], self._waiting[n:]
        return due

    def drop(self, side: str) -> None:
        """Forget what waits for one hand."""
        self._waiting = [c for c in self._waiting if (c.T_l_hand if side == "l" else c.T_r_hand) is None]

    def clear(self) -> None:
        """Forget everything that waits."""
        self._waiting.clear()

    def __len__(self) -> int:
        return len(self._waiting)


def _turned(R: np.ndarray, press: np.ndarray | None) -> np.ndarray | None:
    return None if press is None else R @ press


def _stopped(safety: SafetyMachine) -> str | None:
    if safety.state == Safety.STOP:
        return f"robot is stopped ({safety.reason}): set_mode stand"
    if safety.state == Safety.FALLING:
        return f"robot is falling ({safety.reason}): set_mode stop, then stand"
    return None
