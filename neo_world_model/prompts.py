"""Ways of asking for things by name, from ``prompts.yaml``.

asked = draw(rng, ("red bottle", "green cup", "orange ball"), "place")
asked.prompt                   # "put the red bottle behind the green cup"
asked.target, asked.place      # "red bottle", "green cup"
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from neo_description.errors import NeoError

TABLE = Path(__file__).with_name("prompts.yaml")
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


def draw(rng: np.random.Generator, names: Sequence[str], task: str = "") -> Asked:
    """A prompt about things of ``names``, three or more; ``task``: a row of the table, drawn when empty."""
    if task and task not in table():
        raise NeoError(f"no task {task!r}; one of {', '.join(table())}")
    if len(names) < 3:
        raise NeoError(f"prompts are drawn about three things or more; given {', '.join(names) or 'none'}")
    share = np.array([row["share"] for row in table().values()])
    row = table()[task or str(rng.choice(list(table()), p=share / share.sum()))]
    thing, other, another = (names[i] for i in rng.permutation(len(names))[:3])
    said = str(rng.choice(row["said"]))
    prompt = said.format(thing=thing, other=other, another=another)
    return Asked(prompt, thing, other if "{other}" in said else "")
