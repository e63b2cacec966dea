"""The plant: MuJoCo physics at 1 kHz under three groups of tendon drives, measured at 500 Hz.

    plant = Plant(scenes.make("kitchen_table", 0))
    plant.command_body(command)      # None: accepted, else why it was refused
    plant.step()                     # one control tick

Everything a plant does follows from scene, parameters, seed and the commands it got at which tick.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import mujoco
import numpy as np

from neo_description import parameters
from neo_description.errors import NeoError
from neo_description.postures import posture
from neo_description.routing import routing_of
from neo_description.scenes import Scene
from neo_description.signals import BodyState, HandState, TendonCommand
from neo_description.tables import BODY, CONTROL_RATE, HAND, PLANT_DT, PLANT_RATE, SIDES
from neo_sim import faults
from neo_sim.drives import DriveGroup, DriveSettings
from neo_sim.measurement import BodySensors, HandSensors
from neo_sim.model_error import ModelError
from neo_sim.pads import Pads
from neo_sim.privileged import Privileged
from neo_sim.statics import standing_tensions

PARAMETERS = Path(__file__).with_name("parameters.yaml")
GROUPS = ("body", "l_hand", "r_hand")
STEPS = PLANT_RATE // CONTROL_RATE


def load_parameters(**overrides: object) -> SimpleNamespace:
    """The room's parameters, without ROS."""
    return parameters.load(PARAMETERS, **overrides)


@dataclass
class _Push:
    body: int
    wrench: np.ndarray
    steps: int


class Plant:
    """A scene that moves. ``drives`` by group name, ``privileged`` the truth; starts standing, in HOLD."""

    def __init__(self, scene: Scene, params: SimpleNamespace | None = None, seed: int | None = None):
        self.scene, self.index, self.model = scene, scene.index, scene.model
        self.params = params or load_parameters(tendon_routing=scene.routing)
        if round(self.model.opt.timestep / PLANT_DT, 9) != 1.0:
            raise NeoError(
                f"the scene steps by {self.model.opt.timestep} s; the plant needs {PLANT_DT} s (1 kHz)"
            )
        if self.params.tendon_routing != scene.routing:
            raise NeoError(
                f"tendon_routing is {self.params.tendon_routing}, but the scene's robot was made with "
                f"{scene.routing} tendons"
            )
        self._routing = routing_of(scene.routing)
        self.data = mujoco.MjData(self.model)
        self._error = ModelError(self.model)
        self.privileged = Privileged(scene, self.data)
        hand = DriveSettings.of(self.params, "hand")
        self.drives = {
            "body": DriveGroup(
                BODY, DriveSettings.of(self.params, "body"), posture("crouch").body, self._routing
            ),
            "l_hand": DriveGroup(HAND, hand),
            "r_hand": DriveGroup(HAND, hand),
        }
        tendons = {"body": self.index.body_tendons} | {
            f"{s}_hand": self.index.hands[s].tendons for s in SIDES
        }
        motors = {"body": self.index.body_actuators} | {
            f"{s}_hand": self.index.hands[s].actuators for s in SIDES
        }
        length, velocity, ctrl = self.data.ten_length, self.data.ten_velocity, self.data.ctrl
        zero = self.model.tendon_length0  # at the zero posture, where reels are homed
        self._wired = []  # drives; length, where it is zero, velocity and control of their tendons: all views
        for group in GROUPS:
            own, pulled = _run(tendons[group]), _run(motors[group])
            self._wired.append((self.drives[group], length[own], zero[own], velocity[own], ctrl[pulled]))
        self.reset(self.params.seed if seed is None else seed)

    def reset(self, seed: int | None = None) -> None:
        """Back to tick 0 at the scene's posture; ``seed`` (default: the last one) draws the noise anew."""
        if seed is not None:
            self.seed = seed
        self._error.draw(self.seed, self.params.mass_error, self.params.arm_error)
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:] = self.scene.qpos
        mujoco.mj_forward(self.model, self.data)
        self.tick = 0
        self._pushes: list[_Push] = []
        tensions = standing_tensions(self.index, self.data, self._routing)
        for group, (drives, length, zero, _, ctrl) in zip(GROUPS, self._wired, strict=True):
            drives.reset(length - zero, tensions[group])
            ctrl[:] = drives.tension
        mujoco.mj_forward(self.model, self.data)
        streams = [np.random.default_rng(s) for s in np.random.SeedSequence(self.seed).spawn(len(GROUPS))]
        self._body_sensors = BodySensors(self.params, self.index, streams[0])
        self._hand_sensors = {
            side: HandSensors(side, self.params, self.index, rng)
            for side, rng in zip(SIDES, streams[1:], strict=True)
        }
        self._faults = sorted(map(faults.parse, self.params.faults), key=lambda fault: fault.at)
        self._fail()
        self._measure()

    @property
    def time(self) -> float:
        """Plant time (s)."""
        return self.tick / CONTROL_RATE

    def body_state(self) -> BodyState:
        """What the body measured at the present tick; the same object until the next step."""
        return self._body_state

    def hand_state(self, side: str) -> HandState:
        """What one hand measured at the present tick."""
        return self._hand_states[side]

    def pads(self, side: str) -> Pads:
        """The pads of one hand, to break some of them; others after each :meth:`reset`."""
        return self._hand_sensors[side].pads

    def command(self, group: str, command: TendonCommand) -> str | None:
        """Give ``body``, ``l_hand`` or ``r_hand`` its answer; ``None``: accepted, else why it was refused."""
        return self.drives[group].command(command, self.tick)

    def command_body(self, command: TendonCommand) -> str | None:
        """:meth:`command` for the body."""
        return self.command("body", command)

    def command_hand(self, side: str, command: TendonCommand) -> str | None:
        """:meth:`command` for one hand."""
        return self.command(f"{side}_hand", command)

    def runstop(self, on: bool) -> None:
        """Latch (``True``) or release the stop of all drives."""
        for drives in self.drives.values():
            drives.latch(on)

    def push(self, body: str, force: np.ndarray, duration: float) -> None:
        """Push a link at its centre of mass with ``force`` (3,) N (world's frame) for ``duration`` s."""
        wrench = np.concatenate([np.asarray(force, float), np.zeros(3)])
        self._pushes.append(_Push(self.index.body(body), wrench, round(duration * PLANT_RATE)))

    def tie(self, link: str, mass: float, place: np.ndarray) -> None:
        """A thing of ``mass`` (kg) hangs on ``link`` at ``place`` (3,) m in its frame, until a reset."""
        self._error.tie(self.index.body(link), mass, place)

    def fault(self, kind: str, part: str, size: float | None = None, at: float = 0.0) -> None:
        """Something breaks (:mod:`neo_sim.faults`), now or at plant time ``at`` (s), until the next reset."""
        self._faults.append(faults.fault(kind, part, size, max(at, self.time)))
        self._faults.sort(key=lambda fault: fault.at)

    def step(self) -> None:
        """One control tick: two physics steps with the drives in between, then a measurement."""
        model, data = self.model, self.data
        if self._faults:
            self._fail()
        for _ in range(STEPS):
            for drives, length, zero, velocity, ctrl in self._wired:
                ctrl[:] = drives.step(length - zero, velocity)
            if self._pushes:
                self._apply_pushes()
            mujoco.mj_step2(model, data)
            mujoco.mj_step1(model, data)
        self.tick += 1
        self._measure()

    def state_hash(self) -> str:
        """SHA-256 of qpos, qvel and all tensions: equal hashes, equal trajectories."""
        digest = hashlib.sha256(self.data.qpos.tobytes())
        digest.update(self.data.qvel.tobytes())
        for drives in self.drives.values():
            digest.update(drives.tension.tobytes())
        return digest.hexdigest()

    def _apply_pushes(self) -> None:
        self.data.xfrc_applied[:] = 0.0
        for push in self._pushes:
            if push.steps > 0:
                self.data.xfrc_applied[push.body] += push.wrench
            push.steps -= 1
        self._pushes = [push for push in self._pushes if push.steps >= 0]

    def _fail(self) -> None:
        """Let break what is due."""
        while self._faults and self._faults[0].at <= self.time + 1e-9:
            due = self._faults.pop(0)
            breaks, side, own = faults.KINDS[due.kind].breaks, due.part[0], due.part[2:]
            if breaks == "tendon":
                group, tendon = ("body", due.part) if due.part in BODY.tendons else (f"{side}_hand", own)
                drives, length, zero, _, _ = self._wired[GROUPS.index(group)]
                drives.fail(due.kind, tendon, due.size, length - zero)
            elif breaks == "joint" and due.part in BODY.joints:
                self._body_sensors.break_encoder(due.kind, BODY.index(due.part), due.size)
            elif breaks == "joint":
                self._hand_sensors[side].break_encoder(due.kind, HAND.index(own), due.size)
            elif breaks == "imu":
                self._body_sensors.freeze_imu(due.part)
            else:
                (self.pads(side).kill if due.kind == "dead" else self.pads(side).mute)([own])

    def _measure(self) -> None:
        time = self.time
        self._body_state = self._body_sensors.measure(self.data, self.drives["body"], self.tick, time)
        self._hand_states = {
            side: sensors.measure(self.data, self.drives[f"{side}_hand"], self.tick, time)
            for side, sensors in self._hand_sensors.items()
        }


def _run(index: np.ndarray) -> slice:
    """``index`` as a slice, for views instead of copies; NeoError when it is not consecutive."""
    first = int(index[0])
    if not np.array_equal(index, np.arange(first, first + len(index))):
        raise NeoError("the tendons and motors of a group must follow each other in the model")
    return slice(first, first + len(index))
