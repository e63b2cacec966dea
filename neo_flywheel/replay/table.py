"""``nodes.yaml`` as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from neo_description.errors import NeoError
from neo_description.graph import entry

NODES = Path(__file__).with_name("nodes.yaml")


@dataclass(frozen=True)
class Tolerance:
    """Largest difference of a value that is none: ``most`` in each message, ``mean`` over all (None: any)."""

    most: float = 0.0
    mean: float | None = None


@dataclass(frozen=True)
class Output:
    """A topic that the node gives; ``stamp``: the field that says which state a message belongs to."""

    stamp: str
    tolerance: dict[str, Tolerance] = field(default_factory=dict)

    def allowed(self, name: str, rounding: float = 0.0) -> Tolerance:
        """Of the field ``name``; ``rounding``: what numbers may be off besides."""
        named = next((t for glob, t in self.tolerance.items() if fnmatchcase(name, glob)), None)
        return named or Tolerance(rounding)


@dataclass(frozen=True)
class Call:
    """A service that was called when ``told_by`` got the values ``when``."""

    service: str
    request: dict[str, Any]
    told_by: str
    when: dict[str, Any]


@dataclass(frozen=True)
class Enabled:
    """The node did something when ``field`` of an output was not ``idle`` once."""

    topic: str
    field: str
    idle: Any


@dataclass(frozen=True)
class Budget:
    """``cpu_us`` of CPU time for each driving message; ``latency_ms``: 99 % of its answers within."""

    cpu_us: float
    latency_ms: float


@dataclass(frozen=True)
class Row:
    """How one node is replayed; fields as ``nodes.yaml`` explains them."""

    node: str
    module: str
    name: str
    drive: str
    answer: str
    outputs: dict[str, Output]
    enabled: Enabled
    budget: Budget
    least: int
    inputs: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    sparse: bool = False
    rounding: float = 0.0

    @property
    def wanted(self) -> tuple[str, ...]:
        """Topics that a bag is read for."""
        return tuple(dict.fromkeys([self.drive, *self.inputs, *(call.told_by for call in self.calls)]))


@cache
def nodes() -> dict[str, Row]:
    """Every row by the node's name."""
    return {name: _row(name, about) for name, about in yaml.safe_load(NODES.read_text()).items()}


def row(node: str) -> Row:
    """The row of ``node``; NeoError names those there are."""
    if node not in nodes():
        raise NeoError(f"no node {node!r} in {NODES.name}; one of {', '.join(nodes())}")
    return nodes()[node]


def type_of(topic: str) -> str:
    """The type of a topic of ours, ``package/msg/Name``; NeoError when ``graph.yaml`` has no such topic."""
    return entry("topics", topic)["type"]


def _row(node: str, about: dict[str, Any]) -> Row:
    outputs = {
        topic: Output(
            out["stamp"], {glob: Tolerance(**rule) for glob, rule in out.get("tolerance", {}).items()}
        )
        for topic, out in about["outputs"].items()
    }
    return Row(
        node, about["module"], about["name"], about["drive"], about["answer"], outputs,
        Enabled(**about["enabled"]), Budget(**about["budget"]), about["least"],
        tuple(about.get("inputs", ())), tuple(Call(**call) for call in about.get("calls", ())),
        dict(about.get("parameters", {})), bool(about.get("sparse", False)),
        float(about.get("rounding", 0.0)),
    )  # fmt: skip
