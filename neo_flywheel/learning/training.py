"""Trains on from the running model and makes a model folder of it; killed, it goes on from its checkpoint.

A training goes through the phases of ``phases.yaml``: the whole model, then parts of it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from neo_description.errors import NeoError
from neo_flywheel import files
from neo_flywheel.learning.stage import Say
from neo_flywheel.store.catalogue import Catalogue
from neo_world_model import card, checkpoint, config, runtime
from neo_world_model.export import export
from neo_world_model.store import Store
from neo_world_model.train import train

PHASES = Path(__file__).with_name("phases.yaml")
OF_A_RUN = ("stores", "start", "anew", "frozen", "trained", "minutes", "steps", "schedule", "sharding",
            "device", "evaluate_every", "evaluate_batches")  # fmt: skip


@cache
def _phases() -> dict[str, dict[str, Any]]:
    """Name → ``share`` and settings, in order."""
    return yaml.safe_load(PHASES.read_text())


def settings(
    stores: Sequence[Path], start: Path | None, recipe: str, overrides: dict[str, Any]
) -> dict[str, SimpleNamespace]:
    """Phase → its settings, of a training on ``stores``: those of the model in ``start`` where it is given,
    else the ``recipe``'s, under ``overrides``. A phase gets its share of the minutes or steps; where the
    overrides say which parts are ``trained``, one phase does that. Where no store is large enough to hold out
    every ``held_out``-th episode, it holds out its last.
    """
    basis: dict[str, Any] = {}
    if start is not None:
        basis = {k: v for k, v in runtime.card(start)["settings"].items() if k not in OF_A_RUN}
        basis |= {"start": str(start.resolve())}
    given = {**basis, **overrides, "stores": [str(store.resolve()) for store in stores]}
    largest = max((len(Store(store).episodes) for store in stores), default=0)
    if largest < 2:
        raise NeoError(f"{largest} episodes to train on; 2 or more, one of them to measure by")
    whole = config.load(recipe, **given)
    found = {}
    for name, row in ({"all": {"share": 1.0}} if "trained" in overrides else _phases()).items():
        own = {key: value for key, value in row.items() if key != "share"}
        length = {
            "minutes": row["share"] * whole.minutes, "steps": max(round(row["share"] * whole.steps), 1),
            "held_out": min(whole.held_out, largest), "stores": given["stores"],
        }  # fmt: skip
        found[name] = config.load(recipe, **{**basis, **own, **overrides, **length})
    return found


def fit(phases: dict[str, SimpleNamespace], folder: Path, say: Say) -> dict[str, Any]:
    """Train in ``folder``, a run a phase, each on from the one before; or go on. Steps and seconds of all,
    and ``run``, the last, with its figures.
    """
    steps, seconds, before = 0, 0.0, ""
    figures: dict[str, float] = {}
    for name, chosen in phases.items():
        if before:
            chosen = SimpleNamespace(**{**vars(chosen), "start": str((folder / before).resolve())})
        say(f"training: {name}")
        about = train(chosen, folder / name, say)
        steps, seconds, before = steps + about["step"], seconds + about["seconds"], name
        figures = {name: value for name, value in about["figures"].items() if isinstance(value, float)}
    return {"run": before, "step": steps, "seconds": seconds, "figures": figures}


def ship(run: Path, folder: Path) -> dict[str, Any]:
    """The model of ``run`` as a folder that may be released: weights, graphs, card; its weights' sha256."""
    model, about = checkpoint.load(run)
    checkpoint.ship(run, folder)
    export(model, folder)
    measured = [card.Measured(k, v, "") for k, v in about["figures"].items() if isinstance(v, float)]
    (folder / card.README).write_text(card.document(folder, measured))
    return {"model": str(folder), "weights": weights(folder)}


def weights(folder: Path) -> str:
    """The sha256 of a model's weights: who it is."""
    file = folder / checkpoint.WEIGHTS
    if not file.is_file():
        raise NeoError(f"no weights in {folder}: {checkpoint.WEIGHTS} is missing")
    return files.sha256(file)


def enter(catalogue: Catalogue, name: str, dataset: str, start: Path | None, about: dict[str, Any]) -> None:
    """The run's row in the catalogue, made from its dataset and, where that is known, the running one's."""
    parents = [("dataset", dataset)]
    if start is not None:
        digest = weights(start)
        for product in catalogue.products("run"):
            if product["about"].get("weights") == digest and product["name"] != name:
                parents.append(("run", product["name"]))
    catalogue.add_product("run", name, parents, about=about)
