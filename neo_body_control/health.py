"""What of the body has failed, what is left of it, and when that is too little to stand on.

Tendons, drives and encoders: :mod:`neo_description.tendon_health`; IMUs: :mod:`imus`.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from neo_body_control.imus import Imus
from neo_description.masks import any_of
from neo_description.routing import routing_of
from neo_description.signals import BodyState
from neo_description.tables import BODY
from neo_description.tendon_health import TendonHealth
from neo_description.tendon_monitor import Found

CARRY = np.array([any(part in j for part in ("hip", "knee", "ankle", "torso")) for j in BODY.joints])


class BodyHealth(TendonHealth):
    """``too_much``: why the body must stop."""

    def __init__(self, params: SimpleNamespace):
        super().__init__(BODY, params, routing_of(params.tendon_routing))
        self._imus = Imus(params.monitor_imu_ticks)
        self._imu_found: list[Found] = []
        self.too_much: str | None = None

    def reset(self) -> None:
        super().reset()
        self._imus.reset()
        self._imu_found = []
        self.too_much = None

    def update(self, state: BodyState) -> BodyState:  # type: ignore[override]
        """``state`` with angles from tendons and the pelvis' motion from the head where theirs failed."""
        if not self._on:
            return state
        version = self.version
        state = super().update(state)
        self._imus.update(state)
        for place in self._imus.failed[len(self._imu_found) :]:
            self._imu_found.append(Found("IMU dead", place, state.time))
        if self.version != version:
            self.too_much = self._judge()
        if "pelvis" in self._imus.failed and "head" not in self._imus.failed:
            w, a = self._imus.pelvis(state, state.joint_position, state.joint_velocity)
            state = replace(state, pelvis_angular_velocity=w, pelvis_linear_acceleration=a)
        return state

    @property
    def version(self) -> int:
        return self.tendons.version + len(self._imu_found)

    @property
    def well(self) -> bool:
        """Whether nothing was found."""
        return self.tendons.well and not self._imu_found

    @property
    def found(self) -> list[Found]:
        return sorted([*self.tendons.found, *self._imu_found], key=lambda found: found.time)

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
