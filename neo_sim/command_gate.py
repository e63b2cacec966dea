"""What a drive group accepts: a command is refused before anything acts on it, counted, and told why.

A command is refused when its mode is unknown, its tick lies in the future, is older than the last one
accepted, has been answered already, or is more than ``MAX_AGE`` ticks old, and, in mode TENSION, when
a tension is missing, not finite, above its tendon's limit or below its pretension (slack tendons jump
off their pulleys), give or take ``TOLERANCE``.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from neo_description.masks import all_of
from neo_description.signals import DriveMode, TendonCommand
from neo_description.tables import JointGroup

MAX_AGE = 3  # ticks
TOLERANCE = 1e-3
_MODES = frozenset(int(mode) for mode in DriveMode)


class CommandGate:
    """Checks commands for one group. ``refused`` counts by kind, ``last_reason`` is the last one's text."""

    def __init__(self, table: JointGroup):
        self._table = table
        self._n = len(table.tendons)
        self._low = table.pretension - TOLERANCE
        self._high = table.tension_max + TOLERANCE
        self.reset()

    def reset(self) -> None:
        """Forget what was accepted and counted."""
        self.last_tick = -1
        self.refused: Counter[str] = Counter()
        self.last_reason = ""

    def check(self, command: TendonCommand, tick: int) -> str | None:
        """``None`` when ``command`` is accepted at control tick ``tick``, else the reason, counted."""
        kind, reason = self._judge(command, tick)
        if kind is None:
            self.last_tick = command.tick
            return None
        return self.refuse(kind, reason)

    def fault(self, command: TendonCommand, tick: int) -> str | None:
        """As :meth:`check`, for a command that is not accepted whatever it says."""
        kind, reason = self._judge(command, tick)
        return None if kind is None else self.refuse(kind, reason)

    def refuse(self, kind: str, reason: str) -> str:
        """Count a refusal; returns ``reason``."""
        self.refused[kind] += 1
        self.last_reason = reason
        return reason

    def _judge(self, command: TendonCommand, tick: int) -> tuple[str | None, str]:
        if int(command.mode) not in _MODES:
            allowed = ", ".join(f"{mode.value} ({mode.name})" for mode in DriveMode)
            return "unknown_mode", f"unknown mode {command.mode}; one of {allowed}"
        if command.tick > tick:
            return "future_tick", f"answers tick {command.tick}, which lies ahead of the plant's tick {tick}"
        if command.tick == self.last_tick:
            return "duplicate", f"tick {command.tick} was answered already"
        if command.tick < self.last_tick:
            return "stale_tick", f"stale: answers tick {command.tick}, after tick {self.last_tick}"
        if tick - command.tick > MAX_AGE:
            return "stale_tick", (
                f"stale: answers tick {command.tick}, {tick - command.tick} ticks old; at most {MAX_AGE}"
            )
        if command.mode == DriveMode.TENSION:
            return self._judge_tension(command.tension)
        return None, ""

    def _judge_tension(self, tension: np.ndarray) -> tuple[str | None, str]:
        if np.shape(tension) != (self._n,):
            return "wrong_length", f"{np.size(tension)} tensions given; {self._n} needed"
        if all_of((tension >= self._low) & (tension <= self._high)):  # false for NaN too
            return None, ""
        finite = np.isfinite(tension)
        if not finite.all():
            i = int(np.argmin(finite))
            return "not_finite", f"tension of {self._table.tendons[i]} is {tension[i]}; finite newtons needed"
        i = int(np.argmax((tension < self._low) | (tension > self._high)))
        low, high = self._table.pretension[i], self._table.tension_max[i]
        return "out_of_range", (
            f"tension of {self._table.tendons[i]} is {tension[i]:.4g} N; "
            f"from {low:.4g} (pretension) to {high:.4g} N allowed"
        )
