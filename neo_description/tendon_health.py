"""What of a group has failed, with the state made up for it: the monitor of its tendons, latched.

    state = health.update(state)       with angles from tendons where encoders failed; else the same one
    health.sent(answer)

Verdicts stay until the runstop is released (``neo reset``) or the plant starts anew.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TypeVar

from neo_description.routing import Routing
from neo_description.signals import BodyState, DriveMode, HandState, TendonCommand
from neo_description.tables import JointGroup
from neo_description.tendon_monitor import Found, Patience, TendonMonitor
from neo_description.tendon_residuals import ResidualSettings

_State = TypeVar("_State", BodyState, HandState)


class TendonHealth:
    """Of ``group``, by a controller's parameters. ``tendons`` is the monitor; ``routing``: of the body's."""

    def __init__(self, group: JointGroup, params: SimpleNamespace, routing: Routing | None = None):
        self._on = params.monitor
        self.tendons = TendonMonitor(group, ResidualSettings.of(params), Patience.of(params), routing)
        self._runstop = False
        self._report, self._reported = "", -1

    def reset(self) -> None:
        """All is well."""
        self.tendons.reset()

    def update(self, state: _State) -> _State:
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
        return state if q is state.joint_position else replace(state, joint_position=q, joint_velocity=qd)

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
        if self._reported != self.version:
            last = {found.part: found for found in self.found}
            self._report, self._reported = ", ".join(map(str, last.values())), self.version
        return self._report
