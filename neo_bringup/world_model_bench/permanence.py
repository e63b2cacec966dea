"""Things that stay where they are while nobody looks, and things that do not: is the second a surprise?

A robot looks at a table, away, and back. Meanwhile nothing happens, or one thing is taken away or put
elsewhere: pairs that differ in nothing else. The surprise is the farthest that any thing is from where it was
left, in the looks after. Compared are an untrained model of the same size, and the difference of the pictures
before and after.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from neo_bringup.collect import worlds
from neo_bringup.collect.recording import IMAGE
from neo_bringup.collect.worlds import said
from neo_description.signals import WholeBodyCommand
from neo_description.tables import SIDES
from neo_sim.env import NeoEnv
from neo_world_model.memory import Things
from neo_world_model.runtime import Runtime
from neo_world_model.stepper import EVERY, SAMPLES, Stepper, picture

SCENE = "kitchen_table"
LOOKS, AWAY, BACK = 20, 25, 3  # steps; a thing that is elsewhere for longer is believed to be
SETTLE = 30  # steps until the head has turned back
SHIFT = (0.12, 0.20)  # m, elsewhere
TABLE = (0.36, 0.60, 0.33)  # m: from, to, and to either side
APART, TRIES = 0.10, 50  # m between two middles
GONE = np.array([0.0, 8.0, 0.1])  # m, out of everybody's sight


def pair(seed: int, models: dict[str, Runtime]) -> dict[str, tuple[float, float]]:
    """Model, or "pixels" → surprise when all stays, surprise when it does not."""
    stays, not_ = _surprises(seed, models, False), _surprises(seed, models, True)
    return {name: (stays[name], not_[name]) for name in stays}


def _surprises(seed: int, models: dict[str, Runtime], changes: bool) -> dict[str, float]:
    rng = np.random.default_rng([seed, 8])
    scene = worlds.make(SCENE, seed, {})
    env = NeoEnv(scene, seed, cameras=True, image=IMAGE)
    try:
        env.stand()
        minds = {name: Things(runtime, said(scene)) for name, runtime in models.items()}
        table = np.array([0.48, 0.0, scene.table.height if scene.table else 0.0])
        stepper = Stepper()
        before = _watch(env, stepper, minds, table, LOOKS)[1]
        _watch(env, stepper, minds, np.array([0.3, float(rng.choice([-1.2, 1.2])), 1.4]), AWAY)
        thing, away = int(rng.integers(len(scene.objects))), bool(rng.integers(2))
        if changes:
            _displace(env, thing, GONE if away else _free(env, thing, rng))
        _watch(env, stepper, {}, table, SETTLE)
        off, after = _watch(env, stepper, minds, table, BACK)
        out = {name: float(np.nanmax(rows.mean(axis=0))) for name, rows in off.items()}
        return {**out, "pixels": float(np.abs(after.astype(float) - before).mean())}
    finally:
        env.close()


def _watch(
    env: NeoEnv, stepper: Stepper, minds: dict[str, Things], gaze: np.ndarray, steps: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Look at ``gaze`` (m, odom): what each mind says (steps, things), and the last picture."""
    env.command_body(WholeBodyCommand(valid_for=60.0, gaze=gaze))
    off: dict[str, list[np.ndarray]] = {name: [] for name in minds}
    seen = np.zeros(0)
    for _ in range(steps):
        for _ in range(SAMPLES):
            env.step(EVERY)
        assert env.frame is not None
        seen = picture(env.frame.left, env.frame.right)
        row = stepper.sense(env.plant.body_state(), {s: env.plant.hand_state(s) for s in SIDES}, seen)
        for name, things in minds.items():
            off[name].append(things.look(row, env.body.estimate.T_odom_base))
    return {name: np.array(rows) for name, rows in off.items()}, seen


def _displace(env: NeoEnv, number: int, place: np.ndarray) -> None:
    """Put a thing elsewhere, (3,) m, while nobody looks."""
    thing = env.scene.objects[number]
    env.plant.data.qpos[thing.qpos[:3]] = place
    env.plant.data.qvel[thing.qvel] = 0.0
    mujoco.mj_forward(env.plant.model, env.plant.data)


def _free(env: NeoEnv, number: int, rng: np.random.Generator) -> np.ndarray:
    """(3,) m: a place for a thing :data:`SHIFT` from its own where no other stands; gone if there is none."""
    scene, data = env.scene, env.plant.data
    own = data.qpos[scene.objects[number].qpos[:3]].copy()
    others = [data.qpos[t.qpos[:2]] for i, t in enumerate(scene.objects) if i != number]
    for _ in range(TRIES):
        way = rng.uniform(-np.pi, np.pi)
        place = own + rng.uniform(*SHIFT) * np.array([np.cos(way), np.sin(way), 0.0])
        on_table = TABLE[0] < place[0] < TABLE[1] and abs(place[1]) < TABLE[2]
        if on_table and all(np.hypot(*(place[:2] - other)) > APART for other in others):
            return place
    return GONE


def untrained(folder: str, out: Any) -> Runtime:
    """A model like the one in ``folder`` before its first step, in the folder ``out``."""
    from neo_world_model.export import export
    from neo_world_model.runtime import settings
    from neo_world_model.world_model import WorldModel

    export(WorldModel(settings(folder)), out)
    return Runtime(out, 1)
