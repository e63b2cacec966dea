"""How each node is, from its signs of life: its name in the graph, its diagnostics, its heartbeats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from neo_bringup.console.snapshot import Health, NodeState

LEVELS = (Health.OK, Health.WARN, Health.ERROR, Health.SILENT)  # diagnostic_msgs/DiagnosticStatus


@dataclass
class _Signs:
    present: bool = False
    ever: bool = False
    heard: float | None = None
    level: Health = Health.OK
    message: str = ""
    lifecycle: str = "active"


class NodeWatch:
    """Collects signs of life of the nodes ``names``; times are wall time in s.

    A node that spoke before and says nothing for ``silent_after`` s is silent, even while its name still
    stands in the graph: a killed process keeps its name there until its lease ends.
    """

    def __init__(self, names: Iterable[str], silent_after: float) -> None:
        self._signs = {name: _Signs() for name in names}
        self._silent_after = silent_after

    def present(self, names: Iterable[str]) -> None:
        """The nodes that are in the graph now."""
        found = set(names)
        for name, signs in self._signs.items():
            signs.present = name in found
            signs.ever |= signs.present

    def heard(self, name: str, now: float, lifecycle: str = "unknown") -> None:
        """A heartbeat of ``name``, in a state of its life; names that are not watched are ignored."""
        if name in self._signs:
            signs = self._signs[name]
            signs.heard, signs.ever = now, True
            if lifecycle != "unknown":
                signs.lifecycle = lifecycle

    def diagnosed(self, name: str, level: int, message: str, now: float) -> None:
        """A diagnostic status of ``name``: ``level`` 0 ok, 1 warn, 2 error, 3 stale."""
        if name in self._signs:
            self.heard(name, now)
            signs = self._signs[name]
            signs.level = LEVELS[level] if 0 <= level < len(LEVELS) else Health.ERROR
            signs.message = "" if message == "ok" else message

    def forget_times(self) -> None:
        """Nobody listened for a while: no node counts as silent for that."""
        for signs in self._signs.values():
            signs.heard = None

    def states(self, now: float) -> list[NodeState]:
        """One line for each node, in the order given."""
        return [self._state(name, signs, now) for name, signs in self._signs.items()]

    def _state(self, name: str, signs: _Signs, now: float) -> NodeState:
        if not signs.present:
            return NodeState(name, Health.GONE if signs.ever else Health.ABSENT)
        if signs.heard is not None and now - signs.heard > self._silent_after:
            return NodeState(name, Health.SILENT, f"for {now - signs.heard:.0f} s")
        if signs.lifecycle != "active":
            return NodeState(name, Health.WARN, signs.lifecycle)
        return NodeState(name, signs.level, signs.message)
