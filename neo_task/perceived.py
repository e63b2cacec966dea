"""Where perception sees the things that a prompt is about.

Of several that may be meant the surest is taken for it, and stays so while it is in sight and for a while
after, unless another is much surer: when an arm hides a ball, the fruit of its colour is not the ball.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from neo_description.errors import RefusedError
from neo_task.planner import Observation
from neo_task.prompt import TABLE, Query, Task, parse
from neo_task.scripted import default_vocabulary
from neo_task.taking import in_plain_view

STALE = 0.3  # s: what was seen longer ago says nothing of now
FAITH = 3.0  # s after its last sight in which only one that is surer, by MUCH, is taken for it
MUCH = 0.25  # of confidence


def understood(prompt: str, objects_file: str = "") -> Task | None:
    """``prompt`` as the parser reads it; None where it does not."""
    try:
        return parse(prompt, default_vocabulary(objects_file or None))
    except RefusedError:
        return None


@dataclass
class _Meant:
    """What is taken for the thing that ``query`` means: track ``id``, when it was ``seen`` last (s)."""

    query: Query
    id: int = 0
    seen: float = -math.inf
    confidence: float = 0.0


class Perceived:
    """The target and the place of ``task``; of a prompt that was not understood, neither."""

    def __init__(self, task: Task | None):
        queries = (Query(), Query()) if task is None else (task.target, task.place)
        self._meant = [_Meant(query) for query in queries]

    def places(self, observation: Observation) -> list[np.ndarray | None]:
        """Each (3,) m in odom, None where it is not in plain view."""
        return [self._place(meant, observation) for meant in self._meant]

    @staticmethod
    def _place(meant: _Meant, observation: Observation) -> np.ndarray | None:
        scene, query = observation.scene, meant.query
        if scene is None or observation.time - scene.time > STALE or query.class_name in ("", TABLE):
            return None
        seen = [s for s in in_plain_view(observation, query) if s.thing.last_seen >= scene.time]
        same = [s for s in seen if s.thing.id == meant.id]
        least = meant.confidence + MUCH if scene.time - meant.seen < FAITH else 0.0
        chosen = next((s for s in seen if s.thing.confidence >= least), None)
        if same and (chosen is None or chosen.thing.confidence < same[0].thing.confidence + MUCH):
            chosen = same[0]
        if chosen is None:
            return None
        meant.id, meant.seen = chosen.thing.id, scene.time
        meant.confidence = chosen.thing.confidence
        return chosen.centre
