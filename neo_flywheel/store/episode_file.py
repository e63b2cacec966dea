"""An episode as one safetensors file: the same episode is the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from neo_description.errors import NeoError
from neo_world_model.episode import Episode

NAME = "episode.safetensors"
ABOUT = ("source", "prompt", "success", "seed", "kind", "target", "place")


def save(episode: Episode, file: Path) -> None:
    """Everything that ``episode`` holds."""
    arrays = {f"fields.{name}": values for name, values in episode.fields.items()}
    arrays |= {f"privileged.{name}": values for name, values in episode.privileged.items()}
    arrays["provenance"] = episode.provenance
    if episode.progress is not None:
        arrays["progress"] = episode.progress
    about = {name: getattr(episode, name) for name in ABOUT} | {"things": list(episode.things)}
    whole = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    save_file(whole, file, {"episode": json.dumps(about, sort_keys=True)})  # one key: their order is not kept


def load(file: Path) -> Episode:
    """What :func:`save` wrote; NeoError when the file is something else."""
    try:
        with safe_open(file, "np") as opened:
            about = json.loads(opened.metadata()["episode"])
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, TypeError, KeyError, ValueError) as error:
        raise NeoError(f"{file} is no episode: {error}") from None
    parts: dict[str, dict[str, np.ndarray]] = {"fields": {}, "privileged": {}}
    for name, values in arrays.items():
        group, _, rest = name.partition(".")
        if group in parts:
            parts[group][rest] = values
    about["things"] = tuple(about["things"])
    rows: dict[str, Any] = {**parts, **about}
    return Episode(provenance=arrays["provenance"], progress=arrays.get("progress"), **rows)
