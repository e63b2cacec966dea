"""What a hand carries, felt at its wrist.

The wrist's sensor feels what the hand does to the forearm, ``F = m_hand (g - a) + load``. What is left
when the hand's own share is taken off, along gravity and low-passed, is the carried mass; it is fed
forward as a weight at the gripper. Only weight counts: a hand that presses on a table carries nothing,
and feeding that back would make it press harder.
"""

from __future__ import annotations

import math

import numpy as np

from neo_description.tables import CONTROL_DT

GRAVITY = 9.81


class CarriedLoad:
    """One hand's carried mass. ``hand_mass`` kg; ``cutoff`` Hz; between ``least`` and twice that the
    compensation fades in; never more than ``most`` kg."""

    def __init__(self, hand_mass: float, cutoff: float, least: float, most: float):
        self._hand_mass, self._least, self._most = hand_mass, least, most
        self._follow = 1.0 - math.exp(-2.0 * math.pi * cutoff * CONTROL_DT)
        self._felt = 0.0

    def reset(self) -> None:
        """The hand is empty."""
        self._felt = 0.0

    def update(self, R_odom_wrist: np.ndarray, wrench: np.ndarray, acceleration: float) -> float:
        """Carried mass (kg) after one tick of the measured ``wrench`` (6,) in the wrist's frame;
        ``acceleration`` m/s², upwards, that the hand is asked for."""
        down = -float(R_odom_wrist[2] @ wrench[:3])
        felt = down / (GRAVITY + acceleration) - self._hand_mass
        self._felt += self._follow * (min(max(felt, -self._most), self._most) - self._felt)
        return self.mass

    @property
    def mass(self) -> float:
        """kg, 0 when nothing is felt."""
        if self._least <= 0.0:
            return max(self._felt, 0.0)
        fade = min(max((self._felt - self._least) / self._least, 0.0), 1.0)
        return fade * max(self._felt, 0.0)
