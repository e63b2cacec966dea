"""The supervisor's own voice and ears: its heartbeat, ``supervisor/state``, and everybody's heartbeats."""

from __future__ import annotations

import time
from functools import partial

from neo_msgs.msg import Heartbeat, NodeLife, SupervisorState

from neo_bringup.stack import Stack
from neo_bringup.watchdog import Beat, Life, Watchdog
from neo_ros import graph

BEAT_EVERY = 0.05  # s
STATE_EVERY = 1.0  # s, and at once when something changes


class Reporter:
    """Joins ``watchdog`` and the graph of ``stack`` in ``namespace``. Beats from the supervising thread."""

    def __init__(self, stack: Stack, namespace: str, watchdog: Watchdog):
        self._watchdog, self._stack, self._node = watchdog, stack, stack.node
        self._prefix = namespace.rstrip("/") + "/"
        self._name = stack.node.get_fully_qualified_name()
        self._count = 0
        self._said: list[object] = []
        self._beat_due = self._state_due = 0.0
        self._heart = graph.publisher(stack.node, "supervisor/heartbeat")
        self._state = graph.publisher(stack.node, "supervisor/state")
        self._ears = [
            graph.subscription(stack.node, "safety/heartbeat", self._on_beat),
            graph.subscription(stack.node, "supervisor/heartbeat", self._on_own_beat),
        ]

    def _on_beat(self, message: Heartbeat) -> None:
        name = message.node.removeprefix(self._prefix)
        self._watchdog.heard(Beat(name, message.count, message.lifecycle, tuple(message.degraded)))

    def _on_own_beat(self, message: Heartbeat) -> None:
        if message.node == self._name:
            self._watchdog.heard_itself()

    def close(self) -> None:
        """Says nothing more, before the others end: a sender makes the port of a dead listener anew."""
        for ear in self._ears:
            self._stack.drop(partial(self._node.destroy_subscription, ear))
        for voice in (self._heart, self._state):
            self._stack.drop(partial(self._node.destroy_publisher, voice))

    def beat(self) -> None:
        """Tells body control that somebody watches; call it often."""
        now = time.monotonic()
        if now < self._beat_due:
            return
        self._beat_due = now + BEAT_EVERY
        self._count += 1
        message = Heartbeat(node=self._name, count=self._count)
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._heart.publish(message)

    def tell(self, state: int, reason: str, modes: dict[str, str]) -> None:
        """Publishes when something changed, or a second after the last time."""
        now = time.monotonic()
        lives = self._watchdog.lives.values()
        said = [state, reason, modes, *((x.condition, x.lifecycle, x.restarts, x.detail) for x in lives)]
        if said == self._said and now < self._state_due:
            return
        self._said, self._state_due = said, now + STATE_EVERY
        message = SupervisorState(state=state, reason=reason, nodes=[_life_message(life) for life in lives])
        message.mode, message.mode_reason = list(modes), list(modes.values())
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._state.publish(message)


def _life_message(life: Life) -> NodeLife:
    return NodeLife(
        node=life.name,
        condition=int(life.condition),
        lifecycle=life.lifecycle,
        age=-1.0 if life.age is None else life.age,
        restarts=life.restarts,
        detail=life.detail,
    )
