"""Cheap stand-ins for what takes a fleet hours: acting, trials, learning, and an engine in this process."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.fleet.acting import Acted
from neo_bringup.flywheel_bench import toy_model
from neo_description.errors import NeoError
from neo_world_model.episode import Episode
from neo_world_model.modalities import PROVENANCE, shapes
from neo_world_model.runtime import card

STEPS = 12
BEGAN = 1_795_870_800.0  # s: a Saturday, 2026-11-28 13:00 UTC
ACT, TRIAL = f"{__name__}:act", f"{__name__}:trial"


def act(seed: int, model: Path) -> Acted:
    """A toy episode; the better the model (its seed), the more often nobody has to help."""
    rng = np.random.default_rng(seed)
    rows = {name: rng.random((STEPS, *shape)).astype(dtype) for name, (shape, dtype) in shapes().items()}
    rows["vision"] = np.full((STEPS, *shapes()["vision"][0]), 90, np.uint8)
    helped = rng.random() > 0.3 + 0.3 * skill(model)
    by = np.full(STEPS, PROVENANCE.index("policy"), np.int8)
    if helped:
        by[STEPS // 2 :] = PROVENANCE.index("teacher")
    episode = Episode(
        "on_policy", rows, by, prompt="pick up the red bottle", success=True, seed=seed, kind="helped",
        progress=np.linspace(0.0, 1.0, STEPS).astype(np.float32),
        privileged={"falls": np.full(STEPS, np.nan, np.float32)},
    )  # fmt: skip
    return Acted(episode, 0.9 * rng.random(STEPS))


def trial(seed: int, model: Path) -> bool:
    """Done when the model's skill is more than the world's difficulty."""
    return bool(np.random.default_rng(seed).random() < 0.2 + 0.3 * skill(model))


def skill(model: Path) -> int:
    """Of a toy: how often it was learned anew."""
    return int(card(model).get("seed", 0))


@dataclass
class Round:
    """As of ``neo_bringup.learning.round``."""

    model: Path
    passed: bool
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


def learn(library, running, folder, settings, engine, say) -> Round:
    """A toy that is a little better than the one that runs."""
    return _learned(library, folder, skill(running) + 1, [], say)


def refuse(library, running, folder, settings, engine, say) -> Round:
    """A toy that the gate does not let through."""
    return _learned(library, folder, 9, ["success 0.1 is less than 0.4"], say)


def _learned(library, folder, seed, reasons, say) -> Round:
    catalogue, name = library.catalogue, folder.name
    rows = catalogue.find(limit=10_000)
    say(f"learns from {len(rows)} episodes")
    catalogue.add_product("dataset", name, episodes=[row.id for row in rows])
    catalogue.add_product("run", name, [("dataset", name)])
    catalogue.add_product("evaluation", name, [("run", name)])
    model = toy_model.write(folder / "export" / "model", seed)
    return Round(model, not reasons, reasons, [], {"episodes": len(rows)})


class Engine:
    """``engine.map`` on a thread; each robot's turn is a process anyway."""

    def map(self, work, jobs):
        with ThreadPoolExecutor(1) as pool:
            for done in as_completed(begun := {pool.submit(work, job): job for job in jobs}):
                yield begun[done], done.result()


def act_and_die_once(seed: int, model: Path) -> Acted:
    """The second time that it is asked, its process dies; never again."""
    asked = Path("asked")
    times = int(asked.read_text()) if asked.exists() else 0
    asked.write_text(str(times + 1))
    if times == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return act(seed, model)


def fall(seed: int, model: Path) -> Acted:
    """Never does."""
    raise NeoError("the robot cannot stand")
