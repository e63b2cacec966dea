"""Things that no two scenes share: the registry's classes in other colours, sizes, masses and frictions.

Classes that a hand takes (``neo_task/takes.yaml``) are drawn as things, landmarks of prompts (tray, basket)
as what things are put on or in.

Some pairs of colour and class are kept from training, so that there is something unseen to be asked for.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from neo_description import objects
from neo_task.grasp_pose import takes
from neo_world_model.prompts import landmarks

COUNT = (4, 6)  # things of a scene
BESIDE = (3, 4)  # things of a scene with something to put them on or in, which needs room
COLORS = ("red", "blue", "green", "yellow", "orange", "purple", "white")
PLAIN = "grey"  # for what no thing's colour is left
UNSEEN = (("white", "can"), ("green", "ball"), ("blue", "cup"), ("yellow", "bottle"), ("red", "box"),
          ("orange", "fruit"), ("purple", "bottle"), ("green", "box"))  # fmt: skip
SEEN_SIZE, UNSEEN_SIZE = ((0.88, 1.15),), ((0.78, 0.86), (1.17, 1.25))  # times the registry's


@cache
def _classes() -> dict[str, dict[str, Any]]:
    """Class → the first row of the registry that is of it, as written."""
    rows = yaml.safe_load(objects.OBJECTS.read_text())["objects"]
    out: dict[str, dict[str, Any]] = {}
    for row in rows.values():
        out.setdefault(row["class"], row)
    return out


@cache
def _taken() -> tuple[str, ...]:
    """The classes that a hand takes."""
    ways = takes()
    return tuple(name for name in _classes() if name in ways)


def draw(
    rng: np.random.Generator, unseen: bool = False, count: tuple[int, int] = COUNT
) -> dict[str, dict[str, Any]]:
    """Rows of a registry, each of another colour and class; ``unseen``: the first is of those kept back."""
    pairs = [(color, name) for name in _taken() for color in COLORS]
    pairs = [pairs[i] for i in rng.permutation(len(pairs)) if pairs[i] not in UNSEEN]
    chosen = pairs[: int(rng.integers(count[0], count[1] + 1))]
    if unseen:
        chosen[0] = UNSEEN[int(rng.integers(len(UNSEEN)))]
    return {
        f"{color}_{name}_{i}": _row(color, name, rng, UNSEEN_SIZE if unseen and i == 0 else SEEN_SIZE)
        for i, (color, name) in enumerate(chosen)
    }


def landmark(rng: np.random.Generator, rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The row of something that things may be put on or in, of no colour of ``rows``."""
    name = str(rng.choice(sorted(landmarks())))
    used = {row["color"] for row in rows.values()}
    color = str(rng.choice([color for color in COLORS if color not in used] or [PLAIN]))
    return {f"{color}_{name}": _row(color, name, rng, SEEN_SIZE)}


def _row(
    color: str, name: str, rng: np.random.Generator, sizes: tuple[tuple[float, float], ...]
) -> dict[str, Any]:
    row = copy.deepcopy(_classes()[name])
    across, up = (float(rng.uniform(*sizes[int(rng.integers(len(sizes)))])) for _ in range(2))
    if any(shape["type"] in objects.ROLLING for shape in row["shapes"]):
        up = across
    for shape in row["shapes"]:
        if shape["type"] in ("cylinder", "capsule"):
            radius, height = shape["size"]
            shape["size"] = [radius * across, height * up]
        else:
            *flat, high = shape["size"]
            shape["size"] = [*(x * across for x in flat), high * up]
        shape["at"] *= up
        shape["offset"] = [x * across for x in shape.get("offset", (0.0, 0.0))]
    return row | {"color": color, "mass": row["mass"] * across**2 * up}


@contextmanager
def registry(rows: dict[str, dict[str, Any]]) -> Iterator[Path]:
    """A file that holds ``rows``, as ``objects_file`` wants it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "objects.yaml"
        file.write_text(yaml.safe_dump({"objects": rows}))
        yield file
