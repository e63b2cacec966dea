"""What of a hand has failed: its tendons, drives and encoders.

    state = health.update(state)           the state with what failed made up for
    health.sent(answer)

Tendons: :mod:`neo_description.tendon_monitor`. Latched until the runstop is released.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from neo_description.signals import DriveMode, HandState, TendonCommand
from neo_description.tables import HAND
from neo_description.tendon_monitor import Found, Patience, TendonMonitor
from neo_description.tendon_residuals import ResidualSettings


class HandHealth:
    """``tendons`` is the monitor; ``version`` grows with what it finds."""

    def __init__(self, params: SimpleNamespace):
        self._on = params.monitor
        self.tendons = TendonMonitor(HAND, ResidualSettings.of(params), Patience.of(params))
        self._runstop = False

    def reset(self) -> None:
        """All is well."""
        self.tendons.reset()

    def update(self, state: HandState) -> HandState:
        """``state`` with angles from tendons where encoders failed."""
        if not self._on:
            return state
        if self._runstop and not state.runstop:
            self.reset()
        self._runstop = state.runstop
        q, qd = self.tendons.update(
            state.tick,
            state.time,
            DriveMode(state.drive_mode),
            state.joint_position,
            state.joint_velocity,
            state.tendon_length,
            state.tendon_velocity,
            state.tendon_tension,
        )
        if q is not state.joint_position:
            state = replace(state, joint_position=q, joint_velocity=qd)
        return state

    def sent(self, answer: TendonCommand) -> None:
        """What the drives are told at this tick."""
        if self._on:
            self.tendons.sent(answer)

    @property
    def version(self) -> int:
        """Counts what was found or changed."""
        return self.tendons.version

    @property
    def found(self) -> list[Found]:
        """What was found, in order of time."""
        return self.tendons.found

    def report(self) -> str:
        """What was found, in words, the last word about each part; empty while all is well."""
        return ", ".join(map(str, {found.part: found for found in self.found}.values()))
