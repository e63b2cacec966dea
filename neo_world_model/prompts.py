"""Ways of asking for things by name, from ``prompts.yaml``.

asked = draw(rng, ("red bottle", "green cup", "orange ball"), "place")
asked.prompt                   # "put the red bottle behind the green cup"
asked.target, asked.place      # "red bottle", "green cup"

A ``{tray}`` in the table is the scene's thing of that class: a landmark, which is not asked for itself.
"""

from __future__ import annotations

import re
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
FIELD = re.compile(r"\{(\w+)\}")


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
    ways = [said for row in table().values() for said in _flat(row)]
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
    ways = {name: _ways(_flat(row), there) for name, row in table().items()}
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


def reworded(rng: np.random.Generator, prompt: str, things: Sequence[str], names: Sequence[str]) -> str:
    """``prompt``, about some of ``things``, in another way that means the same and about others of ``names``
    that are of the same classes: for who is told where the things are, their colours say nothing. Unchanged
    where the table does not know it.
    """
    for ways in (same for row in table().values() for same in row["said"]):
        for way in ways:
            asked = _pattern(way).fullmatch(prompt)
            if asked is not None and set(asked.groupdict().values()) <= set(things):
                return str(rng.choice(ways)).format(**_others(rng, asked.groupdict(), names))
    return prompt


@cache
def _pattern(way: str) -> re.Pattern[str]:
    """What ``way`` says, its fields as groups."""
    return re.compile(FIELD.sub(lambda field: f"(?P<{field[1]}>.+)", way))


def _others(rng: np.random.Generator, named: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Field → another name of the class that ``named`` has there, each once."""
    out: dict[str, str] = {}
    for field, name in named.items():
        alike = [n for n in names if n.split()[-1] == name.split()[-1] and n not in out.values()]
        out[field] = str(rng.choice(alike or [name]))
    return out


def _flat(row: dict[str, Any]) -> list[str]:
    return [way for same in row["said"] for way in same]


def _ways(said: Sequence[str], there: Mapping[str, str]) -> list[str]:
    """Those ways of asking whose landmarks are ``there``."""
    return [way for way in said if _fields(way) - DRAWN <= set(there)]
