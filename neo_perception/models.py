"""What is known beforehand of each class of things: shapes and typical sizes, from the object registry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neo_description.objects import Thing, colors, registry

KNOWN, SIMILAR = 0.06, 0.2  # relative spread of size: an entry of the registry, another colour of its class
GREYS = ("white", "grey", "black")  # colours that too many things have to guess a class by shape alone
LEAST = 0.003  # m: spread of a size
THIN = 0.005  # m: flatter parts are paint, such as a cup's dark inside


@dataclass(frozen=True)
class Segment:
    """A cylinder of a stack: from the share ``low`` of the whole height to ``high``; ``radius`` m."""

    low: float
    high: float
    radius: float


@dataclass(frozen=True)
class Model:
    """A class of things, of one colour: ``size`` (3,) m along its own axes, with spread ``sigma`` (3,).

    ``shape`` is ``spheroid`` (upright axis), ``box`` or ``stack`` (of upright cylinders, ``segments``).
    """

    class_name: str
    color: str
    shape: str
    size: np.ndarray
    sigma: np.ndarray
    segments: tuple[Segment, ...] = ()
    known: bool = True


def of_thing(thing: Thing) -> Model:
    """The model of one entry of the registry."""
    size = thing.size
    parts = [shape for shape in thing.shapes if shape.extent[2] > THIN]
    kind = {"sphere": "spheroid", "ellipsoid": "spheroid", "box": "box"}.get(parts[0].kind, "stack")
    segments: tuple[Segment, ...] = ()
    if kind == "stack":
        segments = tuple(
            Segment(
                (shape.at - shape.extent[2] / 2) / size[2],
                (shape.at + shape.extent[2] / 2) / size[2],
                float(shape.extent[0] / 2),
            )
            for shape in parts
        )
    return Model(thing.class_name, thing.color, kind, size, np.maximum(KNOWN * size, LEAST), segments)


class Models:
    """All models of the registry (and ``objects_file`` over it), by colour; a class also in other colours.

    ``colors``: of whole things. ``trims``: for each, the colours of lesser parts that things of it may have.
    """

    def __init__(self, objects_file: Path | str | None = None) -> None:
        self._models = [of_thing(thing) for thing in registry(objects_file or None).values()]
        self.colors = tuple(dict.fromkeys(model.color for model in self._models))
        self.trims = _trims(objects_file)

    def of(self, color: str) -> list[Model]:
        """Models that a thing of ``color`` may be: entries in that colour, then the other classes."""
        known = [model for model in self._models if model.color == color]
        if color in GREYS:
            return known
        classes = {model.class_name for model in known}
        others = []
        for model in self._models:
            if model.class_name not in classes:
                classes.add(model.class_name)
                sigma = np.maximum(SIMILAR * model.size, LEAST)
                others.append(replace(model, color=color, sigma=sigma, known=False))
        return known + others


def _trims(objects_file: Path | str | None) -> dict[str, set[str]]:
    names = {tuple(rgb): name for name, rgb in colors(objects_file or None).items()}
    trims: dict[str, set[str]] = {}
    for thing in registry(objects_file or None).values():
        parts = {names[shape.rgb] for shape in thing.shapes} - {thing.color}
        trims.setdefault(thing.color, set()).update(parts)
    return trims
