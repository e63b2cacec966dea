"""Takes the latest messages out of the graph when the page wants them, never when they come.

The subscriptions belong to a node that no executor runs: DDS keeps the newest message of each topic, and the
page's thread takes it a few times a second. States at 500 Hz then cost no Python at all, and a page that is
slow or stuck holds up nobody. While nobody watches there are no subscriptions.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from neo_bringup.console.reading import DEPTH, EVERY, EVERY_DEPTH, LATCHED, LATEST, Reading
from neo_ros import graph, qos


class Samples:
    """Latest messages by topic of ``graph.yaml``, resolved as ``node`` would resolve them.

    A :class:`~neo_bringup.console.reading.Messages`; ages are wall time.
    """

    def __init__(self, node: Node) -> None:
        self._console = node
        self.prefix = node.get_namespace().rstrip("/") + "/"
        self._node = Node(
            f"{node.get_name()}_samples",
            namespace=node.get_namespace(),
            context=node.context,
            use_global_arguments=False,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._subscriptions: dict[str, Any] = {}
        self._heard: dict[str, float] = {}

    def watch(self, watched: bool, depth: bool = True) -> None:
        """Subscribe to everything, or to nothing. ``depth``: to depth pictures, too."""
        if watched:
            for topic in (*LATEST, DEPTH) if depth else LATEST:
                self._subscribe(topic, QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
            for topic in EVERY:
                self._subscribe(topic, QoSProfile(depth=EVERY_DEPTH))
            for topic in LATCHED:
                self._subscribe(topic, qos.SUBSCRIBE["latched"])
            return
        for subscription in self._subscriptions.values():
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _subscribe(self, topic: str, profile: QoSProfile) -> None:
        message = graph.interface(graph.entry("topics", topic)["type"])
        self._subscriptions[topic] = self._node.create_subscription(
            message, self._console.resolve_topic_name(topic), lambda _: None, profile
        )

    def take(self, topic: str) -> Any:
        """The next message of ``topic`` that nobody took yet, or ``None``."""
        subscription = self._subscriptions.get(topic)
        if subscription is None:
            return None
        with subscription.handle:
            taken = subscription.handle.take_message(subscription.msg_type, False)
        if taken is None:
            return None
        self._heard[topic] = time.monotonic()
        return taken[0]

    def age(self, topic: str) -> float | None:
        """s of wall time since ``topic`` was last heard, or ``None`` if it never was."""
        at = self._heard.get(topic)
        return None if at is None else time.monotonic() - at

    def said_by(self, topic: str) -> int:
        """How many publish ``topic`` now."""
        return int(self._console.count_publishers(topic))

    def now(self) -> float:
        """Wall time, s."""
        return time.monotonic()

    def present(self) -> list[str]:
        """Full names of the nodes in the graph."""
        names = self._console.get_node_names_and_namespaces()
        return [space.rstrip("/") + "/" + name for name, space in names]

    def close(self) -> None:
        """Leave the graph."""
        self.watch(False)
        self._node.destroy_node()


class GraphSource(Reading):
    """Fills a :class:`Snapshot` from the graph around ``node``; used from the page's thread only."""

    def __init__(self, node: Node, params: SimpleNamespace) -> None:
        self._samples = Samples(node)
        self._depth = params.depth
        super().__init__(self._samples, params.silent_after)

    def watch(self, watched: bool) -> None:
        """Somebody looks from now on, or nobody any more."""
        self._samples.watch(watched, self._depth)
        if watched:
            self.forget_times()

    def close(self) -> None:
        """Leave the graph."""
        self._samples.close()
