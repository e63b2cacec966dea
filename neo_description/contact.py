"""What of the robot touches: a few capsules on the body, boxes under the feet, pads on the hands.

Who meets whom (``contype``/``conaffinity``): the body meets furniture and objects only; thumbs also meet
fingers and palms; the outer phalanges also meet palms.
"""

from __future__ import annotations

import mujoco
import numpy as np

from neo_description.hand import Pad
from neo_description.skeleton import SOLE_CENTRE, SOLE_SIZE, frame_along
from neo_description.tables import SIDES

WORLD, OBJECT, THUMB, FINGER = 1, 2, 4, 8
GROUP = 3  # of geoms that touch; not drawn
SOLREF = (0.005, 1.0)
SOLIMP = (0.95, 0.99, 0.001, 0.5, 2.0)
PAD_FRICTION = (1.0, 0.005, 0.0001)  # rubber: sliding, torsion (m), rolling (m)
SOLE_FRICTION = (1.0, 0.02, 0.001)

# Fields of a contact sensor: only the force, net force of all contacts, one slot.
NET_FORCE = [1 << int(mujoco.mjtConDataField.mjCONDATA_FORCE), 3, 1]

# link: from, to (m, in the link), radius (m)
CAPSULES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float], float]] = {
    "base_link": ((0.0, -0.060, 0.040), (0.0, 0.060, 0.040), 0.105),
    "torso": ((0.0, -0.060, 0.270), (0.0, 0.060, 0.270), 0.115),
    "head": ((0.0, 0.0, 0.050), (0.0, 0.0, 0.075), 0.090),
}
SIDE_CAPSULES = {
    "thigh": ((0.0, 0.0, -0.060), (0.0, 0.0, -0.360), 0.062),
    "shank": ((0.0, 0.0, -0.030), (0.0, 0.0, -0.330), 0.048),
    "upper_arm": ((0.0, 0.0, -0.020), (0.0, 0.0, -0.270), 0.042),
    "forearm": ((0.0, 0.0, -0.020), (0.0, 0.0, -0.240), 0.036),
}


def _touching(geom: mujoco.MjsGeom, contype: int, conaffinity: int) -> mujoco.MjsGeom:
    geom.contype, geom.conaffinity = contype, conaffinity
    geom.group = GROUP
    geom.mass = 0.0
    geom.solref, geom.solimp = SOLREF, SOLIMP
    return geom


def quat_along(direction: np.ndarray) -> np.ndarray:
    """Quaternion (w, x, y, z) whose z axis is ``direction`` (3,)."""
    R = np.roll(frame_along(direction), -1, axis=1)
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, R.ravel())
    return quat


def add_capsule(body: mujoco.MjsBody, name: str, start, end, radius: float, **fields) -> mujoco.MjsGeom:  # type: ignore[no-untyped-def]
    """A capsule between two points (m, in the body)."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    length = float(np.linalg.norm(end - start))
    return body.add_geom(
        name=name, type=mujoco.mjtGeom.mjGEOM_CAPSULE, size=(radius, length / 2, 0.0), pos=(start + end) / 2,
        quat=quat_along(end - start), **fields,
    )  # fmt: skip


def add_body_geoms(bodies: dict[str, mujoco.MjsBody]) -> None:
    """Capsules of the body and boxes of the feet, named ``{link}_contact``."""
    rows = CAPSULES | {f"{s}_{name}": row for s in SIDES for name, row in SIDE_CAPSULES.items()}
    for link, (start, end, radius) in rows.items():
        geom = add_capsule(bodies[link], f"{link}_contact", start, end, radius)
        _touching(geom, 0, WORLD | OBJECT).condim = 3
    for s in SIDES:
        geom = bodies[f"{s}_sole"].add_geom(
            name=f"{s}_sole_contact", type=mujoco.mjtGeom.mjGEOM_BOX, size=np.array(SOLE_SIZE) / 2,
            pos=(SOLE_CENTRE, 0.0, SOLE_SIZE[2] / 2),
        )  # fmt: skip
        _touching(geom, 0, WORLD | OBJECT)
        geom.condim, geom.friction = 3, SOLE_FRICTION


def add_pad_geom(body: mujoco.MjsBody, name: str, pad: Pad) -> None:
    """The touching geom of one pad."""
    if pad.size is None:
        geom = add_capsule(body, name, pad.start, pad.end, pad.radius)
    else:
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, pad.R_link_pad.ravel())
        geom = body.add_geom(
            name=name, type=mujoco.mjtGeom.mjGEOM_BOX, size=pad.size, pos=pad.start, quat=quat
        )
    contype, conaffinity = 0, WORLD | OBJECT
    if pad.taxel.startswith("thumb"):
        contype = THUMB
    else:
        conaffinity |= THUMB
        if pad.taxel.startswith("palm"):
            conaffinity |= FINGER
        elif pad.taxel.endswith("distal") or pad.taxel.endswith("_middle"):
            contype = FINGER
    _touching(geom, contype, conaffinity)
    geom.condim, geom.friction = 4, PAD_FRICTION


def exclude_hand_pairs(spec: mujoco.MjSpec, side: str) -> None:
    """Neighbours across one joint more than MuJoCo excludes by itself."""
    for link in ("thumb_metacarpal",):
        spec.add_exclude(name=f"{side}_{link}_palm", bodyname1=f"{side}_{link}", bodyname2=f"{side}_wrist")
