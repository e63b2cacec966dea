"""``graph.yaml`` as data: the topics, services, actions and nodes of the robot, without ROS."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from neo_description.errors import NeoError

GRAPH_YAML = Path(__file__).with_name("graph.yaml")


@cache
def table() -> dict[str, dict[str, dict[str, Any]]]:
    """The whole of ``graph.yaml``: ``topics``, ``services``, ``actions``, ``nodes``."""
    return yaml.safe_load(GRAPH_YAML.read_text())


def entry(kind: str, name: str) -> dict[str, Any]:
    """The row of ``name`` among ``kind`` (topics, services, actions); NeoError lists the known names."""
    rows = table()[kind]
    if name not in rows:
        raise NeoError(f"no {name!r} among the {kind} of {GRAPH_YAML.name}; one of {', '.join(rows)}")
    return rows[name]
