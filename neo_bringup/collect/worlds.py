"""Worlds that differ: colours, light, mass, friction and places by seed, and unusual ones on purpose."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from neo_bringup.collect import things
from neo_description import scenes
from neo_description.errors import NeoError
from neo_description.scenes import Scene, Table

USUAL = 0.25  # chance that the scene's own things stand there
DEFAULT_RGBA = np.array([0.5, 0.5, 0.5, 1.0], np.float32)  # of a MuJoCo geom that is given none
EDGE = 0.05  # m from the table's edge that a thing near it stands


def make(scene: str, seed: int, kind: dict[str, Any], unseen: bool = False) -> Scene:
    """The scene ``scene``, things and layout by ``seed``, changed as the row ``kind`` of kinds.yaml says.

    ``unseen``: the first thing is of a colour, class and size that are never drawn otherwise.
    """
    rng = np.random.default_rng([seed, 5])
    landmark = bool(kind.get("landmark"))
    if rng.random() < USUAL and not unseen and not landmark:
        made = scenes.make(scene, seed)
    else:
        rows = things.draw(rng, unseen, things.BESIDE if landmark else things.COUNT)
        if landmark:
            rows |= things.landmark(rng, rows)
        with things.registry(rows) as file:
            made = scenes.make(scene, seed, objects=list(rows), objects_file=file)
    _looks(made.model, rng)
    for thing in made.objects:
        low, high = kind.get("friction", (0.5 * thing.friction, 1.2 * thing.friction))
        _friction(made.model, thing.body, float(rng.uniform(low, high)))
        low, high = kind.get("mass", (0.6, 1.5))
        _mass(made.model, thing.body, float(rng.uniform(low, high)))
    mujoco.mj_setConst(made.model, mujoco.MjData(made.model))  # what follows from masses
    if kind.get("near_edge"):
        places = _at_edge(made, rng)
        for thing, place in zip(made.objects[1:], places, strict=False):
            made.qpos[thing.qpos[:3]] = place
    return made


def _looks(model: mujoco.MjModel, rng: np.random.Generator) -> None:
    """Every shape's colour by up to a tenth, so that things keep the name of theirs; light by a quarter.

    A shape's own colour hides its material unless it is MuJoCo's default: such a shape's material changes.
    """
    own = (model.geom_matid < 0) | (model.geom_rgba != DEFAULT_RGBA).any(axis=1)
    for colours, which in ((model.geom_rgba, own), (model.mat_rgba, slice(None))):
        change = rng.uniform(0.9, 1.1, (len(colours), 3))[which]
        colours[which, :3] = np.clip(colours[which, :3] * change, 0.0, 1.0)
    model.light_diffuse[:] = np.clip(model.light_diffuse * rng.uniform(0.75, 1.25), 0.0, 1.0)


def said(scene: Scene) -> tuple[str, ...]:
    """The things of a scene as a prompt names them."""
    return tuple(f"{thing.color} {thing.class_name}" for thing in scene.objects)


def _friction(model: mujoco.MjModel, body: int, friction: float) -> None:
    model.geom_friction[model.geom_bodyid == body, 0] = friction


def _mass(model: mujoco.MjModel, body: int, times: float) -> None:
    model.body_mass[body] *= times
    model.body_inertia[body] *= times


def table_of(scene: Scene) -> Table:
    """NeoError when there is none."""
    if scene.table is None:
        raise NeoError(f"scene {scene.name} has no table with an edge")
    return scene.table


def _at_edge(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """(n, 3) m: places on the table close to its near or a side edge, 12 cm and more apart, shuffled."""
    table = table_of(scene)
    near = [(table.front + EDGE, y) for y in np.linspace(-0.36, 0.36, 5)]
    sides = [(x, side * (table.width / 2 - EDGE)) for side in (-1, 1) for x in (0.42, 0.56)]
    places = np.array([(*place, table.height) for place in near + sides])
    places[:, :2] += rng.uniform(-0.02, 0.02, (len(places), 2))
    return rng.permutation(places)
