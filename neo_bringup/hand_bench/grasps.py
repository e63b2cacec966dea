"""Each grasp of the taxonomy shown on the rig: pre-shape, way in, close, lift, hold, shake.

What is taken, how it stands and how the hand comes is data: ``benchmarks/hand/grasps.yaml``. The place is
scattered by seed, and the hand goes where the table of demonstrations says the thing nominally is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import yaml

from neo_bringup.hand_bench.hold_trial import shaking
from neo_description import objects
from neo_description.contact import OBJECT, SOLIMP, SOLREF, WORLD
from neo_description.errors import NeoError
from neo_description.hand import R_WORLD_WRIST, directions
from neo_description.signals import GraspPhase, HandAction, HandCommand
from neo_sim.hand_env import HandEnv
from neo_sim.hand_rig import HandRig, turned
from neo_sim.hand_rig_model import Scenery

DEMONSTRATIONS = Path(__file__).parents[2] / "benchmarks" / "hand" / "grasps.yaml"
BODY = "taken"
WAY, LIFT = 0.10, 0.10  # m
WAY_SPEED, LIFT_SPEED = 0.10, 0.12  # m/s
HOLD, SHAKE = 3.0, 2.0  # s
MOVED = 0.05  # m: most motion in the hand
ENDED = (GraspPhase.HOLDING, GraspPhase.LOST)


@dataclass(frozen=True)
class Demonstration:
    """How one grasp is shown. ``R_world_hand`` (3, 3): columns u to the fingertips, v to the thumb, w out of
    the palm of a right hand; a left hand is its mirror image in world y. ``at`` (3,) m: the thing's origin
    from the gripper and ``way_in`` (3,) the unit vector of the last way, both in u, v, w; ``width`` m;
    ``scatter``: ± m, m, rad in world x, y, yaw.
    """

    grasp: str
    geoms: tuple[dict[str, Any], ...]
    stand: tuple[dict[str, Any], ...]
    mass: float
    friction: float
    width: float
    R_world_hand: np.ndarray
    at: np.ndarray
    way_in: np.ndarray
    scatter: tuple[float, float, float]


def _unit(v: Any) -> np.ndarray:
    v = np.asarray(v, float)
    return v / np.linalg.norm(v)


def _geoms(rows: list[dict[str, Any]], where: str) -> tuple[dict[str, Any], ...]:
    """Shapes in MuJoCo's words. ``size``: full lengths, radius first where there is one."""
    out = []
    for row in rows:
        kind, at = row["type"], row["at"]
        if kind not in objects.KINDS:
            raise NeoError(f"{where}: shape type {kind!r}; one of {', '.join(objects.KINDS)}")
        rgb = objects.colors()[row.get("color", "grey")]
        shape = objects.Shape(kind, tuple(map(float, row["size"])), 0.0, rgb)
        quat = np.zeros(4)
        mujoco.mju_euler2Quat(quat, np.array(row.get("turn", [0.0, 0.0, 0.0]), float), "XYZ")
        pos = [0.0, 0.0, at] if np.isscalar(at) else at
        out.append(
            {"type": objects.KINDS[kind][0], "size": shape.mujoco_size(), "pos": pos, "quat": quat,
             "rgba": (*rgb, 1.0), "condim": 6 if kind in objects.ROLLING else 4}
        )  # fmt: skip
    return tuple(out)


def _demonstration(name: str, row: dict[str, Any]) -> Demonstration:
    try:
        if "thing" in row:
            thing = objects.registry()[row["thing"]]
            shapes = [
                {"type": s.kind, "size": s.size, "at": s.at, "color": thing.color} for s in thing.shapes
            ]
            mass, friction = thing.mass, thing.friction
        else:
            shapes, mass, friction = row["shapes"], float(row["mass"]), float(row["friction"])
        fingers, palm = _unit(row["fingers"]), _unit(row["palm"])
        thumb = _unit(np.cross(fingers, palm))
        palm = np.cross(thumb, fingers)
        way, turn = row.get("scatter", [0.008, 0.3])
        return Demonstration(
            name,
            _geoms(shapes, name),
            _geoms(row["stand"], name),
            mass,
            friction,
            float(row["width"]),
            np.column_stack([fingers, thumb, palm]),
            np.array(row["at"], float),
            _unit(row["way_in"]),
            (way, way, turn),
        )
    except KeyError as error:
        raise NeoError(f"{DEMONSTRATIONS.name}: {name} lacks {error}") from None


@cache
def demonstrations() -> dict[str, Demonstration]:
    """Grasp → how it is shown."""
    rows = yaml.safe_load(DEMONSTRATIONS.read_text())
    stands = rows.pop("stands")
    return {
        name: _demonstration(name, {**row, "stand": stands[row.get("stand", "table")]})
        for name, row in rows.items()
    }


def scenery(demo: Demonstration, rng: np.random.Generator) -> Scenery:
    """The thing and what it stands on, scattered together; its origin is the world's, on the stand."""
    x, y, yaw = rng.uniform(-1.0, 1.0, 3) * demo.scatter
    mass, friction = demo.mass * rng.uniform(0.8, 1.2), demo.friction + rng.uniform(-0.1, 0.1)
    place = {"pos": (x, y, 0.0), "quat": (np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2))}

    def add(spec: mujoco.MjSpec) -> None:
        stand = spec.worldbody.add_body(name="stand", **place)
        for row in demo.stand:
            geom = stand.add_geom(**{**row, "contype": WORLD, "conaffinity": OBJECT, "condim": 4})
            geom.friction = (0.5, 0.005, 0.0001)
        body = spec.worldbody.add_body(name=BODY, **place)
        body.add_freejoint(name=f"{BODY}_joint")
        for row in demo.geoms:
            geom = body.add_geom(**row, contype=WORLD | OBJECT, conaffinity=WORLD | OBJECT, priority=1)
            geom.friction = (friction, 0.005, 0.002 if row["condim"] == 6 else 0.0001)
            geom.solref, geom.solimp = SOLREF, SOLIMP
            geom.density = 1000.0
        _weigh(body, demo, mass)

    return add


def _weigh(body: mujoco.MjsBody, demo: Demonstration, mass: float) -> None:
    """Spread ``mass`` kg over the body's shapes by volume."""
    spec = mujoco.MjSpec()
    alone = spec.worldbody.add_body(name=BODY)
    for row in demo.geoms:
        alone.add_geom(**row, density=1000.0)
    whole = float(spec.compile().body(BODY).mass[0])
    for geom in body.geoms:
        geom.density = 1000.0 * mass / whole


class Showing:
    """One demonstration on the rig: :meth:`close`, :meth:`lift`, :meth:`shake`; ``more``: scenery beside."""

    def __init__(self, grasp: str, seed: int, side: str = "", more: Sequence[Scenery] = ()):
        table = demonstrations()
        if grasp not in table:
            raise NeoError(f"no demonstration of {grasp!r}; one of {', '.join(table)}")
        self.demo = demo = table[grasp]
        self.side = side or "rl"[seed % 2]
        self.rig = HandRig(
            self.side,
            seed=seed,
            scenery=[scenery(demo, np.random.default_rng(seed)), *more],
            mounts={self.side: (0.0, 0.0, 0.0)},
        )
        D_world = R_WORLD_WRIST @ directions(self.side)
        R_world_hand = demo.R_world_hand.copy()
        if self.side == "l":
            R_world_hand[1] *= -1.0
        self._way_in = R_world_hand @ demo.way_in
        self._grip = -R_world_hand @ demo.at
        self._turn = _angles(R_world_hand @ D_world.T)
        self.rig.carry(self.at(WAY), at_once=True)
        mujoco.mj_forward(self.rig.model, self.rig.data)
        self.env = HandEnv(self.rig)

    def at(self, back: float, up: float = 0.0) -> np.ndarray:
        """Carriage target (6,) ``back`` m before the grasp on the way in, ``up`` m above it."""
        shift = self._grip - back * self._way_in + np.array([0.0, 0.0, up])
        return turned(self.side, shift, self._turn)

    def close(self) -> bool:
        """Pre-shape, go in, close; whether the hand says that it holds."""
        env, demo = self.env, self.demo
        env.command(HandCommand(HandAction.PRESHAPE, grasp=demo.grasp, width=demo.width))
        env.run(0.8, lambda u, t: self.at(WAY))
        env.run(WAY / WAY_SPEED, lambda u, t: self.at(WAY * (1 - u)))
        env.run(0.2, lambda u, t: self.at(0.0))
        env.command(HandCommand(HandAction.CLOSE, grasp=demo.grasp, width=demo.width))
        env.run(3.0, lambda u, t: self.at(0.0), lambda: env.phase() in ENDED)
        held = env.phase() == GraspPhase.HOLDING
        env.run(0.2, lambda u, t: self.at(0.0))
        return held

    def lift(self) -> None:
        """Lift and hold still."""
        self.env.run(LIFT / LIFT_SPEED, lambda u, t: self.at(0.0, LIFT * u))
        self.env.run(HOLD, lambda u, t: self.at(0.0, LIFT))

    def shake(self) -> None:
        """As every trial shakes: :func:`neo_bringup.hand_bench.hold_trial.shaking`."""
        self.env.run(SHAKE, lambda u, t: self.at(0.0, LIFT) + shaking(t))

    @property
    def privileged_height(self) -> float:
        """Of the thing's origin above where it stood (m)."""
        return float(self.rig.data.body(BODY).xpos[2])

    @property
    def privileged_place(self) -> np.ndarray:
        """(3,) m: the thing's middle of mass in the gripper's frame."""
        site = self.rig.data.site(f"{self.side}_gripper")
        return site.xmat.reshape(3, 3).T @ (self.rig.data.body(BODY).xipos - site.xpos)


def _angles(R: np.ndarray) -> np.ndarray:
    """(3,) rad: x, y, z with R = Rx Ry Rz."""
    y = np.arcsin(np.clip(R[0, 2], -1.0, 1.0))
    if abs(R[0, 2]) > 1.0 - 1e-9:  # x and z turn about the same line
        return np.array([np.arctan2(R[2, 1], R[1, 1]), y, 0.0])
    return np.array([np.arctan2(-R[1, 2], R[2, 2]), y, np.arctan2(-R[0, 1], R[0, 0])])


def measure(grasp: str, seed: int) -> dict[str, Any]:
    """One trial: held at the end, lifted, and moved by less than 5 cm in the hand; lengths m, forces N."""
    showing = Showing(grasp, seed)
    closed = showing.close()
    before, begun = showing.privileged_place, len(showing.env.privileged_force[showing.side])
    showing.lift()
    lifted = showing.privileged_place
    showing.shake()
    moved = float(np.linalg.norm(showing.privileged_place - before))
    held = showing.env.phase() == GraspPhase.HOLDING
    return {
        "success": bool(held and showing.privileged_height > LIFT - MOVED and moved < MOVED),
        "closed": bool(closed),
        "held": bool(held),
        "privileged_height": showing.privileged_height,
        "privileged_moved": moved,
        "privileged_slip_lift": float(np.linalg.norm(lifted - before)),
        "privileged_peak": float(showing.env.privileged_smooth_force(begun).max()),
    }
