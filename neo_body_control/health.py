"""What of the body has failed, what is left of it, and when that is too little to stand on.

    state = health.update(state)       the state with what failed made up for; the same one while all is well
    health.sent(answer)

Tendons, drives and encoders: :class:`neo_description.tendon_monitor.TendonMonitor`; IMUs: :mod:`imus`.
Verdicts are latched until the runstop is released (``neo reset``) or the plant starts anew.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from neo_body_control.imus import Imus
from neo_description.masks import any_of
from neo_description.signals import BodyState, DriveMode, TendonCommand
from neo_description.tables import BODY
from neo_description.tendon_monitor import Found, Patience, TendonMonitor
from neo_description.tendon_residuals import ResidualSettings

CARRY = np.array([any(part in j for part in ("hip", "knee", "ankle", "torso")) for j in BODY.joints])


class BodyHealth:
    """``tendons`` is the monitor; ``version`` grows with changes; ``too_much``: why the body must stop."""

    def __init__(self, params: SimpleNamespace):
        self._on = params.monitor
        self.tendons = TendonMonitor(BODY, ResidualSettings.of(params), Patience.of(params))
        self._imus = Imus(params.monitor_imu_ticks)
        self._imu_found: list[Found] = []
        self._runstop = False
        self._report, self._reported = "", -1
        self.too_much: str | None = None

    def reset(self) -> None:
        """All is well."""
        self.tendons.reset()
        self._imus.reset()
        self._imu_found = []
        self.too_much = None

    def update(self, state: BodyState) -> BodyState:
        """``state`` with angles from tendons and the pelvis' motion from the head where theirs failed."""
        if not self._on:
            return state
        if self._runstop and not state.runstop:
            self.reset()
        self._runstop = state.runstop
        tendons, version = self.tendons, self.version
        q, qd = tendons.update(
            state.tick,
            state.time,
            DriveMode(state.drive_mode),
            state.joint_position,
            state.joint_velocity,
            state.tendon_length,
            state.tendon_velocity,
            state.tendon_tension,
        )
        self._imus.update(state)
        for place in self._imus.failed[len(self._imu_found) :]:
            self._imu_found.append(Found("IMU dead", place, state.time))
        if self.version != version:
            self.too_much = self._judge()
        if "pelvis" in self._imus.failed and "head" not in self._imus.failed:
            w, a = self._imus.pelvis(state, q, qd)
            state = replace(state, pelvis_angular_velocity=w, pelvis_linear_acceleration=a)
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
        return self.tendons.version + len(self._imu_found)

    @property
    def well(self) -> bool:
        """Whether nothing was found."""
        return self.tendons.well and not self._imu_found

    @property
    def found(self) -> list[Found]:
        """What was found, in order of time."""
        return sorted([*self.tendons.found, *self._imu_found], key=lambda found: found.time)

    def report(self) -> str:
        """What was found, in words, the last word about each part; empty while all is well."""
        if self._reported != self.version:
            last = {found.part: found for found in self.found}
            self._report, self._reported = ", ".join(map(str, last.values())), self.version
        return self._report

    def _judge(self) -> str | None:
        tendons = self.tendons
        plus, minus = tendons.failed[0::2], tendons.failed[1::2]
        free = plus & minus & CARRY
        blind = plus & minus & tendons.encoder
        if any_of(blind):
            return f"nothing tells the angle of {BODY.joints[int(np.argmax(blind))]}"
        if any_of(free):
            return f"both tendons of {BODY.joints[int(np.argmax(free))]} have failed"
        if len(self._imu_found) > 1:
            return "both IMUs have failed"
        return None
