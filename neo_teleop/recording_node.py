"""The recording of a teleoperated session: a goal of ``record_episode`` that lasts as long as the session."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from neo_msgs.action import RecordEpisode
from rclpy.node import Node

from neo_ros import graph

PATIENCE = 20.0  # s of wall time for a recorder to come up
RECORDER = "recorder"  # its node
WHO = ("teleop/engaged", "teleop/consent")  # what says who drives, which it must hear from the start
UNHEARD = 5.0  # s that are waited for a recorder that does not seem to listen to that


class SessionRecording:
    """``state``: off, starting, on or failed; ``why`` it failed; ``path`` of the bag, ``seconds`` so far.

    ``start``: starts a recorder where the graph has none. Used from the executor's thread only.
    """

    def __init__(self, node: Node, start: Callable[[], None]):
        self._node, self._start = node, start
        self._on_since = 0.0
        self._client = graph.action_client(node, "record_episode")
        self._number = 0  # of the goal in hand; answers to earlier ones are dropped
        self._goal: Any = None
        self._deadline = 0.0
        self._task: str | None = None  # asked for, not sent yet
        self.state, self.why, self.path, self.seconds = "off", "", "", 0.0

    def begin(self, task: str) -> None:
        """Record from now on, as soon as there is a recorder."""
        self._number += 1
        self.state, self.why, self.path, self.seconds = "starting", "", "", 0.0
        self._task, self._deadline = task, time.monotonic() + PATIENCE
        if not self._client.server_is_ready():
            self._start()
        self.look()

    def end(self) -> None:
        """Finish the bag."""
        goal, self._goal, self._task = self._goal, None, None
        if self.state != "failed":
            self.state = "off"
        if goal is not None:
            goal.cancel_goal_async()

    def look(self) -> None:
        """To be called now and then: sends the goal when a recorder is there, and gives up at last."""
        if self.state == "on" and not self._client.server_is_ready():
            self._fail("the recorder is gone")
        if self._task is None:
            return
        if self._client.server_is_ready():
            task, self._task, number = self._task, None, self._number
            sent = self._client.send_goal_async(
                RecordEpisode.Goal(task=task),
                feedback_callback=lambda message: self._on_feedback(number, message.feedback),
            )
            sent.add_done_callback(lambda future: self._on_goal(number, future.result()))
        elif time.monotonic() > self._deadline:
            self._task = None
            self._fail(f"no recorder within {PATIENCE:g} s")

    @property
    def ready(self) -> bool:
        """Whether it records, and hears who drives."""
        if self.state != "on":
            return False
        told = (self._node.get_subscriptions_info_by_topic(self._node.resolve_topic_name(w)) for w in WHO)
        hears = all(any(one.node_name == RECORDER for one in listeners) for listeners in told)
        return hears or time.monotonic() - self._on_since > UNHEARD

    def _on_goal(self, number: int, goal: Any) -> None:
        if not goal.accepted:
            if number == self._number:
                self._fail("the recorder refused")
            return
        if number != self._number or self.state != "starting":  # ended meanwhile
            goal.cancel_goal_async()
            return
        self._goal = goal
        goal.get_result_async().add_done_callback(lambda future: self._on_result(number, future.result()))

    def _on_feedback(self, number: int, feedback: Any) -> None:
        if number != self._number or self.state not in ("starting", "on"):
            return
        if self.state == "starting":
            self._on_since = time.monotonic()
        self.state, self.seconds = "on", feedback.duration

    def _on_result(self, number: int, answer: Any) -> None:
        if number != self._number:
            return
        self.path, self._goal = answer.result.path, None
        if self.state in ("starting", "on"):
            self._fail(answer.result.reason or "the recording ended")

    def _fail(self, why: str) -> None:
        self.state, self.why = "failed", why
