"""Held-out pairs tried: from a start towards the picture of a goal, 50 steps of the environment at most.

That is stable-worldmodel's evaluation: the goal lies 25 steps on in the same episode, the budget is twice
that, and a pair is done as soon as the environment says so (disc and T together within 20 px, the T within
20°). Every 25 steps a plan begins that ends at the goal; every SKIP steps what is left of it is bettered from
what is seen then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from neo_bringup.pusht.data import HORIZON, SKIP, Pair
from neo_bringup.pusht.model import ACTION
from neo_bringup.pusht.plan import Search, plan
from neo_bringup.pusht.world import World

BUDGET = 50  # steps of the environment
WAYS = ("replay", "random")  # of acting without a model
ABREAST = 10  # pairs planned for at once


def by_model(
    model: Any, pairs: list[Pair], look: str, search: Search, seed: int, say: Callable[[str], None]
) -> list[bool]:
    """Whether each pair is done by planning with ``model``."""
    out: list[bool] = []
    generator = torch.Generator().manual_seed(seed)
    for i in range(0, len(pairs), ABREAST):
        out += _abreast(model, pairs[i : i + ABREAST], look, search, generator)
        say(f"{sum(out)} of {len(out)} done")
    return out


def _abreast(
    model: Any, pairs: list[Pair], look: str, search: Search, generator: torch.Generator
) -> list[bool]:
    worlds = [World(look) for _ in pairs]
    goals = []
    for world, pair in zip(worlds, pairs, strict=True):
        world.reset(0)
        goals.append(world.show(pair.goal))
        world.begin(pair.start, pair.goal)
    goal = _encoded(model, goals)
    done = np.zeros(len(pairs), bool)
    plans = torch.zeros(len(pairs), HORIZON, ACTION)
    for t in range(BUDGET // SKIP):
        left = HORIZON - t % HORIZON
        at = np.flatnonzero(~done)
        if not len(at):
            break
        z = _encoded(model, [worlds[i].picture() for i in at])
        first = plans[at, -left:] if left < HORIZON else torch.zeros(len(at), HORIZON, ACTION)
        found = plan(model, z, goal[at], first, search, generator)
        plans[at, -left:] = found
        for i, actions in zip(at, found[:, 0].numpy(), strict=True):
            done[i] = any(worlds[i].step(a)[1] for a in actions.reshape(SKIP, 2))
    return done.tolist()


@torch.no_grad()
def _encoded(model: Any, pictures: list[np.ndarray]) -> torch.Tensor:
    return model.encode(torch.from_numpy(np.stack(pictures)))


def without_model(way: str, pairs: list[Pair], seed: int) -> list[bool]:
    """``replay``: the actions that were taken; ``random``: uniform ones."""
    world, rng, out = World(), np.random.default_rng([seed, 5]), []
    for pair in pairs:
        world.begin(pair.start, pair.goal)
        actions = pair.actions[:BUDGET] if way == "replay" else rng.uniform(-1.0, 1.0, (BUDGET, 2))
        out.append(any(world.step(action)[1] for action in actions))
    return out
