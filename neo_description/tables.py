"""Joint, tendon and pad tables of the robot, read from ``robot.yaml``.

``BODY`` and ``HAND`` hold names, limits and moment arms as arrays in message order. ``HAND`` is one
hand without its side; :func:`prefixed` gives the full names.

A tension vector ``f`` (N) gives joint torques ``tau = A @ f`` (N m), with ``A = group.moment_arms``;
tendon lengths follow joint motion as ``dl = -A.T @ dq`` (m).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from neo_description.errors import NeoError

SIDES = ("l", "r")
ROBOT_YAML = Path(__file__).with_name("robot.yaml")


@dataclass(frozen=True)
class JointGroup:
    """One drive group: ``n`` joints pulled by ``m`` tendons.

    Arrays are read-only. ``joints`` (n), ``tendons`` (m = 2n: plus, minus of each joint in turn; otherwise in
    other hands, see :func:`load_hand`),
    ``q_min``/``q_max`` (n,) rad, ``effort`` (n,) N m, ``velocity`` (n,) rad/s,
    ``pretension``/``tension_max`` (m,) N, ``moment_arms`` (n, m) m.
    """

    joints: tuple[str, ...]
    tendons: tuple[str, ...]
    q_min: np.ndarray
    q_max: np.ndarray
    effort: np.ndarray
    velocity: np.ndarray
    pretension: np.ndarray
    tension_max: np.ndarray
    moment_arms: np.ndarray

    def index(self, joint: str) -> int:
        """Position of ``joint`` in every joint array; ``KeyError`` names the valid ones."""
        try:
            return self.joints.index(joint)
        except ValueError:
            raise KeyError(f"no joint {joint!r}; one of {', '.join(self.joints)}") from None


@cache
def _yaml() -> dict[str, Any]:
    return yaml.safe_load(ROBOT_YAML.read_text())


def _group(rows: list[dict[str, Any]], reserve: float) -> JointGroup:
    joints = tuple(row["name"] for row in rows)
    n = len(joints)
    pull = np.zeros((n, n))  # pull[i, j]: arm of joint j's plus tendon about joint i
    for j, row in enumerate(rows):
        pull[j, j] = row["arm"]
        for crossed, arm in row.get("crosses", {}).items():
            pull[joints.index(crossed), j] = arm
    moment_arms = np.zeros((n, 2 * n))
    moment_arms[:, 0::2] = pull
    moment_arms[:, 1::2] = -pull
    pretension = np.repeat([float(row["pretension"]) for row in rows], 2)
    own_arm = np.repeat(np.diag(pull), 2)
    effort = np.array([float(row["effort"]) for row in rows])
    arrays = {
        "q_min": np.array([row["range"][0] for row in rows], float),
        "q_max": np.array([row["range"][1] for row in rows], float),
        "effort": effort,
        "velocity": np.array([row["velocity"] for row in rows], float),
        "pretension": pretension,
        "tension_max": np.repeat(effort, 2) / own_arm + reserve * pretension,
        "moment_arms": moment_arms,
    }
    for array in arrays.values():
        array.setflags(write=False)
    tendons = tuple(f"{joint}_{end}" for joint in joints for end in ("plus", "minus"))
    return JointGroup(joints=joints, tendons=tendons, **arrays)


def load_hand(path: str | Path) -> JointGroup:
    """Another hand's group, from a file with ``hand`` and ``antagonist_reserve`` as in ``robot.yaml``.

    For routings other than a pair a joint the file lists ``tendons`` of its own, with their arms (m) about
    the joints they cross; the rows of ``hand`` then need neither ``arm`` nor ``pretension``:

        tendons:
          - {name: flexor, arms: {mcp: 0.010, pip: 0.008}, pretension: 1.0, tension_max: 60.0}
    """
    path = Path(path)
    try:
        table = yaml.safe_load(path.read_text())
        rows, tendons = table["hand"], table.get("tendons")
        if tendons is None:
            return _group(rows, table["antagonist_reserve"])
        return _routed(rows, tendons)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as e:
        raise NeoError(f"{path}: no table of a hand: {type(e).__name__}: {e}") from e


def _routed(rows: list[dict[str, Any]], tendons: list[dict[str, Any]]) -> JointGroup:
    joints = tuple(row["name"] for row in rows)
    moment_arms = np.zeros((len(joints), len(tendons)))
    for j, tendon in enumerate(tendons):
        for joint, arm in tendon["arms"].items():
            if joint not in joints:
                raise ValueError(f"tendon {tendon['name']} crosses {joint!r}; joints are {', '.join(joints)}")
            moment_arms[joints.index(joint), j] = arm
    arrays = {
        "q_min": np.array([row["range"][0] for row in rows], float),
        "q_max": np.array([row["range"][1] for row in rows], float),
        "effort": np.array([row["effort"] for row in rows], float),
        "velocity": np.array([row["velocity"] for row in rows], float),
        "pretension": np.array([tendon["pretension"] for tendon in tendons], float),
        "tension_max": np.array([tendon["tension_max"] for tendon in tendons], float),
        "moment_arms": moment_arms,
    }
    for array in arrays.values():
        array.setflags(write=False)
    return JointGroup(joints=joints, tendons=tuple(tendon["name"] for tendon in tendons), **arrays)


def prefixed(side: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """``names`` with the side's prefix: ``index_mcp_flex`` → ``l_index_mcp_flex``."""
    if side not in SIDES:
        raise KeyError(f"no side {side!r}; one of {', '.join(SIDES)}")
    return tuple(f"{side}_{name}" for name in names)


BODY = _group(_yaml()["body"], _yaml()["antagonist_reserve"])
HAND = _group(_yaml()["hand"], _yaml()["antagonist_reserve"])
TAXELS: tuple[str, ...] = tuple(_yaml()["taxels"])
JOINTS: tuple[str, ...] = BODY.joints + prefixed("l", HAND.joints) + prefixed("r", HAND.joints)
TENDONS: tuple[str, ...] = BODY.tendons + prefixed("l", HAND.tendons) + prefixed("r", HAND.tendons)
CONTROL_RATE = int(_yaml()["control_rate"])
PLANT_RATE = int(_yaml()["plant_rate"])
CONTROL_DT = 1.0 / CONTROL_RATE
PLANT_DT = 1.0 / PLANT_RATE


def dynamics(joint: str) -> tuple[float, float, float, float]:
    """Lower and upper limit (rad), armature (kg m²) and damping (N m s/rad) of one of ``JOINTS``."""
    if joint in BODY.joints:
        i = BODY.index(joint)
        effort = float(BODY.effort[i])
        armature, damping = _yaml()["body_armature"] * effort, _yaml()["body_damping"] * effort
        return float(BODY.q_min[i]), float(BODY.q_max[i]), armature, damping
    i = HAND.index(joint[2:])
    return float(HAND.q_min[i]), float(HAND.q_max[i]), _yaml()["hand_armature"], _yaml()["hand_damping"]
