"""The body's tendons as its controller counts on them: torques to tensions and back, where the joints are.

Everything that is known of them meets here: the table, the routing (arms that may change with posture), a
calibration, and what has failed.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from neo_body_control.drive_losses import DriveLosses
from neo_body_control.tendon_calibration import TendonCalibration
from neo_description.masks import any_of
from neo_description.routing import routing_of
from neo_description.tables import BODY
from neo_description.tendon_monitor import TendonMonitor
from neo_description.tension_distribution import TensionDistribution

SELDOM = 5  # ticks from one look to the next at what follows from arms that change: limits, losses


class TendonForces:
    """By the parameters ``p`` of body control; ``kd`` (1/s): damping of the posture task.

    ``varies``: whether arms change with posture; ``felt`` (62,) N: the measured tensions, as those that would
    do the same at the table's arms; ``losses``: what joints lose to drives and friction.
    """

    def __init__(self, p: SimpleNamespace, kd: float | np.ndarray):
        self._routing = routing_of(p.tendon_routing)
        self.varies = self._routing.varies
        self.calibration = TendonCalibration.given(
            p.tendon_calibration, p.drive_lag, p.friction_speed, p.drive_damping / p.drive_lag
        )
        self.losses = DriveLosses(self.calibration, p.friction_share, kd)
        self._distribution = TensionDistribution(BODY)
        self._broken: np.ndarray | None = None
        self.reset()

    def reset(self) -> None:
        """Nothing was measured yet."""
        self.felt = BODY.pretension

    def update(self, tick: int, q: np.ndarray, tension: np.ndarray) -> None:
        """Joints stand at ``q`` (31,) rad, tendons pull with ``tension`` (62,) N."""
        self.felt = tension
        if self.varies:
            scale = self._routing.scale(q)
            self.felt = scale * tension
            self._distribution.scale = scale * self.calibration.arm
            if tick % SELDOM == 0:
                self.losses.damping = self.calibration.drive_damping(scale)

    def count_on(self, tendons: TendonMonitor) -> None:
        """From now on with what ``tendons`` can still do."""
        self._distribution.most = tendons.most
        self._distribution.given = tendons.given if any_of(tendons.failed) else None
        less = tendons.failed | (tendons.most < BODY.tension_max)
        self._broken = None if tendons.well else less[0::2] | less[1::2]

    def limits(self) -> tuple[tuple[np.ndarray, np.ndarray] | None, np.ndarray | None]:
        """For :meth:`WholeBodyQp.limit`: what joints can do in this posture, and which of them are broken."""
        if self._broken is None and not self.varies:
            return None, None
        broken = self._broken if self._broken is not None else np.zeros(len(BODY.joints), bool)
        return self._distribution.torque_range(), broken if self.varies else None

    def tensions(self, torque: np.ndarray, pretension: np.ndarray) -> np.ndarray:
        """Tensions (62,) N for ``torque`` (31,) N m, none below ``pretension`` (62,) N where it can."""
        f = self._distribution(torque, pretension)
        if self.calibration.measured and not self.varies and self._distribution.given is None:
            f = self.calibration.tensions(f, self._distribution.most)
        return f

    @property
    def torque(self) -> np.ndarray:
        """(31,) N m that the measured tensions make, by the calibration's arms."""
        return self.calibration.torques(self.felt)
