"""What joints lose to their drives, which lag, and to their tendons' friction: fed forward."""

from __future__ import annotations

import numpy as np

from neo_body_control.tendon_calibration import TendonCalibration


class DriveLosses:
    """By ``calibration``; ``friction_share`` of the friction found is given back.

    ``kd`` (1/s) is what the posture task damps a joint with. Never more than half of that is fed forward, so
    a drive that is better than it is taken for cannot make a light joint oscillate.
    """

    def __init__(self, calibration: TendonCalibration, friction_share: float, kd: float | np.ndarray):
        self._calibration, self._share, self._most = calibration, friction_share, 0.5 * kd
        self.damping = calibration.drive_damping()

    def torque(self, inertia: np.ndarray, v: np.ndarray, tension: np.ndarray) -> np.ndarray:
        """(31,) N m that joints of ``inertia`` (31,) kg m² need to move with ``v`` (31,) rad/s under the
        measured ``tension`` (62,) N."""
        lost: np.ndarray = self.damping * v
        if self._share:
            lost += self._share * self._calibration.friction_torque(tension, v)
        most = self._most * inertia * np.abs(v)
        return np.minimum(np.maximum(lost, -most), most)
