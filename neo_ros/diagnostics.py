"""A node's ``/diagnostics``: counters, the last refusal and warnings, once a second of wall time and on news.

diag = Diagnostics(self)
diag.refused("l_hand/command", "grip_force nan; 0 to 60 N is allowed")
diag.set("late ticks", 3)
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

from neo_description.errors import NeoError
from neo_ros import graph

PERIOD = 1.0  # s of wall time
NEWS_WITHIN = 0.25  # s: refusals and warnings are told sooner
SHOWN = 3  # reports that a warning or a refusal stays visible
LOG_EVERY = 1.0  # s between two log lines about the same topic


class Diagnostics:
    """One status a node, named after it. Not a keepalive: nobody may stop the robot because it is silent."""

    def __init__(self, node: Node):
        self._node = node
        self._refusals: Counter[str] = Counter()
        self._last_refusal = ""
        self._values: dict[str, str] = {}
        self._level, self._message, self._left = DiagnosticStatus.OK, "", 0
        self._logged: dict[str, float] = {}
        self._publisher = graph.publisher(node, "/diagnostics")
        # wall time: a plant that stands still must not silence the diagnostics
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(NEWS_WITHIN, self._on_timer, clock=steady)
        self._news, self._turns = False, 0

    def refused(self, topic: str, reason: str) -> None:
        """Counts a refused message or goal of ``topic``, and says why; the log gets one line a second."""
        self._refusals[topic] += 1
        self._last_refusal = f"{topic}: {reason}"
        self._raise(DiagnosticStatus.WARN, f"refused {self._last_refusal}")
        self._log(topic, f"refused {topic}: {reason}")

    def set(self, key: str, value: Any) -> None:
        """Shows ``value`` under ``key`` until it is set again."""
        self._values[key] = f"{value:.6g}" if isinstance(value, float) else str(value)

    def count(self, key: str, more: int = 1) -> None:
        """Adds to the counter ``key``."""
        self._values[key] = str(int(self._values.get(key, "0")) + more)

    def warn(self, message: str) -> None:
        """Level WARN with ``message`` for the next reports."""
        self._raise(DiagnosticStatus.WARN, message)
        self._log(message, message)

    def error(self, message: str) -> None:
        """Level ERROR with ``message`` for the next reports."""
        self._raise(DiagnosticStatus.ERROR, message)
        self._log(message, message)

    def guarded(self, topic: str, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        """``callback``, whose NeoErrors count as refusals of ``topic``."""

        def call(message: Any) -> None:
            try:
                callback(message)
            except NeoError as error:
                self.refused(topic, str(error))

        return call

    @property
    def refusals(self) -> dict[str, int]:
        """Refused so far, by topic."""
        return dict(self._refusals)

    def publish(self) -> None:
        """Publishes now; the timer does so every second, and when there is news."""
        self._news, self._turns = False, 0
        status = DiagnosticStatus(
            level=self._level,
            name=self._node.get_fully_qualified_name(),
            message=self._message or "ok",
            hardware_id="neo",
        )
        rows = {f"refused {topic}": str(count) for topic, count in self._refusals.items()}
        if self._last_refusal:
            rows["last refusal"] = self._last_refusal
        status.values = [KeyValue(key=key, value=value) for key, value in {**rows, **self._values}.items()]
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
        self._left -= 1
        if self._left <= 0:
            self._level, self._message = DiagnosticStatus.OK, ""

    def _on_timer(self) -> None:
        self._turns += 1
        if self._news or self._turns * NEWS_WITHIN >= PERIOD:
            self.publish()

    def _raise(self, level: bytes, message: str) -> None:
        if level >= self._level:
            self._level, self._message = level, message
        self._left, self._news = SHOWN, True

    def _log(self, key: str, line: str) -> None:
        now = time.monotonic()
        if now - self._logged.get(key, -LOG_EVERY) >= LOG_EVERY:
            if len(self._logged) > 100:  # messages that carry numbers are all different
                self._logged.clear()
            self._logged[key] = now
            self._node.get_logger().warning(line)
