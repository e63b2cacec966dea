"""How a model was made: what only its training knows, for ``model.json``. Folders go by their names alone.

made(settings, stores)["command"]      # "neo train laptop --store sim --out runs/train/again --set seed=3"
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from neo_description.here import commit, machine
from neo_world_model import config
from neo_world_model.modalities import table
from neo_world_model.runtime import card
from neo_world_model.store import Store


def made(settings: SimpleNamespace, stores: Sequence[Store]) -> dict[str, Any]:
    """``recipe`` and ``command`` that do it again, ``commit``, ``machine``, and what ``stores`` hold;
    ``before``: the same, ``step`` and ``seconds`` of the run whose weights it begins with.
    """
    recipe, _ = changes(settings)
    before = {}
    if settings.start:
        about = card(settings.start)
        before = {**about.get("made", {}), "step": about["step"], "seconds": about["seconds"]}
    return {
        "before": before,
        "recipe": recipe,
        "command": command(settings),
        "commit": commit(),
        "machine": machine(),
        "stores": [summary(store) for store in stores],
    }


def shareable(settings: dict[str, Any]) -> dict[str, Any]:
    """``settings`` without the paths of a machine."""
    return {
        **settings,
        "stores": [Path(store).name for store in settings["stores"]],
        "start": Path(settings["start"]).name,
    }


def changes(settings: SimpleNamespace, recipe: str | None = None) -> tuple[str, dict[str, Any]]:
    """The recipe that ``settings`` are nearest to, and what they have else; stores are no setting of it.

    ``recipe``: this one instead; empty: the defaults.
    """
    names = ("", *config.recipes()) if recipe is None else (recipe,)
    found = []
    for name in names:
        basis = vars(config.load(name))
        other = {k: v for k, v in vars(settings).items() if k != "stores" and v != basis[k]}
        found.append((name, other))
    return min(found, key=lambda row: len(row[1]))


def command(settings: SimpleNamespace) -> str:
    """The words that train with ``settings`` again; folders are to be found by their names."""
    recipe, other = changes(settings)
    words = ["neo"] if settings.sharding == "none" else ["torchrun", "-m", "neo_bringup.cli"]
    words += ["train", *([recipe] if recipe else [])]
    for store in settings.stores:
        words += ["--store", Path(store).name]
    words += ["--out", "runs/train/again"]
    for name, value in other.items():
        words += ["--set", f"{name}={_said(Path(value).name if name == 'start' else value)}"]
    return shlex.join(words)


def _said(value: Any) -> str:
    """``value`` as YAML reads it back; 1e-05 would be a string."""
    text = json.dumps(value)
    return text.replace("e", ".0e") if isinstance(value, float) and "e" in text and "." not in text else text


def summary(store: Store) -> dict[str, Any]:
    """What a store holds: episodes, steps, hours of the robot's time, seeds, and ``rows`` by source and kind.

    ``success``: share of the episodes of which it is known; None where it is of none.
    """
    by: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for episode in store.episodes:
        by.setdefault((episode["source"], episode["kind"]), []).append(episode)
    seeds = [episode["seed"] for episode in store.episodes]
    rows = [{"source": source, "kind": kind, **_counted(by[source, kind])} for source, kind in sorted(by)]
    return {
        "name": store.folder.name,
        **_counted(store.episodes),
        "seeds": [min(seeds), max(seeds)] if seeds else [],
        "rows": rows,
    }


def _counted(episodes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    steps = sum(episode["steps"] for episode in episodes)
    known = [episode["success"] for episode in episodes if episode["success"] is not None]
    return {
        "episodes": len(episodes),
        "steps": steps,
        "hours": steps / table()["rate"] / 3600.0,
        "success": sum(known) / len(known) if known else None,
    }
