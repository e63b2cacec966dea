"""Policies, good and bad, ranked by what is imagined of them and by what they do.

The policies are the model's own with handicaps, for nothing else tells good from bad as surely. Each picks up
the same things twice: in the simulator, where a judge who knows the truth scores how far it came, and in
imagination, from the first states alone, where the model's own progress does. There the policy is told
imagined senses, and where imagined states say that its things have gone. What counts is whether both rank
them alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from neo_bringup.collect import worlds
from neo_bringup.collect.recording import IMAGE
from neo_bringup.collect.worlds import said
from neo_description.tables import SIDES
from neo_sim.env import NeoEnv
from neo_world_model import checkpoint, prompts
from neo_world_model.modalities import features, part
from neo_world_model.runtime import Runtime

SCENE = "kitchen_table"
TIMEOUT = 15.0  # s
EVERY = 10  # ticks between two looks of the judge
CHUNKS, TAKEN = 25, 4  # plans that are imagined one after the other, and steps taken of each
NEAR, UP = 0.10, 0.08  # m
Handicap = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # of a plan (n, horizon, action size)


def _off(metres: float) -> Handicap:
    """Grippers are sent so far to the left of where they should go."""

    def handicap(action: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        out = action.copy()
        for side in SIDES:
            out[..., part("action", f"{side}_gripper").start + 1] += (
                metres / features("action")["l_gripper"][1]
            )
        return out

    return handicap


def _trembling(metres: float) -> Handicap:
    def handicap(action: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        out = action.copy()
        for side in SIDES:
            at = part("action", f"{side}_gripper").start
            noise = metres * rng.standard_normal((*action.shape[:-1], 3))
            out[..., at : at + 3] += noise / features("action")["l_gripper"][1]
        return out

    return handicap


def _without(name: str, highest: float) -> Handicap:
    """Of both sides' ``name`` no more than ``highest``."""

    def handicap(action: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        out = action.copy()
        for side in SIDES:
            at = part("action", f"{side}_{name}")
            out[..., at] = np.minimum(out[..., at], highest)
        return out

    return handicap


POLICIES: dict[str, Handicap] = {
    "as trained": _off(0.0),
    "4 cm off": _off(0.04),
    "10 cm off": _off(0.10),
    "trembling 8 cm": _trembling(0.08),
    "never closes": _without("closing", 0.5),
    "hands stay open": _without("closing", 0.0),
    "arms stay down": _without("moves", 0.0),
}


class Handicapped:
    """A runtime whose policy has a handicap; ``asked`` and ``seen`` keep what it was first given."""

    def __init__(self, runtime: Runtime, handicap: Handicap, seed: int):
        self._runtime, self._handicap, self._rng = runtime, handicap, np.random.default_rng([seed, 9])
        self.asked: tuple[np.ndarray, ...] = ()
        self.seen: tuple[np.ndarray, np.ndarray] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    def act(self, *asked: np.ndarray) -> tuple[np.ndarray, ...]:
        """As the runtime's."""
        self.asked = self.asked or tuple(x.copy() for x in asked)
        action, progress, goal, towards = self._runtime.act(*asked)
        return self._handicap(action, self._rng).astype(np.float32), progress, goal, towards

    def imagine(self, past: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As the runtime's."""
        if self.seen is None:
            self.seen = past[0].copy(), action[0, : past.shape[1] - 1].copy()
        return self._runtime.imagine(past, action)


def trial(seed: int, model: str, policy: str) -> dict[str, float]:
    """``done``: how far it came in the simulator, 0 to 1; ``imagined``: the progress that was imagined."""
    runtime = Runtime(model, 1)
    handicapped = Handicapped(runtime, POLICIES[policy], seed)
    scene = worlds.make(SCENE, seed, {})
    asked = prompts.draw(np.random.default_rng([seed, 7]), said(scene), "pick")
    env = NeoEnv(scene, seed, cameras=True, image=IMAGE)
    try:
        env.stand()
        thing = scene.objects[said(scene).index(asked.target)].name
        began = env.plant.privileged.object_pose(thing)[2, 3]
        env.begin(asked.prompt, "world_model", TIMEOUT, handicapped, {"tries": 1})
        nearest = highest = 0.0
        while env.outcome is None:
            env.step(EVERY)
            at = env.plant.privileged.object_pose(thing)[:3, 3]
            hands = [env.plant.data.site(f"{side}_gripper").xpos for side in SIDES]
            away = min(float(np.linalg.norm(hand - at)) for hand in hands)
            nearest = max(nearest, min(1.0, NEAR / max(away, 1e-9)))
            highest = float(np.clip((at[2] - began) / UP, 0.0, 1.0))
        foretold = imagined(handicapped, runtime, gone(model))
        return {"done": 0.4 * nearest + 0.6 * highest, "imagined": foretold}
    finally:
        env.close()


Gone = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def gone(folder: str) -> Gone:
    """Where the things of a prompt go with imagined states, by the model in ``folder``: of the state now
    (state,), those then (h, state), the prompt's bytes, places (2, 3) m now and how far they came in the last
    step (2, 3) m: places (h, 2, 3) m.
    """
    model, _ = checkpoint.load(folder)

    @torch.no_grad()
    def paths(now: np.ndarray, then: np.ndarray, text: np.ndarray, *places: np.ndarray) -> np.ndarray:
        start, moved = (torch.from_numpy(x.astype(np.float32))[None] for x in places)
        states = (torch.from_numpy(x)[None] for x in (now[None], then))
        return model.paths(*states, model.text(torch.from_numpy(text)[None]), start, moved)[0].numpy()

    return paths


def imagined(policy: Handicapped, judge: Runtime, paths: Gone) -> float:
    """The most progress that ``judge`` sees on the way that ``policy`` takes in its imagination, from what it
    was first asked and shown; nothing that came after is used.
    """
    assert policy.seen is not None
    (past, led), (_, text, places, known, proprio, begun) = policy.seen, policy.asked
    best, moved = 0.0, np.zeros_like(places[0])
    for _ in range(CHUNKS):
        action, _, _, _ = policy.act(past[-1:], text, places, known, proprio, begun)
        given = np.concatenate([led, action[0]])[None].astype(np.float32)
        way = judge.imagine(past[None], given)[0].mean(axis=0)[0, :TAKEN]
        went = paths(past[-1], way, text[0], places[0], moved)
        places, moved = went[-1:], went[-1] - went[-2]
        past = np.concatenate([past, way])[-len(past) :]
        led = np.concatenate([led, action[0, :TAKEN]])[-len(led) :]
        proprio = judge.read(past[-1:])["proprio_mean"]
        best = max(best, float(judge.act(past[-1:], text, places, known, proprio, begun)[1][0, 0]))
    return best
