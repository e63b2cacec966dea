"""Tendons in the 3D picture: at each joint its pair, on either side of the axis, coloured by tension.

The robot's tendons have moment arms and no routes (``robot.yaml``). So a pair is drawn where it acts: along
the link, just outside its skin, the plus tendon on the side from which a pull turns the joint forwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from neo_bringup.console import meshes
from neo_bringup.console.snapshot import Snapshot
from neo_description.tables import BODY, HAND, SIDES

CLEARANCE = 0.25  # of a strip's thickness, off the skin
LEVELS = 12  # of colour: a smaller change is not sent
SHARE_LENGTH = 0.3  # of the link, to either side of the joint
LONGEST, SHORTEST = 0.09, 0.008  # m, of that
TWIST = 0.5  # |axis x bone| below which a joint turns its bone about itself
UNKNOWN = (154, 163, 171)
RAMP = np.array([[84, 112, 140], [236, 184, 40], [228, 104, 30], [166, 18, 34]], float)  # sRGB


@dataclass(frozen=True)
class Pair:
    """Both tendons of a joint in the frame of ``body``: ``points`` (2, 2, 3) m, plus first; ``width`` m."""

    joint: str
    body: int
    points: np.ndarray
    width: float


def pairs(model: mujoco.MjModel) -> list[Pair]:
    """One for every joint of the robot that tendons move, at its zero position."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    vertices = {
        link.body: np.concatenate([part.vertices for part in link.parts.values()])
        for link in meshes.links(model)
        if link.parts and link.body > 0
    }
    found = []
    for joint in range(model.njnt):
        if model.jnt_type[joint] != mujoco.mjtJoint.mjJNT_HINGE:
            continue
        body = int(model.jnt_bodyid[joint])
        bone = _with_skin(model, body, vertices)
        if bone is None:
            continue
        rotation = data.xmat[bone].reshape(3, 3)
        world = vertices[bone] @ rotation.T + data.xpos[bone]
        own = data.xmat[body].reshape(3, 3)
        skin = (world - data.xpos[body]) @ own - model.jnt_pos[joint]
        lines, width = _beside(model.jnt_axis[joint], skin)
        found.append(Pair(model.joint(joint).name, body, lines + model.jnt_pos[joint], width))
    return found


def _with_skin(model: mujoco.MjModel, body: int, vertices: Mapping[int, np.ndarray]) -> int | None:
    """``body``, or the first below it that has a shape."""
    while body not in vertices:
        below = np.flatnonzero(model.body_parentid == body)
        if not len(below):
            return None
        body = int(below[0])
    return body


def _beside(axis: np.ndarray, skin: np.ndarray) -> tuple[np.ndarray, float]:
    """Lines (2, 2, 3) and their width (m) about a joint at the origin; ``skin`` (n, 3) m of its bone."""
    bone = skin.mean(axis=0)
    length = float(np.linalg.norm(bone))
    along = bone / length if length > 1e-6 else np.array([0.0, 0.0, 1.0])
    out = np.cross(axis, along)
    if np.linalg.norm(out) < TWIST:  # it twists the bone: any side will do
        out = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    out /= np.linalg.norm(out)
    along = np.cross(out, axis) if abs(float(axis @ along)) < TWIST else along
    half = float(np.clip(2.0 * SHARE_LENGTH * length, SHORTEST, LONGEST))
    width = float(np.clip(0.16 * half, 0.0022, 0.009))
    near = skin[np.abs(skin @ along) < half]
    near = near if len(near) else skin
    lines = []
    for side in (1.0, -1.0):
        offset = max(float((near @ (side * out)).max()), 0.0) + CLEARANCE * width
        middle = side * out * offset
        lines.append([middle - half * along, middle + half * along])
    return np.array(lines), width


def _tendons() -> dict[str, tuple[str, int]]:
    """Joint → its group (body, l or r) and the place of its plus tendon there; minus follows."""
    rows = {joint: ("body", 2 * place) for place, joint in enumerate(BODY.joints)}
    for side in SIDES:
        rows |= {f"{side}_{joint}": (side, 2 * place) for place, joint in enumerate(HAND.joints)}
    return rows


class TendonView:
    """Strips below the robot's links; ``path`` gives a body's name in viser's scene."""

    def __init__(self, viser_scene: Any, model: mujoco.MjModel, path: Callable[[int], str]) -> None:
        tendons = _tendons()
        self._strips: list[tuple[Any, str, int]] = []
        for pair in pairs(model):
            if pair.joint not in tendons:
                continue
            handle = viser_scene.add_line_segments(
                f"{path(pair.body)}/tendons_{pair.joint}",
                pair.points.astype(np.float32),
                np.tile(colour(-1), (2, 2, 1)),  # one for each end: viser's lines cannot change to that later
                thickness=pair.width,
            )
            self._strips.append((handle, *tendons[pair.joint]))
        self._levels = np.full((len(self._strips), 2), -2)

    def put(self, snapshot: Snapshot) -> None:
        """Colour each by the square root of its share of the limit, grey where nothing was heard."""
        shares = {"body": _shares(snapshot.body_tension, BODY.tension_max)}
        for side in SIDES:
            view = snapshot.hands.get(side)
            shares[side] = _shares(None if view is None else view.tension, HAND.tension_max)
        for strip, (handle, group, place) in enumerate(self._strips):
            levels = shares[group][place : place + 2]
            if (levels != self._levels[strip]).any():
                self._levels[strip] = levels
                handle.colors = np.repeat(np.array([colour(level) for level in levels])[:, None], 2, axis=1)


def colour(level: int) -> np.ndarray:
    """(3,) uint8 of a level, 0 to LEVELS, grey below; linear light, as viser takes colours of lines."""
    at = level / LEVELS * (len(RAMP) - 1)
    ramp = [np.interp(at, np.arange(len(RAMP)), RAMP[:, channel]) for channel in range(3)]
    srgb = np.array(UNKNOWN if level < 0 else ramp, float) / 255.0
    return np.rint(255.0 * srgb**2.2).astype(np.uint8)


def _shares(tension: np.ndarray | None, limit: np.ndarray) -> np.ndarray:
    """Levels of colour, -1 where unknown."""
    if tension is None:
        return np.full(len(limit), -1)
    share = np.sqrt(np.clip(np.nan_to_num(tension, nan=0.0) / limit, 0.0, 1.0))
    return np.where(np.isfinite(tension), np.rint(LEVELS * share), -1).astype(int)
