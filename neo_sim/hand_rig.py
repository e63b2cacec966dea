"""A test bench for hands: each wrist on a stiff carriage, things and scenery around it.

The hands are the robot's (:func:`neo_description.builder.add_hand`), drives, sensors and noise are the
plant's; only the arms are replaced, by carriages that follow :meth:`HandRig.carry`. World: with its carriage
at zero a hand's fingers point along +x, its thumb up, and its gripper stands at its mount, for a single hand
the world's origin; the palm of the right hand faces +y, that of the left -y. Quick enough for many seeds.

    HandRig("r", thing, Placing(offset=(0.01, 0.0)), seed=3)      one thing on a table before one hand
    HandRig("lr", standing=[...], scenery=[...])                  two hands, palms facing each other

With one hand the argument ``side`` of the methods may be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import mujoco
import numpy as np

from neo_description import parameters
from neo_description.errors import NeoError
from neo_description.hand import R_WORLD_WRIST, gripper, rotation
from neo_description.objects import Thing
from neo_description.signals import DriveMode, HandState, TendonCommand
from neo_description.tables import CONTROL_RATE, HAND, PLANT_RATE, SIDES, TAXELS, prefixed
from neo_sim import hand_rig_model
from neo_sim.drives import DriveGroup, DriveSettings
from neo_sim.hand_rig_model import AXES, Placing, Scenery, Standing
from neo_sim.pads import Pads, PadSettings
from neo_sim.sensors import Encoders, Noise

APART = 0.25  # m between the grippers of two hands, when no mounts are given
HERE = Placing()

__all__ = ["HandRig", "Placing", "Standing", "turned"]


class HandRig:
    """Hands ``sides`` (``"l"``, ``"r"`` or ``"lr"``); deterministic for a ``seed``.

    ``thing`` stands before the (first) hand as ``placing`` says; ``standing`` are more things, ``scenery``
    functions that add to the spec. ``mounts``: side → (3,) m, where the gripper is with its carriage at zero.
    """

    def __init__(
        self,
        sides: str,
        thing: Thing | None = None,
        placing: Placing = HERE,
        seed: int = 0,
        params: SimpleNamespace | None = None,
        *,
        standing: Sequence[Standing] = (),
        scenery: Sequence[Scenery] = (),
        mounts: dict[str, Sequence[float]] | None = None,
    ):
        self.sides = tuple(sides)
        if not self.sides or len(set(self.sides)) < len(self.sides) or set(self.sides) - set(SIDES):
            raise NeoError(f"hands {sides!r}; l, r or lr")
        self.things = [one.thing for one in standing]
        standing, scenery = list(standing), list(scenery)
        if thing is not None:
            self.things.insert(0, thing)
            one, table = hand_rig_model.before(self.sides[0], thing, placing)
            standing.insert(0, one)
            scenery.insert(0, table)
        self.params = p = params or parameters.load(Path(__file__).with_name("parameters.yaml"))
        self.model = hand_rig_model.build(_mounts(self.sides, mounts), standing, scenery)
        self.data = mujoco.MjData(self.model)
        self.tick = 0
        mujoco.mj_forward(self.model, self.data)
        streams = np.random.SeedSequence(seed).spawn(len(self.sides))
        self._hands = {
            side: _Hand(self, side, np.random.default_rng(s), p)
            for side, s in zip(self.sides, streams, strict=True)
        }

    @property
    def thing(self) -> Thing:
        """The first thing."""
        return self.things[0]

    def _hand(self, side: str) -> _Hand:
        return self._hands[side or self.sides[0]]

    def state(self, side: str = "") -> HandState:
        """What a hand's sensors say; call once a tick."""
        return self._hand(side).state(self.tick)

    def command(self, command: TendonCommand, side: str = "") -> str | None:
        """``None``: accepted, else why the drives refused it."""
        return self._hand(side).drives.command(command, self.tick)

    def drives(self, side: str = "") -> DriveGroup:
        """The tendon drives of a hand."""
        return self._hand(side).drives

    def pads(self, side: str = "") -> Pads:
        """The pads of a hand."""
        return self._hand(side).pads

    def carry(self, target: np.ndarray, at_once: bool = False, side: str = "") -> None:
        """Where the carriage shall be: x, y, z (m) and turns about x, y, z (rad); see :func:`turned`."""
        hand = self._hand(side)
        self.data.ctrl[hand.actuators] = target
        if at_once:
            self.data.qpos[hand.carriage] = target

    def carried(self, side: str = "") -> np.ndarray:
        """Where the carriage is (6,), as an arm's encoders would tell."""
        return self.data.qpos[self._hand(side).carriage].copy()

    def step(self) -> None:
        """One control tick."""
        for _ in range(PLANT_RATE // CONTROL_RATE):
            for hand in self._hands.values():
                hand.pull()
            mujoco.mj_step(self.model, self.data)
        self.tick += 1

    def privileged_joints(self, side: str = "") -> np.ndarray:
        """True joint angles (22,) rad."""
        return self.data.qpos[self._hand(side).q].copy()

    def privileged_pad_forces(self, side: str = "") -> np.ndarray:
        """True forces (19, 3) N on the pads, in their frames: normal, shear along y, shear along z."""
        return self._hand(side).true_pad_forces()

    def privileged_squeeze(self) -> float:
        """Sum of the normal forces (N) with which hands press on the thing, pads or not."""
        m, thing, force, total = self.model, self.model.body(self.thing.name).id, np.zeros(6), 0.0
        for i in range(self.data.ncon):
            bodies = m.geom_bodyid[self.data.contact[i].geom]
            if thing not in bodies or (m.body_weldid[bodies] == 0).any():
                continue
            mujoco.mj_contactForce(m, self.data, i, force)
            total += force[0]
        return total

    def privileged_in_hand(self, side: str = "", name: str = "") -> tuple[np.ndarray, float]:
        """A thing's middle in the gripper's frame (3,) m, and its axis' tilt from the vertical (rad)."""
        body = self.data.body(name or self.thing.name)
        site = self.data.site(f"{side or self.sides[0]}_gripper")
        position = site.xmat.reshape(3, 3).T @ (body.xpos - site.xpos)
        return position, float(np.arccos(np.clip(body.xmat[8], -1.0, 1.0)))


class _Hand:
    """Drives and sensors of one hand in the rig's model."""

    def __init__(self, rig: HandRig, side: str, rng: np.random.Generator, p: SimpleNamespace):
        self._data = rig.data
        m = rig.model
        joints = [m.joint(name) for name in prefixed(side, HAND.joints)]
        self.q = np.array([j.qposadr[0] for j in joints])
        self._v = np.array([j.dofadr[0] for j in joints])
        self.carriage = np.array([m.joint(f"{side}_{name}").qposadr[0] for name in AXES])
        self.actuators = np.array([m.actuator(f"{side}_{name}").id for name in AXES])
        names = prefixed(side, TAXELS)
        self._pad_site = np.array([m.site(f"{name}_pad").id for name in names])
        self._pad_data = np.array([m.sensor(name).adr[0] + np.arange(3) for name in names])
        self.drives = DriveGroup(HAND, DriveSettings.of(p, "hand"))
        streams = iter(rng.spawn(3))
        n = len(HAND.joints)
        self._encoders = Encoders(
            Noise(n, next(streams), p.encoder_noise, p.encoder_bias, resolution=p.encoder_resolution),
            p.velocity_cutoff,
        )
        self._tension = Noise(2 * n, next(streams), p.hand_tension_noise, gain_error=p.tension_gain_error)
        self.pads = Pads(side, next(streams), PadSettings.of(p))
        self.drives.reset(-HAND.moment_arms.T @ self._data.qpos[self.q], HAND.pretension)

    def state(self, tick: int) -> HandState:
        q, qd = self._encoders(self._data.qpos[self.q])
        return HandState(
            tick=tick,
            time=tick / CONTROL_RATE,
            joint_position=q,
            joint_velocity=qd,
            tendon_length=-HAND.moment_arms.T @ q,
            tendon_velocity=-HAND.moment_arms.T @ qd,
            tendon_tension=self._tension(self.drives.tension),
            taxel_force=self.pads(self.true_pad_forces()),
            taxel_valid=self.pads.valid,
            drive_mode=DriveMode(self.drives.mode),
            runstop=self.drives.runstop,
        )

    def pull(self) -> None:
        """The drives' part of one plant step."""
        A = HAND.moment_arms
        length = -A.T @ self._data.qpos[self.q]
        velocity = -A.T @ self._data.qvel[self._v]
        self._data.qfrc_applied[self._v] = A @ self.drives.step(length, velocity)

    def true_pad_forces(self) -> np.ndarray:
        R = self._data.site_xmat[self._pad_site].reshape(-1, 3, 3)
        force = np.einsum("pji,pj->pi", R, self._data.sensordata[self._pad_data])
        force[:, 0] *= -1.0
        return force


def _mounts(sides: tuple[str, ...], given: dict[str, Sequence[float]] | None) -> dict[str, np.ndarray]:
    if given is not None:
        return {side: np.asarray(given[side], float) for side in sides}
    if len(sides) == 1:
        return {sides[0]: np.zeros(3)}
    return {s: np.array([0.0, -hand_rig_model.outwards(s) * APART / 2, 0.0]) for s in sides}


def turned(side: str, shift: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Carriage target (6,): the gripper ``shift`` (3,) m from its mount, the hand turned about the gripper.

    ``turn`` (3,) rad: R = Rx Ry Rz of angles about the world's axes. The carriage itself turns at the wrist.
    """
    p = R_WORLD_WRIST @ gripper(side)[0]
    return np.concatenate([np.asarray(shift, float) + p - rotation(turn) @ p, turn])
