"""WeakPolicy's episodes on disk, windows of them to train on, and held-out pairs of start and goal.

    pictures.npy   (episodes, FRAMES, SIZE, SIZE, 3) uint8, one every SKIP steps
    actions.npy    (episodes, STEPS, 2) float32
    states.npy     (episodes, STEPS + 1, 7) float64, of the environment

Episode i is drawn from seed FIRST + i, so that more of them begin with the same ones. Held out are those of
other seeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SKIP = 5  # steps of the environment that one step of a model spans
STEPS = 100  # of an episode
FRAMES = STEPS // SKIP + 1
HORIZON = 5  # model steps from a start to its goal: 25 of the environment, as stable-worldmodel evaluates
SEEDS = {"train": 1_000_000, "held_out": 9_000_000}
SAID = 200  # episodes between two lines of progress


@dataclass
class Episodes:
    """The arrays of a folder, not read before they are used."""

    pictures: np.ndarray
    actions: np.ndarray
    states: np.ndarray

    @classmethod
    def open(cls, folder: Path) -> Episodes:
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS))

    def __len__(self) -> int:
        return len(self.actions)

    def windows(self, count: int, length: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Pictures (count, length, SIZE, SIZE, 3), actions between them (count, length - 1, 2 * SKIP)."""
        episode = rng.integers(len(self), size=count)
        first = rng.integers(FRAMES - length + 1, size=count)
        pictures = np.stack([self.pictures[e, t : t + length] for e, t in zip(episode, first, strict=True)])
        steps = SKIP * (length - 1)
        actions = np.stack(
            [self.actions[e, SKIP * t : SKIP * t + steps] for e, t in zip(episode, first, strict=True)]
        )
        return pictures, actions.reshape(count, length - 1, 2 * SKIP)


def recolour(pictures: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """``pictures`` (n, …, 3) uint8, about ``share`` of the n in other colours: channels change places, each
    has another gain and gamma. One of the n is a window: within it colours are alike.
    """
    levels, out = np.arange(256) / 255.0, pictures.copy()
    for i in np.flatnonzero(rng.random(len(pictures)) < share):
        for to, channel in enumerate(rng.permutation(3)):
            table = rng.uniform(0.7, 1.0) * levels ** np.exp(rng.uniform(-0.7, 0.7))
            out[i, ..., to] = np.round(255.0 * table).astype(np.uint8)[pictures[i, ..., channel]]
    return out


@dataclass(frozen=True)
class Pair:
    """Two states of one held-out episode, HORIZON * SKIP steps apart, and the actions (…, 2) from one to the
    other and on to the episode's end.
    """

    start: np.ndarray
    goal: np.ndarray
    actions: np.ndarray


ARRAYS = ("pictures", "actions", "states")


def pairs(episodes: Episodes, count: int, seed: int) -> list[Pair]:
    """``count`` pairs, each of another episode, drawn by ``seed``."""
    rng = np.random.default_rng([seed, 11])
    out = []
    for e in rng.choice(len(episodes), count, replace=False):
        t = SKIP * int(rng.integers(FRAMES - HORIZON))
        states = episodes.states[e]
        out.append(Pair(states[t].copy(), states[t + SKIP * HORIZON].copy(), episodes.actions[e, t:].copy()))
    return out


def collect(folder: Path, kind: str, count: int, say: Callable[[str], None]) -> None:
    """Writes ``count`` episodes to ``folder`` unless they are there; ``kind``: one of :data:`SEEDS`."""
    about = folder / "about.json"
    if about.exists() and json.loads(about.read_text()) == {"kind": kind, "episodes": count}:
        return
    from neo_bringup.pusht.world import SIZE, Weak, World

    folder.mkdir(parents=True, exist_ok=True)
    about.unlink(missing_ok=True)
    shapes = {
        "pictures": ((count, FRAMES, SIZE, SIZE, 3), np.uint8),
        "actions": ((count, STEPS, 2), np.float32),
        "states": ((count, STEPS + 1, 7), np.float64),
    }
    to = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, shape)
        for name, (shape, dtype) in shapes.items()
    }
    world = World()
    for e in range(count):
        seed = SEEDS[kind] + e
        to["states"][e, 0] = world.reset(seed)
        to["pictures"][e, 0] = world.picture()
        weak = Weak(world, seed)
        for t in range(STEPS):
            to["actions"][e, t] = weak.action()
            to["states"][e, t + 1], _ = world.step(to["actions"][e, t])
            if (t + 1) % SKIP == 0:
                to["pictures"][e, (t + 1) // SKIP] = world.picture()
        if (e + 1) % SAID == 0:
            say(f"{e + 1} of {count} episodes")
    for array in to.values():
        array.flush()
    about.write_text(json.dumps({"kind": kind, "episodes": count}))
