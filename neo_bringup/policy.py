"""What the loss of a node means, from ``supervision.yaml``: who is stopped, what starts again, its name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from neo_description.errors import NeoError

FILE = Path(__file__).with_name("supervision.yaml")
ON_LOSS = ("degrade", "settle", "hold", "stop_all")  # from mild to strict
ON_DEATH = ("policy", "stop", "restart")
MAX_RESTARTS = 3  # of one node, when everything is restarted


@dataclass(frozen=True)
class Policy:
    """One row of the file, where every number is explained. ``silent`` 0: not listened to."""

    silent: float = 0.0
    kill: float = 0.0
    on_loss: str = "stop_all"
    mode: str = ""
    restarts: int = 0
    backoff: float = 0.0
    start: float = 60.0

    @property
    def stops(self) -> bool:
        """Whether the stop button is pressed when the node is lost."""
        return self.on_loss != "degrade"

    @property
    def settles(self) -> bool:
        """Whether the feet are set down before that."""
        return self.on_loss == "settle"


@dataclass(frozen=True)
class Verdict:
    """On a death: press the stop button? start again after so many s, or never (None)? end everything?"""

    press: bool
    again: float | None
    ends: bool


@dataclass(frozen=True)
class Table:
    """Policies by the node's name, and what the modes mean."""

    nodes: dict[str, Policy]
    modes: dict[str, str]

    def of(self, name: str) -> Policy:
        """The policy of node ``name`` (without namespace); of an unknown one: its death ends everything."""
        return self.nodes.get(name, Policy())

    def strictest(self, names: Iterable[str]) -> Policy:
        """Of a process with several nodes."""
        rows = [self.of(name) for name in names] or [Policy()]
        worst = max(rows, key=lambda row: ON_LOSS.index(row.on_loss))
        return replace(worst, restarts=min(row.restarts for row in rows))


@cache
def load(file: Path = FILE) -> Table:
    """The table of ``file``; NeoError names what is wrong in it."""
    try:
        data = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise NeoError(f"cannot read {file}: {' '.join(str(error).split())}") from None
    nodes = {}
    for name, row in data["nodes"].items():
        try:
            nodes[name] = policy = Policy(**row)
        except TypeError as error:
            raise NeoError(f"{file.name}: {name}: {error}") from None
        if policy.on_loss not in ON_LOSS:
            raise NeoError(f"{file.name}: {name}: on_loss {policy.on_loss!r}; one of {', '.join(ON_LOSS)}")
        if policy.mode not in data["modes"]:
            raise NeoError(f"{file.name}: {name}: mode {policy.mode!r} is not explained under modes")
        kills = policy.kill == 0.0 or policy.kill >= policy.silent
        if policy.silent <= 0.0 or policy.restarts < 0 or policy.start <= 0.0 or not kills:
            allowed = "silent > 0, restarts >= 0, start > 0 and kill 0 or >= silent"
            raise NeoError(f"{file.name}: {name}: {allowed} are allowed")
    return Table(nodes, data["modes"])


def judge(policy: Policy, restarts: int, on_death: str, stops_all: bool) -> Verdict:
    """On the death of a process that was restarted ``restarts`` times before.

    ``on_death``: ``policy``, or for every node the same: ``stop``, ``restart``. ``stops_all``: the launch
    file says that without this node there is no robot (``on_exit="shutdown"``).
    """
    if on_death == "stop" or (on_death == "policy" and policy == Policy()):
        return Verdict(stops_all, None, stops_all)
    if on_death == "restart":
        again = restarts < MAX_RESTARTS
        return Verdict(stops_all and not again, 0.0 if again else None, stops_all and not again)
    if restarts < policy.restarts:
        return Verdict(policy.stops, policy.backoff * 2.0**restarts, False)
    return Verdict(policy.stops, None, policy.stops and stops_all)
