"""The Shadow hand palm down on a carriage, above a thing on a table, with its sensors as our core knows them.

Hand, joints, drives, touch sensors and contact settings are the other project's. Ours are the carriage (three
slides that stand in for an arm), the table and the thing. Sensors are ours, too: encoders and pads with
the noise, delay and hysteresis of :mod:`neo_sim`; only what they measure differs:

    pads       the force of all contacts on a phalanx, across and along its surface (normal and two shears)
    flat       the same force in the frame of the pad's middle, as if the round fingertips were flat
    normals    the sum of the model's own touch sensors over the phalanx (normal only)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np

import neo_sim
from benchmarks.shadow.hand import PREFIX, Addresses, scene_file
from neo_description import parameters
from neo_description.errors import NeoError
from neo_description.signals import DriveMode, HandState, TendonCommand
from neo_description.tables import CONTROL_DT, TAXELS
from neo_sim.pads import Pads, PadSettings
from neo_sim.sensors import Encoders, Noise

SENSING = ("pads", "flat", "normals")
R_WORLD_PALM = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # palm down, fingers along +x
PINCH = np.array([0.027, -0.082, 0.096])  # m in the palm's frame: where the grasp's fingertips meet
PINCH_YAW = -0.44  # rad about the world's z axis: of the line from thumb to fingers against +x
SLIDE = (20000.0, 5.0)  # N/m, kg
WRIST_INTEGRAL = 3.0  # 1/s: the wrist is held level by its own drives
DEPTH = 0.018  # m below the top of the thing, where the fingertips meet
TABLE = 0.15  # m: half its edge


@dataclass(frozen=True)
class Block:
    """A thing to lift: ``shape`` box or cylinder, ``width`` and ``height`` m, ``mass`` kg, ``friction``."""

    shape: str
    width: float
    height: float
    mass: float
    friction: float


class Plant:
    """``shift`` (2,) m and ``yaw`` rad: how the thing stands away from where the hand expects it."""

    def __init__(self, block: Block, shift: np.ndarray, yaw: float, seed: int, sensing: str = "pads"):
        if sensing not in SENSING:
            raise NeoError(f"no sensing {sensing!r}; one of {', '.join(SENSING)}")
        self.block, self._sensing = block, sensing
        self.model = model = _model(block, shift, yaw)
        self.data = data = mujoco.MjData(model)
        if abs(model.opt.timestep - CONTROL_DT) > 1e-9:
            raise NeoError(f"the model steps by {model.opt.timestep} s; {CONTROL_DT} s needed")
        self.at = Addresses(model)
        self._drives = self.at.drives(model)
        self._group = self.at.joint_group(model)
        mount = model.body(PREFIX + "hand mount").id
        weight = -model.opt.gravity[2] * model.body_subtreemass[mount]
        self._carried = np.array([0.0, 0.0, weight / SLIDE[0]])  # the arm knows what its hand weighs
        self._slides = [model.actuator(f"slide_{axis}").id for axis in "xyz"]
        self._slide_q = [model.joint(f"slide_{axis}").qposadr[0] for axis in "xyz"]
        self._wrist = [model.actuator(f"{PREFIX}A_WRJ{i}").id for i in (0, 1)]
        self._wrist_q = [model.joint(f"{PREFIX}WRJ{i}").qposadr[0] for i in (0, 1)]
        self._thing = model.body("thing").id
        self._touch = _touch_sensors(model, self.at)
        p = parameters.load(Path(neo_sim.__file__).with_name("parameters.yaml"))
        streams = iter(np.random.default_rng(seed).spawn(2))
        n = len(self.at.q)
        noise = Noise(n, next(streams), p.encoder_noise, p.encoder_bias, resolution=p.encoder_resolution)
        self._encoders = Encoders(noise, p.velocity_cutoff)
        self._pads = Pads("r", next(streams), PadSettings.of(p))
        self.tick = 0
        self._q = np.zeros(n)
        mujoco.mj_forward(model, data)

    def state(self) -> HandState:
        """What the hand senses; call once a tick."""
        q, qd = self._encoders(self.at.sign * self.data.qpos[self.at.q])
        self._q = q
        flat = self._sensing == "flat"
        truth = self._normals() if self._sensing == "normals" else self.privileged_pad_forces(flat)
        return HandState(
            tick=self.tick,
            time=self.tick * CONTROL_DT,
            joint_position=q,
            joint_velocity=qd,
            taxel_force=self._pads(truth),
            taxel_valid=self._pads.valid,
            drive_mode=DriveMode.TENSION,
        )

    def step(self, command: TendonCommand, carriage: np.ndarray) -> None:
        """One tick with the controller's answer and the carriage's target (3,) m from where it began."""
        if command.mode == DriveMode.TENSION:
            torque = self._group.moment_arms @ command.tension
            self.data.ctrl[self.at.actuator] = self._drives.targets(torque, self._q)
        self.data.ctrl[self._wrist] -= WRIST_INTEGRAL * CONTROL_DT * self.data.qpos[self._wrist_q]
        self.data.ctrl[self._slides] = carriage + self._carried
        mujoco.mj_step(self.model, self.data)
        self.tick += 1

    def carry(self, carriage: np.ndarray) -> None:
        """Put the carriage there at once."""
        self.data.qpos[self._slide_q] = carriage
        mujoco.mj_forward(self.model, self.data)

    def _normals(self) -> np.ndarray:
        """Normal forces (19, 3) N that the model's own touch sensors tell; no shear.

        The sensor at the end of a phalanx lies over the others, so the larger of the two sums counts.
        """
        force = np.zeros((len(TAXELS), 3))
        for i, (around, end) in enumerate(self._touch):
            force[i, 0] = max(self.data.sensordata[around].sum(), self.data.sensordata[end].sum())
        return force

    def privileged_pad_forces(self, flat: bool = False) -> np.ndarray:
        """True forces (19, 3) N of all contacts on the pads: normal, shear along y, shear along z.

        ``flat``: in the frame of the pad's middle, whatever way the surface looks where it is touched.
        """
        model, data, at = self.model, self.data, self.at
        total, force = np.zeros((len(TAXELS), 3)), np.zeros(6)
        for i in range(data.ncon):
            contact = data.contact[i]
            for side, sign in ((0, -1.0), (1, 1.0)):
                pads = np.flatnonzero(at.geom == contact.geom[side])
                if len(pads) == 0:
                    continue
                mujoco.mj_contactForce(model, data, i, force)
                R_world_body = data.xmat[at.body[pads[0]]].reshape(3, 3)
                here = R_world_body.T @ (contact.pos - data.xpos[at.body[pads[0]]])
                pad = pads[np.linalg.norm(at.p_body_pad[pads] - here, axis=1).argmin()]
                R_pad_contact = (R_world_body @ at.R_body_pad[pad]).T @ contact.frame.reshape(3, 3).T
                on_pad, out = sign * R_pad_contact @ force[:3], -sign * R_pad_contact[:, 0]
                if not flat:
                    on_pad = laid_flat(on_pad, out)
                total[pad] += on_pad * (-1.0, 1.0, 1.0)
        return total

    def privileged_height(self) -> float:
        """How far the thing has been lifted (m)."""
        return float(self.data.xpos[self._thing, 2] - self.block.height / 2)

    def privileged_in_hand(self) -> np.ndarray:
        """The thing's middle between thumb and fingertips (3,) m, in the palm's directions."""
        d, at = self.data, self.at
        body = dict(zip(TAXELS, at.body, strict=True))
        tips = [d.xpos[body[f"{f}_distal"]] for f in ("index", "middle")]
        middle = (d.xpos[body["thumb_distal"]] + (tips[0] + tips[1]) / 2) / 2
        return d.xmat[at.palm].reshape(3, 3).T @ (d.xpos[self._thing] - middle)


def laid_flat(force: np.ndarray, out: np.ndarray) -> np.ndarray:
    """``force`` (3,) turned the shortest way that takes the surface's direction ``out`` (3,) to x."""
    axis = np.cross(out, (1.0, 0.0, 0.0))  # its length is the sine of the angle
    if out[0] <= -1.0 + 1e-9:
        return force * (-1.0, -1.0, 1.0)  # touched from behind: half a turn about z
    return force + np.cross(axis, force) + np.cross(axis, np.cross(axis, force)) / (1.0 + out[0])


def _touch_sensors(model: mujoco.MjModel, at: Addresses) -> list[tuple[list[int], list[int]]]:
    """For each pad the places in ``sensordata`` of the sensors around its phalanx, and of that at its end."""
    names = {model.sensor(i).name.removeprefix(PREFIX + "TS_"): i for i in range(model.nsensor)}
    found = []
    for row in at.pads.values():
        mine = [n for n in names if any(n == t or n.startswith(t + "_") for t in row["touch"])]
        if not mine:
            raise NeoError(f"no touch sensors {', '.join(row['touch'])} in the model")
        places = {n: int(model.sensor_adr[names[n]]) for n in mine}
        end = [n for n in mine if n.endswith("_tip")]
        found.append(([places[n] for n in mine if n not in end], [places[n] for n in end]))
    return found


def _model(block: Block, shift: np.ndarray, yaw: float) -> mujoco.MjModel:
    """The other project's scene without its own object, plus carriage, table and thing.

    With the carriage at zero the point where the fingertips meet is above the middle of the table, ``DEPTH``
    under the thing's top.
    """
    spec = mujoco.MjSpec.from_file(str(scene_file()))
    for name in ("object", "target", "floor0"):
        spec.delete(spec.body(name))
    spec.delete(spec.geom("floor0"))
    spec.option.cone, spec.option.impratio = mujoco.mjtCone.mjCONE_ELLIPTIC, 10.0
    mount, palm = spec.body(PREFIX + "hand mount"), np.zeros(3)
    body = spec.body(PREFIX + "palm")
    while body.name != mount.name:  # no turn between palm and mount
        palm += body.pos
        body = body.parent
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, R_WORLD_PALM.ravel())
    mount.quat, mount.alt.type = quat, mujoco.mjtOrientation.mjORIENTATION_QUAT
    meet = np.array([0.0, 0.0, block.height - DEPTH])
    mount.pos = meet - R_WORLD_PALM @ (palm + PINCH)
    stiffness, load = SLIDE
    for axis, along in zip("xyz", R_WORLD_PALM, strict=True):
        joint = mount.add_joint(
            name=f"slide_{axis}", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=along, armature=load
        )
        drive = spec.add_actuator(name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        drive.set_to_position(kp=stiffness, kv=1.6 * np.sqrt(stiffness * load))
    spec.worldbody.add_geom(
        name="table", type=mujoco.mjtGeom.mjGEOM_BOX, size=(TABLE, TABLE, 0.01), pos=(0.0, 0.0, -0.01)
    )
    angle = PINCH_YAW + yaw
    thing = spec.worldbody.add_body(
        name="thing", pos=(*shift, block.height / 2), quat=(np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2))
    )
    thing.add_freejoint()
    half = block.width / 2
    box = block.shape == "box"
    thing.add_geom(
        name="thing",
        type=mujoco.mjtGeom.mjGEOM_BOX if box else mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=(half, half, block.height / 2) if box else (half, block.height / 2, 0.0),
        mass=block.mass,
        friction=(block.friction, 0.005, 0.0001),
        condim=4,
        priority=1,
    )
    return spec.compile()
