"""Scenes: the robot, a room, a table, objects at seeded places. Rows of ``scenes.yaml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import yaml

from neo_description import postures, room, yaml_table
from neo_description.builder import build_robot
from neo_description.errors import NeoError
from neo_description.index import RobotIndex
from neo_description.objects import Thing, registry

SCENES = Path(__file__).with_name("scenes.yaml")
TRIES = 2000


@dataclass(frozen=True)
class SceneObject:
    """An object of a scene: what it is, where its free joint sits in ``qpos`` (7,) and ``qvel`` (6,)."""

    name: str
    class_name: str
    color: str
    size: np.ndarray
    mass: float
    friction: float
    crush_force: float | None
    body: int
    qpos: np.ndarray
    qvel: np.ndarray


@dataclass(frozen=True)
class Table:
    """The table: top at ``height``, from x = ``front`` over ``depth``, ``width`` about y = 0 (m)."""

    height: float
    front: float
    depth: float
    width: float


@dataclass(frozen=True)
class Placed:
    """A thing with the middle of its ``foot`` at (3,) m in the world, turned by ``yaw`` rad."""

    thing: Thing
    foot: tuple[float, float, float]
    yaw: float = 0.0


@dataclass(frozen=True)
class Scene:
    """A compiled world. ``qpos`` (nq,): the robot in ``posture``, its soles touching, objects standing.
    ``routing``: of its body's tendons, one of ``routing.ROUTINGS``."""

    name: str
    seed: int
    spec: mujoco.MjSpec
    model: mujoco.MjModel
    index: RobotIndex
    objects: tuple[SceneObject, ...]
    table: Table | None
    posture: str
    qpos: np.ndarray
    routing: str = "fixed"

    def object(self, name: str) -> SceneObject:
        """One object; NeoError names the ones here."""
        for thing in self.objects:
            if thing.name == name:
                return thing
        raise NeoError(f"no object {name!r} in the scene; one of {', '.join(o.name for o in self.objects)}")

    def data(self) -> mujoco.MjData:
        """A new state at ``qpos``, at rest, forward-computed."""
        data = mujoco.MjData(self.model)
        data.qpos[:] = self.qpos
        mujoco.mj_forward(self.model, data)
        return data


def known(file: Path = SCENES) -> tuple[str, ...]:
    """Names of the scenes of ``file``."""
    return tuple(_rows(file))


def _rows(file: Path) -> dict[str, Any]:
    try:
        return yaml_table.read(file)
    except (OSError, yaml.YAMLError) as error:
        raise NeoError(f"cannot read scenes from {file}: {error}") from None


def _row(name: str, file: Path | str | None) -> dict[str, Any]:
    rows = _rows(SCENES)
    if file is not None:
        rows = rows | _rows(Path(file))
    if name not in rows:
        raise NeoError(f"no scene {name!r}; one of {', '.join(rows)}")
    return rows[name]


def _places(row: dict[str, Any], things: list[Thing], rng: np.random.Generator) -> list[np.ndarray]:
    """(x, y, yaw) for each of ``things``, ``row["apart"]`` m between any two middles, or as much more as they
    are wide, however they are turned."""
    region, first, apart = row["region"], row.get("first", {}), row["apart"]
    round_ = [float(np.hypot(*thing.size[:2])) / 2 for thing in things]
    for _ in range(TRIES):
        places: list[np.ndarray] = []
        for thing, radius in zip(things, round_, strict=True):
            own = thing.name == first.get("object")
            box = first if own else row["wide"] if _wide(thing, row) else region
            side = rng.choice((-1.0, 1.0)) if own and first.get("either_side") else 1.0
            for _ in range(50):
                spot = np.array(
                    [rng.uniform(*box["x"]), side * rng.uniform(*box["y"]), rng.uniform(-np.pi, np.pi)]
                )
                near = zip(places, round_, strict=False)
                if all(np.hypot(*(spot - other)[:2]) >= max(apart, radius + r) for other, r in near):
                    places.append(spot)
                    break
            else:
                break
        if len(places) == len(things):
            return places
    raise NeoError(f"{len(things)} objects do not fit {apart} m apart into x {region['x']}, y {region['y']}")


def _wide(thing: Thing, row: dict[str, Any]) -> bool:
    return "wide" in row and max(thing.size[:2]) > row["wide"]["over"]


def make(
    name: str = "kitchen_table",
    seed: int = 0,
    objects: tuple[str, ...] | list[str] | None = None,
    objects_file: Path | str | None = None,
    scene_file: Path | str | None = None,
    routing: str = "fixed",
) -> Scene:
    """The scene ``name``, objects placed by ``seed``.

    ``objects`` replaces the scene's own list; ``objects_file`` and ``scene_file`` add rows to the
    registries ``objects.yaml`` and ``scenes.yaml``; ``routing``: of the body's tendons.
    """
    row = _row(name, scene_file)
    table = Table(**row["table"]) if "table" in row else None
    wanted = list(row.get("objects", ()) if objects is None else objects)
    if wanted and table is None:
        raise NeoError(f"scene {name} has no table to put {', '.join(wanted)} on")
    if len(set(wanted)) != len(wanted):
        raise NeoError(f"objects named twice: {', '.join(wanted)}")
    things = registry(objects_file)
    unknown = [thing for thing in wanted if thing not in things]
    if unknown:
        raise NeoError(f"no object {', '.join(unknown)}; one of {', '.join(things)}")
    first = row.get("first", {}).get("object")
    ordered = sorted((things[w] for w in wanted), key=lambda t: (t.name != first, not _wide(t, row)))
    placed: list[Placed] = []
    if table is not None and ordered:
        spots = _places(row, ordered, np.random.default_rng(seed))
        placed = [
            Placed(thing, (x, y, table.height), yaw)
            for thing, (x, y, yaw) in zip(ordered, spots, strict=True)
        ]
    return furnish(name, placed, table, row["posture"], seed, routing)


def furnish(
    name: str,
    placed: Sequence[Placed],
    table: Table | None = None,
    posture: str = "ready",
    seed: int = 0,
    routing: str = "fixed",
) -> Scene:
    """A scene by hand: the room, a table where one is given, things where they are placed, on it or not.

    ``posture``: row of ``postures.yaml`` in which the robot begins; ``seed`` is only noted.
    """
    spec = build_robot(routing=routing)
    room.add_room(spec)
    if table is not None:
        room.add_table(spec, table.height, table.front, table.depth, table.width)
    for one in placed:
        one.thing.add_to(spec, np.array(one.foot), one.yaw)
    model = spec.compile()
    index = RobotIndex(model)
    data = mujoco.MjData(model)
    postures.place(index, data, posture)
    return Scene(
        name=name,
        seed=seed,
        spec=spec,
        model=model,
        index=index,
        objects=tuple(_object(model, one.thing) for one in placed),
        table=table,
        posture=posture,
        qpos=data.qpos.copy(),
        routing=routing,
    )


def _object(model: mujoco.MjModel, thing: Thing) -> SceneObject:
    joint = model.joint(f"{thing.name}_joint")
    return SceneObject(
        name=thing.name,
        class_name=thing.class_name,
        color=thing.color,
        size=thing.size,
        mass=thing.mass,
        friction=thing.friction,
        crush_force=thing.crush_force,
        body=model.body(thing.name).id,
        qpos=joint.qposadr[0] + np.arange(7),
        qvel=joint.dofadr[0] + np.arange(6),
    )
