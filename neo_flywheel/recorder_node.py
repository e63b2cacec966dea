"""Node ``recorder``: the graph's topics but raw images, undecoded, into a bag; action ``record_episode``.

With ``ring`` it also keeps the last seconds in memory and makes a clip of them when a trigger comes. Beside
the topics a bag holds ``recorder/notes``: who acted, what was asked for and what came of it. While an
operator drives who did not agree to be recorded, it keeps these notes and nothing else.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from neo_msgs.action import RecordEpisode
from rclpy.action import CancelResponse, GoalResponse
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.qos import QoSProfile
from rclpy.task import Future

from neo_description.errors import NeoError
from neo_flywheel import cdr as codec
from neo_flywheel.provenance import NOTES
from neo_flywheel.recorder import NOTES_ROW, Recorder, recorded_topics, run_folder
from neo_flywheel.ring import PreTrigger
from neo_flywheel.video import Encoder
from neo_flywheel.witness_node import Witness
from neo_ros import graph, qos
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode

PARAMETERS = Path(__file__).with_name("parameters.yaml")
DEPTH = 200  # messages a busy moment may pile up
BATCH = 128  # messages, about 40 ms
WRITE_EVERY = 0.1  # s of wall time, where fewer come
FEEDBACK_EVERY = 0.5  # s of wall time
TRIGGERS = ("surprise", "failure", "intervention", "safety")


class RecorderNode(ManagedNode):
    """Records while ``self._recorder`` is set. It never answers, so it can hold nobody up."""

    def __init__(self) -> None:
        super().__init__("recorder", PARAMETERS)

    def configure(self) -> None:
        p = self._params
        self._diagnostics = Diagnostics(self)
        unknown = set(p.triggers) - set(TRIGGERS)
        if unknown:
            raise NeoError(f"no trigger {', '.join(sorted(unknown))}; one of {', '.join(TRIGGERS)}")
        self._recorder: Recorder | None = None
        self._witness: Witness | None = None
        self._waiting: list[tuple[str, bytes, int, bool]] = []
        self._standing: dict[str, str] = {}  # the last of each note
        listened = recorded_topics(graph.table(), p.images)
        self._stored = {
            self.resolve_topic_name(row.get("stored", name)): row for name, row in listened.items()
        }
        self._notes = self.resolve_topic_name(NOTES)
        self._stored[self._notes] = NOTES_ROW
        self._ring = self._made_ring() if p.ring else None
        if p.start:
            self._begin(p.directory, "")
        self._witness = Witness(self, self._note, self._trigger, lambda: self._params.surprise)
        for name, row in listened.items():
            self._listen(name, row)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(WRITE_EVERY, self._write, clock=steady)
        self._server = graph.action_server(
            self,
            "record_episode",
            self._episode,
            goal_callback=lambda _: GoalResponse.ACCEPT,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    def _listen(self, name: str, row: dict[str, Any]) -> None:
        stored = self.resolve_topic_name(row.get("stored", name))
        callback: Callable[..., None] = partial(self._on_message, stored)
        if "stored" in row:
            encoder = Encoder(self._params.video_quality, self._params.video_key_every)
            callback = partial(self._on_image, stored, encoder)
        elif self._witness is not None and (look := self._witness.looks.get(name)) is not None:
            callback = _both(self._on_message, stored, self._diagnostics.guarded(name, look))
        quality = _deep(row["qos"])
        self.create_subscription(graph.interface(row["type"]), name, callback, quality, raw=True)

    def _made_ring(self) -> PreTrigger:
        p = self._params
        folder = run_folder(p.directory).resolve()
        latched = frozenset(name for name, row in self._stored.items() if row["qos"] == "latched")

        def begin(reason: str) -> Recorder:
            assert self._ring is not None
            at = max(self._ring.clips, *(int(f.name[5:]) for f in folder.glob("clip-*[0-9]")), 0)
            recorder = self._made(str(folder / f"clip-{at + 1:04d}"), {"trigger": reason})
            self.get_logger().info(f"{reason}: a clip into {recorder.folder}")
            return recorder

        return PreTrigger(begin, p.before, p.after, round(p.ring_size * 1e6), p.longest, latched)

    def _made(self, directory: str, custom: dict[str, str]) -> Recorder:
        custom = {"namespace": self.get_namespace(), **custom}
        recorder = Recorder(directory, custom, self._params.flush_period, self._params.min_free)
        for name, row in self._stored.items():
            recorder.add(name, row)
        return recorder

    def _begin(self, directory: str, task: str) -> Recorder:
        recorder = self._made(directory, {"task": task})
        self._write()  # what came before belongs to what was before
        self._recorder = recorder
        for key, value in self._standing.items():
            self._on_message(self._notes, codec.key_value_cdr(key, value))
        self.get_logger().info(f"recording into {recorder.folder}")
        return recorder

    def _on_image(self, topic: str, encoder: Encoder, image: bytes) -> None:
        if self._recorder is None and self._ring is None:
            return
        try:
            message, key = encoder.encode(image)
        except NeoError as error:
            self._diagnostics.refused(topic, str(error))
            return
        self._on_message(topic, message, key)

    def _on_message(self, topic: str, message: bytes, key: bool = True) -> None:
        if self._recorder is None and self._ring is None:
            return
        if self._witness is not None and self._witness.private and topic != self._notes:
            return
        self._waiting.append((topic, message, time.time_ns(), key))
        if len(self._waiting) >= BATCH:
            self._write()

    def _write(self) -> None:
        """What waits, in one go: a quarter less CPU time than one by one, with everything in the caches."""
        waiting, self._waiting = self._waiting, []
        ring, recorder = self._ring, self._recorder
        for topic, message, now, key in waiting:
            if ring is not None:
                ring.write(topic, message, now, key)
            if recorder is not None:
                recorder.write(topic, message, now)
        if recorder is not None:
            recorder.idle()
        if ring is not None and ring.why:
            self._diagnostics.error(f"no clip: {ring.why}")
            ring.why = ""
        if recorder is not None and not recorder.recording:
            self._recorder = None
            self._diagnostics.error(f"recording stopped: {recorder.why_stopped}")

    def _note(self, key: str, value: str) -> None:
        self._standing[key] = value
        self._diagnostics.set(key, value)
        self._on_message(self._notes, codec.key_value_cdr(key, value))

    def _trigger(self, kind: str, detail: str) -> None:
        if self._ring is None or kind not in self._params.triggers:
            return
        reason = f"{kind}: {detail}" if detail else kind
        self._note("trigger", reason)
        self._write()
        self._ring.trigger(reason, time.time_ns())

    def _end(self) -> None:
        self._write()
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

    def deactivate(self) -> None:
        """Finishes what is being recorded."""
        self._end()

    def cleanup(self) -> None:
        """Finishes the bag, and the clip that is open."""
        self._end()
        if self._ring is not None:
            self._ring.close()


def _both(
    record: Callable[[str, bytes], None], topic: str, look: Callable[[bytes], None]
) -> Callable[[bytes], None]:
    def callback(message: bytes) -> None:
        record(topic, message)
        look(message)

    return callback


def _deep(name: str) -> QoSProfile:
    profile = qos.SUBSCRIBE[name]
    return QoSProfile(
        depth=1 if name == "latched" else DEPTH,
        reliability=profile.reliability,
        durability=profile.durability,
    )


def main() -> None:
    run(RecorderNode, pictures=True)
