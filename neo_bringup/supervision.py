"""What ``supervisor/state`` says, as plain data: for ``neo status`` and the console."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from neo_bringup.watchdog import LIFECYCLE, Condition

STATES = ("starting", "up", "held", "stopping")  # neo_msgs/SupervisorState


@dataclass(frozen=True)
class NodeLine:
    """One node. ``age``: s since it was last heard when this was said, ``None``: never."""

    name: str
    condition: Condition
    lifecycle: str
    age: float | None
    restarts: int
    detail: str = ""

    def text(self) -> str:
        """Condition, lifecycle, restarts and why, for people."""
        words = [self.condition.name.lower()]
        if self.lifecycle not in ("active", "unknown"):
            words.append(self.lifecycle)
        if self.restarts:
            words.append(f"restarted {self.restarts}x")
        if self.detail and self.detail != words[0]:
            words.append(self.detail)
        return ", ".join(words)


@dataclass(frozen=True)
class Supervision:
    """``state``: one of :data:`STATES`; ``modes``: degraded mode → why."""

    state: str
    reason: str = ""
    nodes: list[NodeLine] = field(default_factory=list)
    modes: dict[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Up, and nothing degraded."""
        return self.state == "up" and not self.modes

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        nodes = {
            node.name: {
                "condition": node.condition.name.lower(),
                "lifecycle": node.lifecycle,
                "age_s": None if node.age is None else round(node.age, 3),
                "restarts": node.restarts,
                "detail": node.detail,
            }
            for node in self.nodes
        }
        return {"state": self.state, "reason": self.reason, "nodes": nodes, "degraded": self.modes}

    def lines(self) -> list[str]:
        """For people."""
        width = max((len(node.name) for node in self.nodes), default=0)
        rows = [f"{self.state}{f': {self.reason}' if self.reason else ''}"]
        rows += [f"  {node.name:{width}}  {node.text()}" for node in self.nodes]
        rows += [f"degraded: {mode}: {why}" for mode, why in self.modes.items()]
        return rows


def read(message: Any) -> Supervision:
    """A ``neo_msgs/SupervisorState``."""
    nodes = [
        NodeLine(
            node.node, Condition(node.condition), lifecycle(node.lifecycle),
            node.age if node.age >= 0.0 else None, node.restarts, node.detail,
        )
        for node in message.nodes
    ]  # fmt: skip
    modes = dict(zip(message.mode, message.mode_reason, strict=False))
    return Supervision(_named(STATES, message.state), message.reason, nodes, modes)


def lifecycle(number: int) -> str:
    """A ``lifecycle_msgs/State`` id by its name; what is none is unknown."""
    return _named(LIFECYCLE, number)


def _named(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else "unknown"
