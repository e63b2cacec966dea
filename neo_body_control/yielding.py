"""A hand that meets something gives way before it pushes the robot over.

The wrist's sensor feels what the hand does to the forearm; less the weight and the inertia of the hand and
of what it carries, the rest is somebody else's push. What of it is upwards or level and greater than ``most``
moves the reference with it (admittance, Hogan 1985), and is taken back once the hand is free. What pulls
downwards counts as weight, which a hand shall bear. A hand that presses on purpose expects to be pushed back
as hard.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from neo_body_control.dynamics import Dynamics
from neo_body_control.tasks import HandReference
from neo_description.tables import CONTROL_DT

CUTOFF = 10.0  # Hz
BACK = 0.5  # s: with which a free hand goes back to its reference
FREE = 0.5  # share of `most`: below it a hand counts as free


class Yielding:
    """Of one gripper. ``most`` N; ``damping`` N s/m of what is beyond that.

    ``force`` (3,) N in odom: felt, without weights and inertia. ``away`` (3,) m: how far it has given way.
    ``on_purpose``: it presses as it was asked to.
    """

    def __init__(self, model: mujoco.MjModel, side: str, most: float, damping: float):
        self._wrist = model.body(f"{side}_wrist").id
        self._hand_mass = float(model.body_mass[self._wrist])
        self._most, self._damping = most, damping
        self._follow = 1.0 - math.exp(-2.0 * math.pi * CUTOFF * CONTROL_DT)
        self.reset()

    def reset(self) -> None:
        """Nothing is in the way."""
        self.force, self.away = np.zeros((2, 3))
        self.on_purpose = False

    @property
    def presses(self) -> bool:
        """Whether something is in the way, or the hand presses on purpose."""
        return self.on_purpose or math.sqrt(float(self.force @ self.force)) > FREE * self._most

    def give_way(
        self,
        dynamics: Dynamics,
        wrench: np.ndarray,
        carried: float,
        ref: HandReference,
        pressed: np.ndarray,
    ) -> None:
        """One tick: the wrist's ``wrench`` (6,), ``carried`` kg, ``pressed`` (3,) N in odom on purpose; moves
        ``ref`` on."""
        self.on_purpose = bool(pressed.any())
        felt = dynamics.data.xmat[self._wrist].reshape(3, 3) @ wrench[:3]
        felt += (self._hand_mass + carried) * ref.a
        if self.on_purpose:
            size = math.sqrt(float(pressed @ pressed))
            along = min(max(-float(felt @ pressed) / size, 0.0), size)
            felt += pressed * (along / size)
        felt[2] = max(felt[2] + self._hand_mass * dynamics.gravity, 0.0)
        self.force += self._follow * (felt - self.force)
        force = math.sqrt(float(self.force @ self.force))
        if force > self._most:
            self.away += self.force * (CONTROL_DT * (force - self._most) / (self._damping * force))
        else:
            self.away -= self.away * (CONTROL_DT / BACK * (1.0 - force / self._most))
        ref.p = ref.p + self.away
