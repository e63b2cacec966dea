"""Node ``recorder``: the graph's topics but raw images, undecoded, into a bag; action ``record_episode``."""

from __future__ import annotations

import math
import time
from functools import partial
from pathlib import Path
from typing import Any

from neo_msgs.action import RecordEpisode
from rclpy.action import CancelResponse, GoalResponse
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.task import Future

from neo_description.errors import NeoError
from neo_flywheel.recorder import Recorder, recorded_topics
from neo_ros import graph, params, qos
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run

PARAMETERS = Path(__file__).with_name("parameters.yaml")
DEPTH = 200  # messages a busy moment may pile up
FEEDBACK_EVERY = 0.5  # s of wall time


class RecorderNode(Node):
    """Records while ``self._recorder`` is set. It never answers, so it can hold nobody up."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self._params = params.declare(self, PARAMETERS)
        self._diagnostics = Diagnostics(self)
        self._recorder: Recorder | None = None
        self._topics = {
            self.resolve_topic_name(name): row for name, row in recorded_topics(graph.table()).items()
        }
        if self._params.start:
            self._begin(self._params.directory, "")
        for name, row in self._topics.items():
            self.create_subscription(
                graph.interface(row["type"]),
                name,
                partial(self._on_message, name),
                _deep(row["qos"]),
                raw=True,
            )
        self._server = graph.action_server(
            self,
            "record_episode",
            self._episode,
            goal_callback=lambda _: GoalResponse.ACCEPT,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    def _begin(self, directory: str, task: str) -> Recorder:
        custom = {"namespace": self.get_namespace(), "task": task}
        recorder = Recorder(directory, custom, self._params.flush_period, self._params.min_free)
        for name, row in self._topics.items():
            recorder.add(name, row)
        self._recorder = recorder
        self.get_logger().info(f"recording into {recorder.folder}")
        return recorder

    def _on_message(self, topic: str, cdr: bytes) -> None:
        recorder = self._recorder
        if recorder is None:
            return
        recorder.write(topic, cdr)
        if not recorder.recording:
            self._recorder = None
            self._diagnostics.error(f"recording stopped: {recorder.why_stopped}")

    def _end(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()
            self.get_logger().info(f"recorded {recorder.bag.messages} messages into {recorder.folder}")

    async def _episode(self, goal: Any) -> Any:
        """One recording: until cancelled, ``max_duration`` s of wall time, or a full disk."""
        request = goal.request
        try:
            if self._recorder is not None:
                raise NeoError(f"already recording into {self._recorder.folder}")
            if not math.isfinite(request.max_duration) or request.max_duration < 0:
                raise NeoError(
                    f"max_duration {request.max_duration} s; 0 (until cancelled) or more is allowed"
                )
            recorder = self._begin(request.directory, request.task)
        except NeoError as error:
            self._diagnostics.refused("record_episode", str(error))
            goal.abort()
            return RecordEpisode.Result(success=False, reason=str(error))
        began = time.monotonic()
        done: Future = Future()

        def watch() -> None:
            duration = time.monotonic() - began
            if goal.is_cancel_requested:
                done.set_result("cancelled")
            elif not recorder.recording:
                done.set_result(recorder.why_stopped)
            elif 0 < request.max_duration <= duration:
                done.set_result("done")
            else:
                feedback = RecordEpisode.Feedback(duration=duration, messages=recorder.bag.messages)
                feedback.bytes = recorder.bag.size
                goal.publish_feedback(feedback)

        timer = self.create_timer(FEEDBACK_EVERY, watch, clock=Clock(clock_type=ClockType.STEADY_TIME))
        reason: Any = await done
        self.destroy_timer(timer)
        self._end()
        graph.end_goal(goal, reason == "done", reason)
        return RecordEpisode.Result(
            success=reason in ("done", "cancelled"),
            reason=reason,
            path=str(recorder.folder),
            messages=recorder.bag.messages,
        )

    def close(self) -> None:
        """Finishes the bag."""
        self._end()


def _deep(name: str) -> QoSProfile:
    profile = qos.SUBSCRIBE[name]
    return QoSProfile(
        depth=1 if name == "latched" else DEPTH,
        reliability=profile.reliability,
        durability=profile.durability,
    )


def main() -> None:
    run(RecorderNode)
