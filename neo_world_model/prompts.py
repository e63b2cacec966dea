"""Ways of asking for things by name, from ``prompts.yaml``.

asked = draw(rng, ("red bottle", "green cup", "orange ball"), "place")
asked.prompt                   # "put the red bottle behind the green cup"
asked.target, asked.place      # "red bottle", "green cup"

A ``{tray}`` in the table is the scene's thing of that class: a landmark, which is not asked for itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np
import yaml

from neo_description.errors import NeoError

TABLE = Path(__file__).with_name("prompts.yaml")
DRAWN = {"thing", "other", "another"}  # of the things; other fields of the table are classes of landmarks
NAMED = ("target", "place")  # what a prompt may name


@dataclass(frozen=True)
class Asked:
    """A prompt and the names of what it means; ``place`` is empty where it names none."""

    prompt: str
    target: str
    place: str


@cache
def table() -> dict[str, dict[str, Any]]:
    """The rows of ``prompts.yaml``."""
    return yaml.safe_load(TABLE.read_text())


@cache
def landmarks() -> frozenset[str]:
    """The classes of what things are put on or in."""
    ways = [said for row in table().values() for said in row["said"]]
    return frozenset().union(*map(_fields, ways)) - DRAWN


@cache
def _fields(said: str) -> frozenset[str]:
    return frozenset(field for _, field, _, _ in Formatter().parse(said) if field)


def draw(rng: np.random.Generator, names: Sequence[str], task: str = "") -> Asked:
    """A prompt about things of ``names``, three or more beside landmarks; ``task``: a row of the table, drawn
    when empty."""
    if task and task not in table():
        raise NeoError(f"no task {task!r}; one of {', '.join(table())}")
    there = {name.split()[-1]: name for name in names if name.split()[-1] in landmarks()}
    things = [name for name in names if name not in there.values()]
    if len(things) < 3:
        raise NeoError(f"prompts are drawn about three things or more; given {', '.join(things) or 'none'}")
    ways = {name: _ways(row["said"], there) for name, row in table().items()}
    if task and not ways[task]:
        raise NeoError(f"nothing there for task {task!r}: no {' or '.join(sorted(landmarks()))}")
    tasks = [name for name, said in ways.items() if said]
    share = np.array([table()[name]["share"] for name in tasks])
    said_by = ways[task or str(rng.choice(tasks, p=share / share.sum()))]
    thing, other, another = (things[i] for i in rng.permutation(len(things))[:3])
    said = str(rng.choice(said_by))
    prompt = said.format(thing=thing, other=other, another=another, **there)
    places = {"other": other} | there
    return Asked(prompt, thing, next((places[field] for field in places if field in _fields(said)), ""))


def _ways(said: Sequence[str], there: Mapping[str, str]) -> list[str]:
    """Those ways of asking whose landmarks are ``there``."""
    return [way for way in said if _fields(way) - DRAWN <= set(there)]
