"""A test bench for one hand: its wrist on a stiff carriage, an object on a table before it.

The hand is the robot's (:func:`neo_description.builder.add_hand`), drives, sensors and noise are the plant's;
only the arm is replaced, by a carriage that follows :meth:`HandRig.carry`. World: the fingers point along
+x, the thumb up; the gripper's origin stands at the world's when the carriage is at zero. The palm of the
right hand faces +y, that of the left -y. Quick enough for many seeds: 22 + 6 + 6 degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import mujoco
import numpy as np

from neo_description import builder, parameters
from neo_description.contact import OBJECT, WORLD
from neo_description.hand import gripper
from neo_description.objects import Thing
from neo_description.signals import DriveMode, HandState, TendonCommand
from neo_description.skeleton import body_links
from neo_description.tables import CONTROL_RATE, HAND, PLANT_RATE, TAXELS, prefixed
from neo_sim.drives import DriveGroup, DriveSettings
from neo_sim.sensors import Encoders, Noise, Pads

R_WORLD_WRIST = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
SLIDE = (4000.0, 2.0)  # N/m, kg: stiffness of the carriage, mass of the arm as the wrist feels it
TURN = (80.0, 0.02)  # N m/rad, kg m^2


@dataclass(frozen=True)
class Placing:
    """Where the object stands before the hand.

    ``offset`` (2,) m of its axis from the gripper's origin, along the fingers and out of the palm; ``yaw``
    rad; ``height``: share of its height at which the gripper stands; ``table`` m: half the table's edge,
    small for a pedestal that lets the hand reach below.
    """

    offset: tuple[float, float] = (0.0, 0.0)
    yaw: float = 0.0
    height: float = 0.42
    table: float = 0.3


class HandRig:
    """Hand ``side`` with ``thing`` before it; deterministic for a ``seed``."""

    def __init__(
        self,
        side: str,
        thing: Thing | None = None,
        placing: Placing = Placing(),
        seed: int = 0,
        params: SimpleNamespace | None = None,
    ):
        self.side, self.thing = side, thing
        self.params = p = params or parameters.load(Path(__file__).with_name("parameters.yaml"))
        self.model = m = _model(side, thing, placing)
        self.data = mujoco.MjData(m)
        joints = [m.joint(name) for name in prefixed(side, HAND.joints)]
        self._q = np.array([j.qposadr[0] for j in joints])
        self._v = np.array([j.dofadr[0] for j in joints])
        names = prefixed(side, TAXELS)
        self._pad_site = np.array([m.site(f"{name}_pad").id for name in names])
        self._pad_data = np.array([m.sensor(name).adr[0] + np.arange(3) for name in names])
        self.drives = DriveGroup(HAND, DriveSettings.of(p, "hand"))
        rng = iter(np.random.default_rng(seed).spawn(3))
        n = len(HAND.joints)
        self._encoders = Encoders(
            Noise(n, next(rng), p.encoder_noise, p.encoder_bias, resolution=p.encoder_resolution),
            p.velocity_cutoff,
        )
        self._tension = Noise(2 * n, next(rng), p.hand_tension_noise, gain_error=p.tension_gain_error)
        self._pads = Pads(
            side, next(rng), noise=p.taxel_noise, bias=p.taxel_bias, drift=p.taxel_drift,
            resolution=p.taxel_resolution, delay=p.taxel_delay, dead=tuple(p.dead_taxels),
        )  # fmt: skip
        self.tick = 0
        mujoco.mj_forward(m, self.data)
        self.drives.reset(-HAND.moment_arms.T @ self.data.qpos[self._q], HAND.pretension)

    def state(self) -> HandState:
        """What the hand's sensors say; call once a tick."""
        q, qd = self._encoders(self.data.qpos[self._q])
        return HandState(
            tick=self.tick,
            time=self.tick / CONTROL_RATE,
            joint_position=q,
            joint_velocity=qd,
            tendon_length=-HAND.moment_arms.T @ q,
            tendon_velocity=-HAND.moment_arms.T @ qd,
            tendon_tension=self._tension(self.drives.tension),
            taxel_force=self._pads(self.privileged_pad_forces()),
            taxel_valid=self._pads.valid,
            drive_mode=DriveMode(self.drives.mode),
            runstop=self.drives.runstop,
        )

    def command(self, command: TendonCommand) -> str | None:
        """``None``: accepted, else why the drives refused it."""
        return self.drives.command(command, self.tick)

    def carry(self, target: np.ndarray, at_once: bool = False) -> None:
        """Where the carriage shall be: x, y, z (m) and turns about x, y, z (rad)."""
        self.data.ctrl[:] = target
        if at_once:
            for name, value in zip(
                ("slide_x", "slide_y", "slide_z", "turn_x", "turn_y", "turn_z"), target, strict=True
            ):
                self.data.joint(name).qpos = value

    def step(self) -> None:
        """One control tick."""
        A = HAND.moment_arms
        for _ in range(PLANT_RATE // CONTROL_RATE):
            length = -A.T @ self.data.qpos[self._q]
            velocity = -A.T @ self.data.qvel[self._v]
            self.data.qfrc_applied[self._v] = A @ self.drives.step(length, velocity)
            mujoco.mj_step(self.model, self.data)
        self.tick += 1

    def privileged_joints(self) -> np.ndarray:
        """True joint angles (22,) rad."""
        return self.data.qpos[self._q].copy()

    def privileged_pad_forces(self) -> np.ndarray:
        """True forces (19, 3) N on the pads, in their frames: normal, shear along y, shear along z."""
        R = self.data.site_xmat[self._pad_site].reshape(-1, 3, 3)
        force = np.einsum("pji,pj->pi", R, self.data.sensordata[self._pad_data])
        force[:, 0] *= -1.0
        return force

    def privileged_in_hand(self) -> tuple[np.ndarray, float]:
        """The object's middle in the gripper's frame (3,) m, and its axis' tilt from the vertical (rad)."""
        assert self.thing is not None
        body = self.data.body(self.thing.name)
        site = self.data.site(f"{self.side}_gripper")
        position = site.xmat.reshape(3, 3).T @ (body.xpos - site.xpos)
        return position, float(np.arccos(np.clip(body.xmat[8], -1.0, 1.0)))


def _model(side: str, thing: Thing | None, placing: Placing) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    builder.set_options(spec)
    spec.worldbody.add_light(pos=(-0.3, -0.6, 0.8), dir=(0.3, 0.6, -0.8))
    p_gripper, R_wrist_gripper = gripper(side)
    palm = next(link for link in body_links() if link.name == f"{side}_wrist")
    wrist = spec.worldbody.add_body(
        name=palm.name, pos=-R_WORLD_WRIST @ p_gripper, quat=builder.quat_of(R_WORLD_WRIST)
    )
    wrist.explicitinertial, wrist.mass, wrist.ipos = True, palm.mass, palm.com
    wrist.inertia = np.diag(palm.inertia())
    _add_carriage(spec, wrist)
    builder.add_hand(spec, {palm.name: wrist}, side)
    wrist.add_site(name=f"{side}_gripper", pos=p_gripper, quat=builder.quat_of(R_wrist_gripper))
    if thing is not None:
        foot = -placing.height * thing.size[2]
        out = 1.0 if side == "r" else -1.0
        x, y = placing.offset
        spec.worldbody.add_geom(
            name="table", type=mujoco.mjtGeom.mjGEOM_BOX, size=(placing.table, placing.table, 0.01),
            pos=(x, out * y, foot - 0.01),
            rgba=(0.5, 0.4, 0.3, 1.0), contype=WORLD, conaffinity=OBJECT,
        )  # fmt: skip
        thing.add_to(spec, np.array([x, out * y, foot]), placing.yaw)
    return spec.compile()


def _add_carriage(spec: mujoco.MjSpec, wrist: mujoco.MjsBody) -> None:
    for kind, (stiffness, load) in (("slide", SLIDE), ("turn", TURN)):
        for i, axis in enumerate("xyz"):
            name = f"{kind}_{axis}"
            joint = wrist.add_joint(name=name, axis=R_WORLD_WRIST.T[:, i], armature=load)
            joint.type = mujoco.mjtJoint.mjJNT_SLIDE if kind == "slide" else mujoco.mjtJoint.mjJNT_HINGE
            actuator = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
            actuator.set_to_position(kp=stiffness, kv=1.6 * np.sqrt(stiffness * load))
