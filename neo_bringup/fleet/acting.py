"""What a robot of a fleet does with its model: a prompt in a world of its own, and a held-out trial.

A fleet takes both by name (``module:function``), for its robots are processes of their own.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neo_description.errors import NeoError
from neo_world_model.episode import Episode
from neo_world_model.modalities import PROVENANCE

ACT = "neo_bringup.fleet.acting:act"
TRIAL = "neo_bringup.fleet.acting:trial"


@dataclass(frozen=True)
class Acted:
    """``surprise``: of each step, the share of held-out ones that surprised less; empty: none is said."""

    episode: Episode
    surprise: np.ndarray

    @property
    def taken_over(self) -> int:
        """Steps in which somebody else acted."""
        return int(np.sum(self.episode.provenance != PROVENANCE.index("policy")))

    @property
    def alone(self) -> bool:
        """Whether the policy did what was asked for, and nobody helped."""
        return bool(self.episode.success) and not self.taken_over


def named(name: str) -> Callable[..., Any]:
    """The function ``module:function``; NeoError when there is none."""
    module, _, function = name.partition(":")
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise NeoError(f"{name!r} names no function: {error}") from None


def act(seed: int, model: Path) -> Acted:
    """The model acts; where it does not get on an operator stands in (kind ``helped`` of ``neo collect``)."""
    from neo_bringup.collect.collect import collect

    episode = collect("helped", seed, model=str(model))
    return Acted(episode, surprise(episode, model))


def surprise(episode: Episode, model: Path) -> np.ndarray:
    """What surprised the model, step by step, from the first that it could foretell on."""
    from neo_world_model.runtime import card
    from neo_world_model.watch import Watcher

    known = card(model)["figures"].get("quantiles", {})
    source = next((name for name in (episode.source, "sim") if name in known), "")
    if not source:
        return np.zeros(0)
    watcher, values = Watcher(model, source), []
    for step in range(len(episode)):
        seen = watcher.step({name: rows[step] for name, rows in episode.fields.items() if name != "action"})
        watcher.passed(episode.fields["action"][step])
        if seen.surprise is not None:
            values.append(seen.surprise.value)
    return np.array(values)


def trial(seed: int, model: Path) -> bool:
    """Whether the model, alone and by its own eyes, does what is asked for in the world of ``seed``."""
    from neo_bringup.learning.tasks import do_task

    return bool(do_task(seed, str(model))["success"])
