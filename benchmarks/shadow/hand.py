"""The Shadow hand of ``gymnasium-robotics``, told in our words: tables, kinematics and drives for our core.

``hand.yaml`` pairs its joints and pads with ours; ranges, efforts and servo gains are read from its model,
which is loaded from where the other project is installed.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import yaml

from neo_description.errors import NeoError
from neo_description.tables import HAND as OURS
from neo_description.tables import TAXELS, JointGroup

HERE = Path(__file__).parent
PREFIX = "robot0:"
PALM = PREFIX + "palm"  # what our core calls the wrist's frame
SCENE = Path("envs") / "assets" / "hand" / "manipulate_block_touch_sensors.xml"
SPEED = 5.0  # rad/s in the joint table; nothing depends on it

Row = dict[str, Any]


def scene_file() -> Path:
    """The hand's model with 92 touch sensors; NeoError when the other project is not installed."""
    found = find_spec("gymnasium_robotics")
    if found is None or not found.submodule_search_locations:
        raise NeoError("gymnasium-robotics is not installed here: see benchmarks/shadow/requirements.txt")
    return Path(found.submodule_search_locations[0]) / SCENE


def table() -> tuple[dict[str, Row], dict[str, Row]]:
    """Joints and pads of ``hand.yaml``; NeoError when they are not exactly ours, in our order."""
    rows = yaml.safe_load((HERE / "hand.yaml").read_text())
    for what, ours in (("joints", OURS.joints), ("pads", TAXELS)):
        given = tuple(rows[what])
        if given != ours:
            raise NeoError(f"hand.yaml: {what} are {', '.join(given)}; needed: {', '.join(ours)}")
    return rows["joints"], rows["pads"]


def joint_group(ranges: np.ndarray, efforts: np.ndarray) -> JointGroup:
    """The joint table of a hand whose drives take torques: tendons of arm 1 m, without pretension.

    ``ranges`` (22, 2) rad and ``efforts`` (22,) N m, in our order and signs. With these tendons a tension is
    a torque, and ``moment_arms @ tension`` gives back what the controller meant.
    """
    n = len(OURS.joints)
    arms = np.zeros((n, 2 * n))
    arms[:, 0::2], arms[:, 1::2] = np.eye(n), -np.eye(n)
    return JointGroup(
        joints=OURS.joints,
        tendons=OURS.tendons,
        q_min=ranges[:, 0],
        q_max=ranges[:, 1],
        effort=efforts,
        velocity=np.full(n, SPEED),
        pretension=np.zeros(2 * n),
        tension_max=np.repeat(efforts, 2),
        moment_arms=arms,
    )


class Drives:
    """Torques to the set points of position drives, ``torque = gain (target - q)``.

    A joint without a drive of its own (:attr:`of`) hangs on another by a tendon, ``q = ratio q_other``; by
    virtual work its torque counts ``ratio`` times there.
    """

    def __init__(self, rows: dict[str, Row], gain: np.ndarray, low: np.ndarray, high: np.ndarray):
        """``rows`` as in ``hand.yaml``; of the joints that have drives, in our order: ``gain`` N m/rad and
        the limits of their targets (rad, their signs)."""
        names = list(rows)
        self.driven = np.array([i for i, row in enumerate(rows.values()) if "of" not in row])
        self.sign = np.array([row.get("sign", 1) for row in rows.values()], float)
        self._gather = np.eye(len(names))
        for i, row in enumerate(rows.values()):
            if "of" in row:
                self._gather[names.index(row["of"]), i] = row["ratio"]
        self._gain, self._low, self._high = gain, low, high

    def targets(self, torque: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Set points of the driven joints (their signs) for ``torque`` (22,) N m at angles ``q`` (22,) rad.

        What the drives refuse, targets beyond their range, is lost.
        """
        wanted = (self._gather @ torque)[self.driven]
        target = self.sign[self.driven] * (q[self.driven] + wanted / self._gain)
        return np.clip(target, self._low, self._high)


class Addresses:
    """Where the hand's joints, drives and pads are in ``model``."""

    def __init__(self, model: mujoco.MjModel):
        joints, pads = table()
        self.joints, self.pads = joints, pads
        ids = [model.joint(PREFIX + row["name"]).id for row in joints.values()]
        self.joint = np.array(ids)
        self.q = model.jnt_qposadr[ids]
        self.sign = np.array([row.get("sign", 1) for row in joints.values()], float)
        self.actuator = np.array(
            [model.actuator(f"{PREFIX}A_{r['name']}").id for r in joints.values() if "of" not in r]
        )
        self.geom = np.array([model.geom(PREFIX + row["geom"]).id for row in pads.values()])
        self.body = model.geom_bodyid[self.geom]
        self.R_body_pad, self.p_body_pad = _pads(model, self.geom, list(pads.values()))
        self.palm = model.body(PALM).id

    def joint_group(self, model: mujoco.MjModel) -> JointGroup:
        """The joint table; a joint that hangs on another has the other's effort over the ratio."""
        ranges = np.sort(model.jnt_range[self.joint] * self.sign[:, None], axis=1)
        own = iter(model.actuator_forcerange[self.actuator, 1])
        efforts: dict[str, float] = {}
        for name, row in self.joints.items():
            efforts[name] = efforts[row["of"]] / row["ratio"] if "of" in row else float(next(own))
        return joint_group(ranges, np.array(list(efforts.values())))

    def drives(self, model: mujoco.MjModel) -> Drives:
        low, high = model.actuator_ctrlrange[self.actuator].T
        return Drives(self.joints, model.actuator_gainprm[self.actuator, 0], low, high)


def _pads(model: mujoco.MjModel, geoms: np.ndarray, rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
    """R (19, 3, 3) and p (19, 3) m of the pads in their bodies: x out of the flesh, y towards the tip."""
    R, p = np.zeros((len(rows), 3, 3)), np.zeros((len(rows), 3))
    for i, (geom, row) in enumerate(zip(geoms, rows, strict=True)):
        out, along = np.asarray(row["out"], float), np.array([0.0, 0.0, 1.0])
        R[i] = np.stack([out, along, np.cross(out, along)], axis=1)
        box = model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_BOX
        thick = model.geom_size[geom, 1] if box else model.geom_size[geom, 0]
        p[i] = model.geom_pos[geom] + out * thick
        p[i, 2] = row.get("at", p[i, 2])
    return R, p


class Kinematics:
    """What :class:`neo_hand_control.hand_kinematics.HandKinematics` is for our hand, of the Shadow hand."""

    def __init__(self, model: mujoco.MjModel):
        self._model, self._data = model, mujoco.MjData(model)
        self._at = Addresses(model)
        moves = [[self._above(body, joint) for joint in self._at.joint] for body in self._at.body]
        self._moves = np.array(moves, float)
        fingers = [name.split("_")[0] for name in TAXELS]
        thumb = [i for i, name in enumerate(TAXELS) if name in ("thumb_proximal", "thumb_distal")]
        others = [i for i, finger in enumerate(fingers) if finger not in ("thumb", "palm")]
        self._pairs = [(i, j) for i in thumb for j in others]
        self.move(np.zeros(len(OURS.joints)))

    def _above(self, body: int, joint: int) -> bool:
        while body > 0:
            if self._model.jnt_bodyid[joint] == body:
                return True
            body = int(self._model.body_parentid[body])
        return False

    def move(self, q: np.ndarray) -> None:
        """Go to joint angles ``q`` (22,) rad."""
        at, d = self._at, self._data
        d.qpos[at.q] = at.sign * q
        mujoco.mj_kinematics(self._model, d)
        R_palm_world, p_palm = d.xmat[at.palm].reshape(3, 3).T, d.xpos[at.palm]
        R_body = d.xmat[at.body].reshape(-1, 3, 3)
        self.R = R_palm_world @ R_body @ at.R_body_pad
        points = d.xpos[at.body] + np.einsum("pij,pj->pi", R_body, at.p_body_pad)
        self.p = (points - p_palm) @ R_palm_world.T
        self._axis = at.sign[:, None] * (d.xaxis[at.joint] @ R_palm_world.T)
        self._anchor = (d.xanchor[at.joint] - p_palm) @ R_palm_world.T

    def touching_itself(self, gap: float) -> np.ndarray:
        """(19,) bool: pads of the thumb and the fingers that are nearer than ``gap`` m to each other."""
        touching = np.zeros(len(TAXELS), bool)
        geom = self._at.geom
        for i, j in self._pairs:
            if mujoco.mj_geomDistance(self._model, self._data, geom[i], geom[j], 0.02, None) < gap:
                touching[i] = touching[j] = True
        return touching

    def push_arms(self) -> np.ndarray:
        """(19, 22) m: torque of each joint for 1 N with which each pad pushes along its normal, J_pᵀ n_p."""
        normal = self.R[:, :, 0]
        arms = np.cross(self.p, normal) @ self._axis.T + normal @ np.cross(self._anchor, self._axis).T
        return arms * self._moves
