"""How hard two palms press a thing between them: enough for what friction has to carry, no more.

Each wrist's sensor tells what its palm feels, less what it felt while it was free:

    normal   N_s = −felt · inwards          load  L_s = −felt_z, low-passed                               (N)
    wanted   F = clip(base + margin max(L) / μ, least, most)      rising fast, falling slowly             (N)
    asked    F + k ∫ (F − mean N) dt

``μ`` is what a palm may count on with anything a home has, not what it finds: a box that is lifted shows its
weight before it shows its friction. Only weight counts as load: two hands push a box to and fro between them
as hard as they press, and pressing harder for that would never end. The integral takes back what wrong moment
arms make of a force; it acts on both sides alike, since the two normal forces hold each other's balance.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neo_description.hand import gripper
from neo_description.tables import SIDES

FRICTION, MARGIN = 0.4, 1.45
BASE, LEAST = 15.0, 20.0  # N; base: for what arms that move do to each other
MOST = 52.0  # N: takes four fifths of what a wrist bears that presses below the knuckles
FOLLOW = 0.03  # s: time constant of what is felt
LOAD_TIME = 0.1  # s: of the load
RISE, FALL, FADE = 60.0, 1.5, 40.0  # N/s
INTEGRAL, TRIM = 1.5, 0.3  # 1/s; greatest share of the wanted force


class Palm:
    """What one palm feels. ``force`` (3,) N of the thing on the hand, in odom; zero while nothing touches."""

    def __init__(self, side: str):
        self._R_gripper_wrist = gripper(side)[1].T
        self._free = np.zeros(3)
        self._readings: list[np.ndarray] = []
        self.force = np.zeros(3)

    def _felt(self, R_odom_gripper: np.ndarray, wrench: np.ndarray) -> np.ndarray:
        felt: np.ndarray = R_odom_gripper @ self._R_gripper_wrist @ wrench[:3]
        return felt

    def tare(self, R_odom_gripper: np.ndarray, wrench: np.ndarray) -> None:
        """One more reading (6,) of a hand that is known to be free."""
        self._readings.append(self._felt(R_odom_gripper, wrench))
        self._free = np.mean(self._readings, axis=0)

    def feel(self, R_odom_gripper: np.ndarray, wrench: np.ndarray, dt: float) -> None:
        """One reading (6,), ``dt`` s after the last."""
        felt = self._felt(R_odom_gripper, wrench) - self._free
        self.force = self.force + min(dt / FOLLOW, 1.0) * (felt - self.force)


class Squeeze:
    """``inwards[side]`` (3,): unit, out of each palm into the thing, in odom.

    ``bears``: the thing hangs on the palms, so their load counts; before, what they meet it with is none.
    ``normal``, ``load`` N by side as felt; ``wanted`` N of each palm; ``asked`` N: what to press with.
    """

    def __init__(self, inwards: Mapping[str, np.ndarray]):
        self.inwards = inwards
        self.normal = dict.fromkeys(SIDES, 0.0)
        self.load = dict.fromkeys(SIDES, 0.0)
        self.wanted = self.asked = 0.0
        self.bears = False
        self._load = self._trim = 0.0

    @property
    def firm(self) -> bool:
        """Whether both palms press about as hard as is wanted."""
        return min(self.normal.values()) > 0.85 * self.wanted > 0.0

    @property
    def weight(self) -> float:
        """N that hang on both hands."""
        return sum(self.load.values())

    def feel(self, palms: Mapping[str, Palm]) -> None:
        """What both palms feel now."""
        for side, palm in palms.items():
            inwards = self.inwards[side]
            self.normal[side] = max(-float(palm.force @ inwards), 0.0)
            self.load[side] = -float(palm.force[2])

    def fade(self, dt: float) -> float:
        """``asked`` (N) on the way to nothing."""
        self.bears = False
        self.asked = max(self.asked - FADE * dt, 0.0)
        return self.asked

    def update(self, dt: float) -> float:
        """``asked`` (N) after ``dt`` s more of pressing with what was felt."""
        self._load += min(dt / LOAD_TIME, 1.0) * (max(self.load.values()) - self._load)
        load = self._load if self.bears else 0.0
        wanted = min(max(BASE + MARGIN / FRICTION * load, LEAST), MOST)
        self.wanted = min(max(wanted, self.wanted - FALL * dt), self.wanted + RISE * dt)
        felt = sum(self.normal.values()) / len(self.normal)
        trim = self._trim + INTEGRAL * dt * (self.wanted - felt)
        self._trim = min(max(trim, -TRIM * self.wanted), TRIM * self.wanted)
        self.asked = self.wanted + self._trim
        return self.asked
