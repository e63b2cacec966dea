"""One publisher at a time on a command topic: a second one is refused, and named.

Who is heard first commands, until its publisher is gone or has been silent for ``SILENT`` s of wall time.
DDS says with every message which publisher it is from, and the graph which node that publisher belongs to.
The rclpy of ROS 2 Jazzy passes on no more than a message's number, which each publisher counts for itself:
there :class:`Numbers` tells them apart, and both are named.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

SILENT = 2.0  # s of wall time after which a publisher no longer commands
LOOK_EVERY = 0.1  # s at least between two looks at the graph
UNTOLD = b""  # nobody can say whose message it is
MISSED = 1000  # messages of a publisher at most that were lost or not looked at


class OnePublisher:
    """Who may command on ``topic``, as ``node`` hears it. ``now``: a steady clock in s."""

    def __init__(self, node: Node, topic: str, now: Callable[[], float] = time.monotonic):
        self._node, self._topic, self._now = node, topic, now
        self._owner: bytes | None = None
        self._heard = -SILENT
        self._names: dict[bytes, str] = {}
        self._looked = -LOOK_EVERY

    def refusal(self, publisher: bytes) -> str | None:
        """``None`` when a message of ``publisher`` counts, else why it does not.

        ``publisher``: its DDS id, or what :class:`Numbers` calls it.
        """
        now = self._now()
        if publisher == UNTOLD or publisher != self._owner:
            if self._owner is not None and now - self._heard < SILENT and self._present(now):
                return (
                    f"two publishers: {self._both(publisher)};"
                    f" one at a time, another once that one is silent for {SILENT:g} s"
                )
            self._owner = publisher
        self._heard = now
        return None

    def _present(self, now: float) -> bool:
        """Whether who commands is in the graph; where ids are no DDS ids, whether there are two."""
        self._look(now)
        return self._owner in self._names if self._told(self._owner) else len(self._names) > 1

    def _both(self, publisher: bytes) -> str:
        if not self._told(publisher):
            return " and ".join(sorted(self._names.values()))
        return f"{self._name(publisher)} commands while {self._name(self._owner)} does"

    @staticmethod
    def _told(publisher: bytes | None) -> bool:
        return publisher is not None and len(publisher) > Numbers.SIZE

    def _name(self, publisher: bytes | None) -> str:
        return self._names.get(publisher or UNTOLD, "a publisher not in the graph")

    def _look(self, now: float) -> None:
        if now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        found = self._node.get_publishers_info_by_topic(self._topic)
        self._names = {
            bytes(row.endpoint_gid): f"{row.node_namespace.rstrip('/')}/{row.node_name}" for row in found
        }


class Numbers:
    """Publishers told apart by the numbers of their messages."""

    SIZE = 4  # bytes of what a publisher is called: DDS ids are longer

    def __init__(self) -> None:
        self._last: list[int] = []  # number of the last message of each

    def publisher(self, number: int) -> bytes:
        """Whose message has this ``number``: whose it continues, or a new one's; UNTOLD: it may be of two."""
        ways = {who: number - last for who, last in enumerate(self._last) if 0 < number - last <= MISSED}
        next_one = [who for who, way in ways.items() if way == 1]
        fits = next_one if len(next_one) == 1 else list(ways)
        if len(fits) > 1:
            return UNTOLD
        if not fits:
            self._last.append(number)
            fits = [len(self._last) - 1]
        self._last[fits[0]] = number
        return fits[0].to_bytes(self.SIZE, "big")


def with_publisher(callback: Callable[[Any, bytes], None]) -> Callable[..., None]:
    """``callback`` (message, DDS id of its publisher) as rclpy's subscriptions take one.

    rclpy tells by the signature that the message's origin is wanted. Its EventsExecutor then hands over one
    tuple, its other executors two arguments.
    """
    numbers = Numbers()

    def call(*given: Any) -> None:
        message, info = given[0] if len(given) == 1 else given
        if "publisher_gid" in info:
            callback(message, bytes(info["publisher_gid"]["data"]))
        else:
            callback(message, numbers.publisher(info["publication_sequence_number"]))

    call.__signature__ = inspect.signature(lambda message, info: None)  # type: ignore[attr-defined]
    return call
