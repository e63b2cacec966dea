"""Where perception sees the things that a prompt is about."""

from __future__ import annotations

import numpy as np

from neo_description.errors import RefusedError
from neo_task.planner import Observation
from neo_task.prompt import TABLE, Query, parse
from neo_task.scripted import default_vocabulary
from neo_task.taking import in_plain_view

STALE = 0.3  # s: what was seen longer ago says nothing of now


class Perceived:
    """The target and the place of ``prompt``; of a prompt that the parser does not understand, neither."""

    def __init__(self, prompt: str, objects_file: str = ""):
        try:
            task = parse(prompt, default_vocabulary(objects_file or None))
        except RefusedError:
            self._queries = Query(), Query()
        else:
            self._queries = task.target, task.place

    def places(self, observation: Observation) -> list[np.ndarray | None]:
        """Each (3,) m in odom, None where it is not in plain view."""
        return [self._place(query, observation) for query in self._queries]

    @staticmethod
    def _place(query: Query, observation: Observation) -> np.ndarray | None:
        scene = observation.scene
        if scene is None or observation.time - scene.time > STALE or query.class_name in ("", TABLE):
            return None
        seen = [s for s in in_plain_view(observation, query) if s.thing.last_seen >= scene.time]
        return seen[0].centre if seen else None
