"""How well a version does what is asked for, alone, in worlds that no robot of the fleet ever acts in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.engine import Engine
from neo_bringup.fleet.acting import named
from neo_bringup.fleet.settings import Place
from neo_flywheel import files
from neo_flywheel.learning import bootstrap

FIRST_SEED = 300_000  # above all that anybody learns from, and not the gate's: it chooses by its own
Job = tuple[int, str, str]  # seed, folder of the model, name of the trial


def measure(
    place: Place,
    version: str,
    trials: int,
    trial: str,
    engine: Engine,
    say: Callable[[str], None],
    model: Path | None = None,
) -> None:
    """``trials`` of ``version``, the same worlds for each version; those that are kept are not done again.

    ``model``: where it lies when it is none of the fleet's versions.
    """
    file = place.evaluations / f"{version}.json"
    rows = known(place, version)
    where = str((model or place.models / version).resolve())
    seeds = [FIRST_SEED + i for i in range(trials)]
    jobs: list[Job] = [(seed, where, trial) for seed in seeds if str(seed) not in rows]
    for (seed, _, _), done in engine.map(judged, jobs):
        rows[str(seed)] = bool(done)
        files.write_json(file, rows)
        say(f"version {version}: {len(rows)} held-out trials, {sum(rows.values())} done")


def judged(job: Job) -> bool:
    """One trial."""
    seed, model, trial = job
    return bool(named(trial)(seed, Path(model)))


def known(place: Place, version: str) -> dict[str, bool]:
    """Seed → success, of the trials that were made."""
    file = place.evaluations / f"{version}.json"
    return files.read_json(file, "held-out trials") if file.exists() else {}


def rate(rows: dict[str, bool]) -> dict[str, Any]:
    """Share that succeeded with its 95 % interval; of nothing, None."""
    return _row(len(rows), lambda: bootstrap.rate(_done(rows, list(rows))))


def difference(before: dict[str, bool], after: dict[str, bool]) -> dict[str, Any]:
    """Of two versions over the seeds that both were tried on, paired."""
    both = sorted(set(before) & set(after))
    return _row(len(both), lambda: bootstrap.paired_rate(_done(before, both), _done(after, both)))


def _done(rows: dict[str, bool], seeds: list[str]) -> np.ndarray:
    return np.array([rows[seed] for seed in seeds], bool)


def _row(trials: int, found: Callable[[], bootstrap.Interval]) -> dict[str, Any]:
    if not trials:
        return {"value": None, "low": None, "high": None, "trials": 0}
    mean, low, high = found()
    return {"value": mean, "low": low, "high": high, "trials": trials}
