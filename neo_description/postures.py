"""Named postures of the whole robot, from ``postures.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import mujoco
import numpy as np
import yaml

from neo_description import hand
from neo_description.errors import NeoError
from neo_description.index import RobotIndex
from neo_description.tables import BODY, HAND, SIDES

POSTURES = Path(__file__).with_name("postures.yaml")


@dataclass(frozen=True)
class Posture:
    """``body`` (31,) and ``hand`` (22,) rad in table order; both hands take the same."""

    name: str
    body: np.ndarray
    hand: np.ndarray


def _body(row: dict[str, float], name: str) -> np.ndarray:
    q = np.zeros(len(BODY.joints))
    for joint, angle in row.items():
        if joint in BODY.joints:
            q[BODY.index(joint)] = angle
            continue
        for side in SIDES:
            if f"{side}_{joint}" not in BODY.joints:
                raise NeoError(f"posture {name}: no joint {joint!r}; one of {', '.join(BODY.joints)}")
            mirrored = side == "r" and joint.rsplit("_", 1)[1] != "pitch"
            q[BODY.index(f"{side}_{joint}")] = -angle if mirrored else angle
    beyond = [
        j for j, a, lo, hi in zip(BODY.joints, q, BODY.q_min, BODY.q_max, strict=True) if not lo <= a <= hi
    ]
    if beyond:
        raise NeoError(f"posture {name}: outside the limits: {', '.join(beyond)}")
    q.setflags(write=False)
    return q


@cache
def postures(file: Path = POSTURES) -> dict[str, Posture]:
    """All postures of ``file`` by name."""
    half_open = np.array([hand.HALF_OPEN.get(joint, 0.0) for joint in HAND.joints])
    half_open.setflags(write=False)
    flat = np.zeros(len(HAND.joints))
    flat.setflags(write=False)
    hands = {"flat": flat, "half_open": half_open}
    known = {}
    for name, row in yaml.safe_load(file.read_text()).items():
        if row.get("hand") not in hands:
            raise NeoError(f"posture {name}: hand {row.get('hand')!r}; one of {', '.join(hands)}")
        known[name] = Posture(name, _body(row.get("joints", {}), name), hands[row["hand"]])
    return known


def posture(name: str) -> Posture:
    """One posture; NeoError names the known ones."""
    known = postures()
    if name not in known:
        raise NeoError(f"no posture {name!r}; one of {', '.join(known)}")
    return known[name]


def place(index: RobotIndex, data: mujoco.MjData, which: Posture | str, floor: float = 0.0) -> None:
    """Put the robot into a posture: flat soles on height ``floor`` (m), the pelvis over x = y = 0.

    The pelvis leans by what hips, knees and ankles add up to.
    """
    which = posture(which) if isinstance(which, str) else which
    base = index.base_qpos
    data.qpos[base] = (0, 0, 0, 1, 0, 0, 0)
    data.qpos[index.body_qpos] = which.body
    for side_index in index.hands.values():
        data.qpos[side_index.qpos] = which.hand
    mujoco.mj_kinematics(index.model, data)
    sole = data.xmat[index.body("l_sole")].reshape(3, 3)
    lean = np.arctan2(sole[0, 2], sole[2, 2])  # of the sole in the pelvis, about y
    data.qpos[base[3:]] = (np.cos(lean / 2), 0.0, -np.sin(lean / 2), 0.0)
    mujoco.mj_kinematics(index.model, data)
    lowest = min(data.xpos[index.body(f"{side}_sole")][2] for side in SIDES)
    data.qpos[base[2]] = floor - lowest
    mujoco.mj_kinematics(index.model, data)
    mujoco.mj_comPos(index.model, data)
