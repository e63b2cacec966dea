"""Held-out tasks for the gate: every model gets the same, over an engine; what is done stays done.

    tasks = Tasks(engine, trial, range(500_000, 500_040), folder, print)
    tasks([candidate, running])          # of each model (n,) bool

``folder/trials.jsonl`` keeps a line a trial, by the model's graphs: a gate that was killed goes on, and a
model that was tried before is not tried again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.engine import Engine
from neo_description.errors import NeoError
from neo_flywheel import files
from neo_world_model.runtime import CARD

Trial = Callable[[int, str], dict[str, Any]]  # seed, model folder → at least ``success``
KEPT = "trials.jsonl"


def do_task(seed: int, model: str) -> dict[str, Any]:
    """A prompt in a simulated world of its own, done by the planner ``world_model`` by its own eyes."""
    from neo_bringup.world_model_bench.do_task import OWN_EYES, trial

    return trial(seed, "world_model", model, settings=OWN_EYES)


class Tasks:
    """Callable as :data:`neo_flywheel.learning.gate.Tasks`."""

    def __init__(
        self, engine: Engine, trial: Trial, seeds: Sequence[int], folder: Path, say: Callable[[str], None]
    ):
        if not seeds:
            raise NeoError("no held-out task: give at least one seed")
        self._engine, self._trial, self._seeds, self._say = engine, trial, seeds, say
        self._file = folder / KEPT

    def __call__(self, models: Sequence[Path]) -> list[np.ndarray]:
        names = [digest(model) for model in models]
        kept = self._kept()
        jobs = [
            (name, seed, str(model.resolve()))
            for seed in self._seeds
            for name, model in dict(zip(names, models, strict=True)).items()
            if (name, seed) not in kept
        ]
        wanted = len(self._seeds) * len(set(names))
        for (name, seed, _), row in self._engine.map(partial(_run, self._trial), jobs):
            kept[name, seed] = bool(row["success"])
            self._keep({"model": name, "seed": seed, **row})
            done = [s for n, s in kept if n in names and s in self._seeds]
            self._say(f"task {len(done)} of {wanted}: {'done' if row['success'] else 'not done'}")
        return [np.array([kept[name, seed] for seed in self._seeds]) for name in names]

    def _kept(self) -> dict[tuple[str, int], bool]:
        """A line that was cut off counts for nothing."""
        found: dict[tuple[str, int], bool] = {}
        for line in self._file.read_text().splitlines() if self._file.exists() else ():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            found[row["model"], row["seed"]] = bool(row["success"])
        return found

    def _keep(self, row: dict[str, Any]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as stream:
            stream.write("\n" * _cut_off(self._file) + json.dumps(row) + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def _cut_off(file: Path) -> bool:
    """Whether the last line has no end."""
    content = file.read_bytes()
    return bool(content) and not content.endswith(b"\n")


def _run(trial: Trial, job: tuple[str, int, str]) -> dict[str, Any]:
    _, seed, model = job
    return trial(seed, model)


def digest(model: Path) -> str:
    """Of the graphs and the card: what acts."""
    parts = [files.sha256(file) for file in [*sorted(model.glob("*.onnx")), model / CARD]]
    return hashlib.sha256("".join(parts).encode()).hexdigest()
