"""Whether what a prompt asks for may have come about, as far as the robot itself felt and saw it.

A learned policy sometimes believes that it is done when a hand slipped past the thing, or when it put it to
the wrong side. What it says is held against what the prompt means and the robot knows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_task.placing import WAYS
from neo_task.prompt import TABLE, Task

NEAR = 0.30  # m between middles of a thing and what it was put beside
MORE_NEAR = 0.7  # of that, for each further thing
ASIDE = 0.02  # m to the right side of it, at least
MOVED = 0.03  # m along the table with a push or a place
UP = 0.05  # m: up with a pick
OVER = 0.15  # m: farther from the middle nothing is on or in another
PUSHES = {"left": 1.0, "right": -1.0}


@dataclass(frozen=True)
class Felt:
    """Whether a hand ``holds`` something now; ``lifted`` m at most since the task began."""

    holds: bool
    lifted: float


def beside(relation: str, away: np.ndarray, more: int = 0) -> bool:
    """Whether a thing ``away`` (2,) m from another, in odom's axes, is next to it, on the side meant."""
    near = float(np.linalg.norm(away)) < NEAR * (1.0 + MORE_NEAR * more)
    if relation not in WAYS:
        return near
    way = WAYS[relation]
    return near and float(away @ (np.cos(way), np.sin(way))) > ASIDE


def pushed(relation: str, along: float) -> bool:
    """Whether a thing that went ``along`` m to the left was pushed as asked: to that side, or to either."""
    return (PUSHES[relation] * along if relation in PUSHES else abs(along)) > MOVED


def missing(task: Task | None, felt: Felt, places: np.ndarray, before: np.ndarray) -> str:
    """What keeps ``task`` from being done, in words; empty: nothing that is known.

    ``places`` (2, 3) m in odom: target and place now; ``before``: as the task began; NaN: not known. A task
    that is not understood (None) is taken for done.
    """
    if task is None or task.verb in ("look", "reach", "release"):
        return ""
    moved = (places - before)[0, :2]
    if task.verb == "push":
        known = bool(np.isfinite(moved).all())
        done = not known or pushed(task.relation, float(moved[1]))
        return "" if done else f"the {task.target} has not gone {task.relation or 'aside'}"
    if felt.lifted < UP:
        return f"no hand lifted the {task.target}"
    if task.verb == "pick":
        return "" if felt.holds else f"no hand holds the {task.target}"
    away = (places[0] - places[1])[:2]
    if task.verb != "place" or task.place.class_name == TABLE or np.isnan(away).any():
        return ""
    put = np.linalg.norm(away) < OVER if task.relation in ("on", "in") else beside(task.relation, away)
    return "" if put else f"the {task.target} is not {task.relation.replace('_', ' ')} the {task.place}"
