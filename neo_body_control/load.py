"""What a hand carries, felt at its wrist.

The wrist's sensor feels what the hand does to the forearm: its own weight at its own centre, and the
load's. What is left when the hand's share is taken off, low-passed, is the load's weight and the moment
it has about the wrist; both are fed forward. Only weight counts: a hand that presses on a table carries
nothing, and feeding that back would make it press harder. The body does not step back from what it carries
either, as far as the soles allow (:func:`support_of`): hands that stay while the rest of a body goes back
reach farther, and the waist has to hold them up. A hand that presses on purpose
(:mod:`neo_body_control.pressing`) bears what it is asked to press with, at the moment that it feels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import SimpleNamespace

import mujoco
import numpy as np

from neo_body_control.dynamics import NV, Dynamics
from neo_body_control.rotations import cross
from neo_body_control.targets import Targets
from neo_description.signals import BodyState
from neo_description.tables import CONTROL_DT, SIDES

GRAVITY = 9.81
# share of the moment felt while pressing: all of it would feed itself where the hand cannot turn
PRESSED = 0.93


class CarriedLoad:
    """One hand's load; its own mass and centre are those of ``model``. ``cutoff`` Hz, and ``busy_cutoff``
    while the hand follows a target: an arm without one swings when the body is pushed, and what that does
    to its wrist is no load. Between ``least`` and twice that the compensation fades in; never more than
    ``most`` kg.

    ``mass`` kg, ``moment`` (3,) N m about the wrist in odom's axes: what to feed forward.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        side: str,
        cutoff: float,
        busy_cutoff: float,
        least: float,
        most: float,
    ):
        self._side = side
        self._wrist = model.body(f"{side}_wrist").id
        self._hand_mass = float(model.body_mass[self._wrist])
        self._centre = model.body_ipos[self._wrist].copy()
        self._least, self._most = least, most
        self._follow = {
            busy: 1.0 - math.exp(-2.0 * math.pi * hz * CONTROL_DT)
            for busy, hz in ((False, cutoff), (True, busy_cutoff))
        }
        self.reset()

    def reset(self) -> None:
        """The hand is empty."""
        self._felt = 0.0
        self._felt_moment = np.zeros(3)
        self.mass = 0.0
        self.moment = np.zeros(3)

    def feed_forward(
        self,
        dynamics: Dynamics,
        wrench: np.ndarray,
        acceleration: float | None,
        pressed: np.ndarray,
        total: np.ndarray,
    ) -> None:
        """One tick: :meth:`update`, then the load's generalised force onto ``total`` (37,) and its mass into
        the model, at the gripper, with the moment felt at the wrist; ``pressed`` (3,) N on purpose."""
        data, presses = dynamics.data, bool(pressed.any())
        mass = self.update(data.xmat[self._wrist].reshape(3, 3), wrench, acceleration, presses)
        if mass <= 0.0 and not presses:
            return
        gripper = dynamics.frames[f"{self._side}_gripper"]
        force = np.array([0.0, 0.0, -mass * dynamics.gravity]) - pressed
        moment = self.moment + cross(data.xpos[self._wrist] - gripper.p, force)
        total += force @ gripper.J[:3] + moment @ gripper.J[3:]
        if mass > 0.0:
            dynamics.carry(mass, gripper)

    def update(
        self, R_odom_wrist: np.ndarray, wrench: np.ndarray, acceleration: float | None, presses: bool = False
    ) -> float:
        """Carried mass (kg) after one tick of the measured ``wrench`` (6,) in the wrist's frame;
        ``acceleration`` m/s², upwards, that the hand is asked for, ``None`` without a target;
        ``presses``: on purpose."""
        fall = GRAVITY + (acceleration or 0.0)
        follow = self._follow[acceleration is not None]
        felt = -float(R_odom_wrist[2] @ wrench[:3]) / fall - self._hand_mass
        self._felt += follow * (min(max(felt, -self._most), self._most) - self._felt)
        own = cross(R_odom_wrist @ self._centre, np.array([0.0, 0.0, -self._hand_mass * fall]))
        self._felt_moment += follow * (R_odom_wrist @ wrench[3:] - own - self._felt_moment)
        fade = min(max((self._felt - self._least) / max(self._least, 1e-6), 0.0), 1.0)
        self.mass = fade * max(self._felt, 0.0)
        self.moment = (PRESSED if presses else fade) * self._felt_moment
        if not presses:
            self.moment[2] = 0.0  # weight has no moment about the vertical
        return self.mass


def carried_loads(model: mujoco.MjModel, p: SimpleNamespace) -> dict[str, CarriedLoad]:
    """By side, of empty hands; ``p``: the parameters ``load_*``."""
    of = p.load_cutoff, p.load_cutoff_busy, p.load_least, p.load_most
    return {side: CarriedLoad(model, side, *of) for side in SIDES}


def feed_forward(
    loads: Mapping[str, CarriedLoad], dynamics: Dynamics, state: BodyState, targets: Targets
) -> np.ndarray:
    """Generalised force (37,) on the hands after one tick: of what they carry, whose mass goes into the
    model, and of what they press against on purpose."""
    total = np.zeros(NV)
    for side, wrench in (("l", state.l_wrist_wrench), ("r", state.r_wrist_wrench)):
        up = float(targets.hands[side].point.a[2]) if side in targets.busy else None
        loads[side].feed_forward(dynamics, wrench, up, targets.pressing.force[side], total)
    return total


def support_of(
    loads: Mapping[str, CarriedLoad], dynamics: Dynamics, busy: set[str], place: np.ndarray, most: float
) -> np.ndarray:
    """Where the centre of mass of body and loads belongs (x, y m, heading rad) so that the body's own stays
    over ``place`` (x, y m, heading rad) for what hands with a target (``busy``) carry; never more than
    ``most`` m from there."""
    carried = [(loads[s].mass, dynamics.frames[f"{s}_gripper"].p) for s in SIDES if s in busy]
    if not any(mass for mass, _ in carried):
        return place
    moment = sum((mass * (p[:2] - place[:2]) for mass, p in carried), np.zeros(2))
    shift = moment / (float(dynamics.M[0, 0]) + sum(mass for mass, _ in carried))
    shift *= min(1.0, most / max(float(np.linalg.norm(shift)), 1e-9))
    return np.array([*(place[:2] + shift), place[2]])
