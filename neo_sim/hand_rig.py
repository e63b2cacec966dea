"""A test bench for one hand: its wrist on a stiff slide, an object on a table before it, real drives and pads.

The hand is the robot's (:func:`neo_description.builder.add_hand`), the drives, sensors and their noise are the
plant's; only the arm is replaced by a carriage that follows :meth:`HandRig.carry`. World: the fingers point
along +x, the thumb up; the gripper stands at the origin when the carriage is at zero. Quick enough for many
seeds: 22 + 6 + 6 degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import mujoco
import numpy as np

from neo_description import builder, parameters
from neo_description.contact import OBJECT, SOLIMP, SOLREF, WORLD
from neo_description.hand import gripper
from neo_description.signals import DriveMode, HandState, TendonCommand
from neo_description.skeleton import body_links
from neo_description.tables import HAND, TAXELS, prefixed
from neo_sim.drives import DriveGroup, DriveSettings
from neo_sim.sensors import Encoders, Noise, Pads

R_WORLD_WRIST = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
CARRIAGE_STIFFNESS = (4000.0, 80.0)  # N/m, N m/rad
CARRIAGE_MASS = 2.0  # kg: of the arm behind the wrist, as it is felt there


@dataclass(frozen=True)
class RigObject:
    """``shape`` cylinder, box or sphere; ``size`` (3,) m extents; ``mass`` kg; ``friction``; where it stands.

    ``offset`` (2,) m: of its axis from the gripper's origin along the fingers and out of the palm; ``yaw`` rad;
    ``grip_height``: share of its height at which the gripper stands.
    """

    shape: str = "cylinder"
    size: tuple[float, float, float] = (0.066, 0.066, 0.20)
    mass: float = 0.3
    friction: float = 0.6
    offset: tuple[float, float] = (0.0, 0.0)
    yaw: float = 0.0
    grip_height: float = 0.42


class HandRig:
    """One hand ``side`` with ``thing`` before it. Deterministic for a ``seed``."""

    def __init__(
        self, side: str, thing: RigObject | None, seed: int = 0, params: SimpleNamespace | None = None
    ):
        self.side, self.thing = side, thing
        self.params = params or parameters.load(Path(__file__).with_name("parameters.yaml"))
        self.model = _model(side, thing)
        self.data = mujoco.MjData(self.model)
        m, p = self.model, self.params
        joints = [m.joint(name) for name in prefixed(side, HAND.joints)]
        self._q = np.array([j.qposadr[0] for j in joints])
        self._v = np.array([j.dofadr[0] for j in joints])
        self._pad_of_geom = np.full(m.ngeom, -1)
        for i, name in enumerate(TAXELS):
            self._pad_of_geom[m.geom(f"{side}_{name}_pad").id] = i
        self._pad_site = np.array([m.site(f"{side}_{name}_pad").id for name in TAXELS])
        self.drives = DriveGroup(HAND, DriveSettings.of(p, "hand"))
        rng = iter(np.random.default_rng(seed).spawn(8))
        n = len(HAND.joints)
        self._encoders = Encoders(
            Noise(n, next(rng), p.encoder_noise, p.encoder_bias, resolution=p.encoder_resolution),
            p.velocity_cutoff,
        )
        self._tension = Noise(2 * n, next(rng), p.hand_tension_noise, gain_error=p.tension_gain_error)
        dead = tuple(p.dead_taxels)
        self._pads = Pads(
            side, next(rng), noise=p.taxel_noise, bias=p.taxel_bias, drift=p.taxel_drift,
            resolution=p.taxel_resolution, delay=p.taxel_delay, dead=dead,
        )  # fmt: skip
        self.tick = 0
        mujoco.mj_forward(m, self.data)
        self.drives.reset(-HAND.moment_arms.T @ self.data.qpos[self._q], HAND.pretension)

    def state(self) -> HandState:
        """What the hand's sensors say at this control tick; call once a tick."""
        q, qd = self._encoders(self.data.qpos[self._q])
        return HandState(
            tick=self.tick,
            time=self.data.time,
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

    def carry(self, target: np.ndarray) -> None:
        """Where the carriage shall be: x, y, z (m) and turns about x, y, z (rad)."""
        self.data.ctrl[:] = target

    def step(self) -> None:
        """One control tick: two plant steps."""
        A = HAND.moment_arms
        for _ in range(2):
            length = -A.T @ self.data.qpos[self._q]
            velocity = -A.T @ self.data.qvel[self._v]
            self.data.qfrc_applied[self._v] = A @ self.drives.step(length, velocity)
            mujoco.mj_step(self.model, self.data)
        self.tick += 1

    def privileged_pad_forces(self) -> np.ndarray:
        """True forces (19, 3) N of what touches the pads, in the pads' frames: normal, shear y, shear z."""
        force = np.zeros((len(TAXELS), 3))
        wrench = np.zeros(6)
        for i in range(self.data.ncon):
            contact = self.data.contact[i]
            for geom, sign in ((contact.geom1, -1.0), (contact.geom2, 1.0)):
                pad = self._pad_of_geom[geom]
                if pad < 0:
                    continue
                mujoco.mj_contactForce(self.model, self.data, i, wrench)
                world = sign * (contact.frame.reshape(3, 3).T @ wrench[:3])
                local = self.data.site_xmat[self._pad_site[pad]].reshape(3, 3).T @ world
                force[pad] += (-local[0], local[1], local[2])
        return force

    def privileged_slip(self) -> tuple[np.ndarray, float]:
        """The object in the gripper's frame: position (3,) m and tilt of its axis from the world's up (rad)."""
        body = self.model.body("thing").id
        site = self.model.site("gripper").id
        R = self.data.site_xmat[site].reshape(3, 3)
        position = R.T @ (self.data.xpos[body] - self.data.site_xpos[site])
        return position, float(np.arccos(np.clip(self.data.xmat[body][8], -1.0, 1.0)))


def _model(side: str, thing: RigObject | None) -> mujoco.MjModel:
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
    _carriage(spec, wrist)
    builder.add_hand(spec, {palm.name: wrist}, side)
    wrist.add_site(name="gripper", pos=p_gripper, quat=builder.quat_of(R_wrist_gripper))
    if thing is not None:
        _add_thing(spec, side, thing)
    return spec.compile()


def _carriage(spec: mujoco.MjSpec, wrist: mujoco.MjsBody) -> None:
    for kind, stiffness, load in (
        ("slide", CARRIAGE_STIFFNESS[0], CARRIAGE_MASS),
        ("turn", CARRIAGE_STIFFNESS[1], 0.02),
    ):
        for i, axis in enumerate("xyz"):
            joint = wrist.add_joint(name=f"{kind}_{axis}", axis=R_WORLD_WRIST.T @ np.eye(3)[i], armature=load)
            joint.type = mujoco.mjtJoint.mjJNT_SLIDE if kind == "slide" else mujoco.mjtJoint.mjJNT_HINGE
            damping = 1.6 * np.sqrt(stiffness * load)
            actuator = spec.add_actuator(
                name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT
            )
            actuator.set_to_position(kp=stiffness, kv=damping)


def _add_thing(spec: mujoco.MjSpec, side: str, thing: RigObject) -> None:
    x, y, z = np.array(thing.size) / 2
    out = 1.0 if side == "r" else -1.0
    below = thing.grip_height * thing.size[2]
    table = spec.worldbody.add_geom(
        name="table", type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.3, 0.3, 0.01), pos=(0, 0, -below - 0.01)
    )
    table.rgba = (0.5, 0.4, 0.3, 1.0)
    table.contype, table.conaffinity = WORLD, OBJECT
    body = spec.worldbody.add_body(
        name="thing",
        pos=(thing.offset[0], out * thing.offset[1], -below + z),
        quat=(np.cos(thing.yaw / 2), 0, 0, np.sin(thing.yaw / 2)),
    )
    body.add_freejoint()
    kinds = {
        "cylinder": (mujoco.mjtGeom.mjGEOM_CYLINDER, (x, z, 0)),
        "box": (mujoco.mjtGeom.mjGEOM_BOX, (x, y, z)),
        "sphere": (mujoco.mjtGeom.mjGEOM_SPHERE, (x, 0, 0)),
    }
    kind, size = kinds[thing.shape]
    geom = body.add_geom(name="thing", type=kind, size=size, mass=thing.mass)
    geom.condim, geom.solref, geom.solimp = 4, SOLREF, SOLIMP
    geom.rgba = (0.8, 0.1, 0.1, 1.0)
    geom.contype, geom.conaffinity = OBJECT, WORLD | OBJECT
    geom.priority = 1
    geom.friction = [thing.friction, 0.003, 0.0001]
