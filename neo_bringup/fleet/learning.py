"""A fleet's settings as those of a round of learning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from neo_bringup.engine import Engine
from neo_bringup.fleet.settings import Settings
from neo_bringup.learning import round as learning
from neo_flywheel.learning.gate import Verdict
from neo_flywheel.store.library import Library

LEAST = 2  # episodes to train on: one of them to measure by
MIX = ["on_policy=1", "sim=1", "teleop=0.1", "human_video=0.3", "web_video=0.3"]
# what robots met counts as much as what they are to remember


def learn(
    library: Library,
    running: Path,
    folder: Path,
    settings: Settings,
    engine: Engine,
    say: Callable[[str], None],
) -> learning.Round:
    """As :func:`neo_bringup.learning.round.learn`, from everything that the fleet sent; refused when that is
    too little yet.
    """
    given = learning.Settings(
        stores=tuple(map(Path, settings.stores)), replay=tuple(map(Path, settings.replays)),
        train={"minutes": settings.minutes, "mix": MIX}, trials=settings.trials,
    )  # fmt: skip
    rows = library.catalogue.find(given.choice.filters, given.choice.limit)
    count = sum(not given.choice.held(row) for row in rows)
    if count < LEAST:
        why = f"{count} of {len(rows)} episodes to train on, the others are held out; {LEAST} are needed"
        return learning.Round(running, Verdict(reasons=[why]).row())
    return learning.learn(library, running, folder, given, engine, say)
