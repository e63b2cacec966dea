"""The model of the hand rig: hands on carriages, things on tables, and whatever scenery a task brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from neo_description import builder
from neo_description.contact import OBJECT, WORLD
from neo_description.hand import R_WORLD_WRIST, gripper
from neo_description.objects import Thing
from neo_description.skeleton import body_links

SLIDE = (4000.0, 2.0)  # N/m, kg: stiffness of the carriage, mass of the arm as the wrist feels it
TURN = (80.0, 0.02)  # N m/rad, kg m^2
AXES = ("slide_x", "slide_y", "slide_z", "turn_x", "turn_y", "turn_z")
Scenery = Callable[[mujoco.MjSpec], None]


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


@dataclass(frozen=True)
class Standing:
    """``thing`` with its foot at ``foot`` (3,) m in the world, turned by ``yaw`` rad."""

    thing: Thing
    foot: tuple[float, float, float]
    yaw: float = 0.0


def outwards(side: str) -> float:
    """Sign along world y of what is out of this hand's palm, with the carriage at zero."""
    return 1.0 if side == "r" else -1.0


def before(side: str, thing: Thing, placing: Placing) -> tuple[Standing, Scenery]:
    """``thing`` before hand ``side`` as ``placing`` says, and the table under it."""
    x, y = placing.offset[0], outwards(side) * placing.offset[1]
    foot = -placing.height * float(thing.size[2])
    return Standing(thing, (x, y, foot), placing.yaw), table((x, y, foot), placing.table)


def table(top: Sequence[float], half: float) -> Scenery:
    """A square table with the middle of its top at ``top`` (3,) m and half its edge ``half`` m."""

    def add(spec: mujoco.MjSpec) -> None:
        spec.worldbody.add_geom(
            name="table", type=mujoco.mjtGeom.mjGEOM_BOX, size=(half, half, 0.01),
            pos=(top[0], top[1], top[2] - 0.01),
            rgba=(0.5, 0.4, 0.3, 1.0), contype=WORLD, conaffinity=OBJECT,
        )  # fmt: skip

    return add


def build(
    mounts: dict[str, np.ndarray],
    standing: Sequence[Standing],
    scenery: Sequence[Scenery],
) -> mujoco.MjModel:
    """``mounts``: side → (3,) m, the gripper's origin with its carriage at zero."""
    spec = mujoco.MjSpec()
    builder.set_options(spec)
    spec.worldbody.add_light(pos=(-0.3, -0.6, 0.8), dir=(0.3, 0.6, -0.8))
    for side, at in mounts.items():
        _add_hand(spec, side, np.asarray(at, float))
    for add in scenery:
        add(spec)
    for one in standing:
        one.thing.add_to(spec, np.array(one.foot), one.yaw)
    return spec.compile()


def _add_hand(spec: mujoco.MjSpec, side: str, at: np.ndarray) -> None:
    p_gripper, R_wrist_gripper = gripper(side)
    palm = next(link for link in body_links() if link.name == f"{side}_wrist")
    wrist = spec.worldbody.add_body(
        name=palm.name, pos=at - R_WORLD_WRIST @ p_gripper, quat=builder.quat_of(R_WORLD_WRIST)
    )
    wrist.explicitinertial, wrist.mass, wrist.ipos = True, palm.mass, palm.com
    wrist.inertia = np.diag(palm.inertia())
    for i, name in enumerate(AXES):
        kind, (stiffness, load) = ("slide", SLIDE) if i < 3 else ("turn", TURN)
        joint = wrist.add_joint(name=f"{side}_{name}", axis=R_WORLD_WRIST.T[:, i % 3], armature=load)
        joint.type = mujoco.mjtJoint.mjJNT_SLIDE if kind == "slide" else mujoco.mjtJoint.mjJNT_HINGE
        actuator = spec.add_actuator(name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        actuator.set_to_position(kp=stiffness, kv=1.6 * np.sqrt(stiffness * load))
    builder.add_hand(spec, {palm.name: wrist}, side)
    wrist.add_site(name=f"{side}_gripper", pos=p_gripper, quat=builder.quat_of(R_wrist_gripper))
