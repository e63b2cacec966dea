"""One publisher at a time on a command topic: a second one is refused, and named.

Who is heard first commands, until its publisher is gone or has been silent for ``SILENT`` s of wall time.
DDS says with every message which publisher it is from, and the graph which node that publisher belongs to.
The rclpy of ROS 2 Jazzy does not pass that on: there nobody commands while two publish.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

SILENT = 2.0  # s of wall time after which a publisher no longer commands
LOOK_EVERY = 0.1  # s at least between two looks at the graph
UNTOLD = b""  # whose message it is: not told


class OnePublisher:
    """Who may command on ``topic``, as ``node`` hears it. ``now``: a steady clock in s."""

    def __init__(self, node: Node, topic: str, now: Callable[[], float] = time.monotonic):
        self._node, self._topic, self._now = node, topic, now
        self._owner: bytes | None = None
        self._heard = -SILENT
        self._names: dict[bytes, str] = {}
        self._looked = -LOOK_EVERY

    def refusal(self, publisher: bytes) -> str | None:
        """``None`` when a message of ``publisher`` (its DDS id) counts, else why it does not."""
        now = self._now()
        if publisher == UNTOLD:
            return self._refusal_of_all(now)
        if publisher != self._owner:
            if self._owner is not None and now - self._heard < SILENT and self._present(now):
                return (
                    f"two publishers: {self._name(publisher)} commands while {self._name(self._owner)} does;"
                    f" one at a time, another once that one is silent for {SILENT:g} s"
                )
            self._owner = publisher
        self._heard = now
        return None

    def _refusal_of_all(self, now: float) -> str | None:
        self._look(now)
        if len(self._names) < 2:
            return None
        both = " and ".join(sorted(self._names.values()))
        return (
            f"two publishers: {both}; this rclpy does not tell them apart: neither commands until one is gone"
        )

    def _present(self, now: float) -> bool:
        self._look(now)
        return self._owner in self._names

    def _name(self, publisher: bytes) -> str:
        return self._names.get(publisher, "a publisher not in the graph")

    def _look(self, now: float) -> None:
        if now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        found = self._node.get_publishers_info_by_topic(self._topic)
        self._names = {
            bytes(row.endpoint_gid): f"{row.node_namespace.rstrip('/')}/{row.node_name}" for row in found
        }


def with_publisher(callback: Callable[[Any, bytes], None]) -> Callable[..., None]:
    """``callback`` (message, DDS id of its publisher) as rclpy's subscriptions take one.

    rclpy tells by the signature that the message's origin is wanted. Its EventsExecutor then hands over one
    tuple, its other executors two arguments.
    """

    def call(*given: Any) -> None:
        message, info = given[0] if len(given) == 1 else given
        callback(message, bytes(info["publisher_gid"]["data"]) if "publisher_gid" in info else UNTOLD)

    call.__signature__ = inspect.signature(lambda message, info: None)  # type: ignore[attr-defined]
    return call
