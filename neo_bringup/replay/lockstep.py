"""Steps a real node through a bag: each state that drives is sent when the one before it was answered.

Nothing is left to time. The service that every node has, ``get_parameters``, is the fence: what was sent
before it comes before it in the node's one queue, and what the node said before its answer has come. It is
passed after every input that does not drive, behind a state that gets no answer for a moment (it was refused,
or is sent again: best effort may lose it), at the end, and at the start: its client is made last, so once it
was answered the node knows all our ends. What the node said before the first state is dropped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import rclpy
from rcl_interfaces.srv import GetParameters
from rclpy.client import Client
from rclpy.context import Context
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.task import Future

from neo_bringup.instance import claim_free_domain
from neo_bringup.replay.node import ReplayedNode
from neo_description.errors import NeoError
from neo_flywheel.replay.source import Source, Step, stamp_of
from neo_flywheel.replay.table import Row
from neo_flywheel.replay.verdict import Run
from neo_ros import graph, qos

START_WITHIN = 60.0  # s of wall time
ANSWER_WITHIN = 20.0
FENCE_AFTER = 0.1  # s without an answer; no more than a matter of speed
TRIES = 3  # best effort may lose a state or an answer on busy cores; who gets a state twice answers the same
LOOK_EVERY = 0.5  # s between two looks whether the node still runs, while it does not answer
FENCE_AGAIN = 0.25  # s: a service's answer is lost while its server does not know us yet
DEPTH = 1000

Say = Callable[[str], None]


def replay(
    source: Source,
    row: Row,
    parameters: Mapping[str, Any] | None = None,
    timeout: float = ANSWER_WITHIN,
    say: Say = lambda _: None,
) -> Run:
    """What the node says to ``source``. ``parameters``: of the node, where they shall differ.

    NeoError when the node ends, or is stuck for ``timeout`` s of wall time: with the stamp.
    """
    domain, claim = claim_free_domain()
    context = Context()
    try:
        rclpy.init(
            args=[], context=context, domain_id=domain, signal_handler_options=rclpy.SignalHandlerOptions.NO
        )
        try:
            return _Replay(source, row, context, timeout).run(
                ReplayedNode(row, domain, parameters or {}), say
            )
        finally:
            rclpy.shutdown(context=context, uninstall_handlers=False)
    finally:
        claim.close()


class _Replay:
    def __init__(self, source: Source, row: Row, context: Context, timeout: float):
        self._source, self._row, self._timeout = source, row, timeout
        self._said: dict[str, list[bytes]] = {topic: [] for topic in row.outputs}
        self._awaited = -1
        self._answered: Future = Future()
        self._again: dict[int, int] = {}  # stamps of states that were sent again → answers since
        self._refused: list[str] = []
        self._node = node = Node("replay", context=context, start_parameter_services=False)
        for topic in row.outputs:
            self._listen(topic)
        self._publishers = {topic: graph.publisher(node, topic) for topic in (row.drive, *row.inputs)}
        self._services = {call.service: graph.service_client(node, call.service) for call in row.calls}
        self._fence: Client = node.create_client(GetParameters, f"/{row.name}/get_parameters")
        self._executor = EventsExecutor(context=context)
        self._executor.add_node(node)

    def run(self, process: ReplayedNode, say: Say) -> Run:
        """Everything from start to end."""
        self._process = process
        try:
            with process:
                self._pass_fence("while it started", START_WITHIN)
                for said in self._said.values():
                    said.clear()
                return self._steps(say)
        finally:
            self._executor.remove_node(self._node)
            self._executor.shutdown(timeout_sec=1.0)
            self._node.destroy_node()

    def _steps(self, say: Say) -> Run:
        before, latency, stamp, driven = self._process.cpu, list[float](), 0, 0
        for step in self._source.steps:
            if step.call is not None:
                self._call(step, stamp)
            elif step.topic == self._row.drive:
                stamp, driven = step.stamp, driven + 1
                took = self._drive(step)
                if took is not None:
                    latency.append(took)
                if driven % 500 == 0:
                    say(f"{driven} of {self._source.driven}")
                    self._process.check(_at(stamp))
            else:
                self._tell(step, stamp)
        self._pass_fence(_at(stamp), self._timeout)
        cpu = self._process.cpu - before
        lost = sum(count > 0 for count in self._again.values())
        return Run(self._said, driven, cpu, np.array(latency), self._refused, lost)

    def _listen(self, topic: str) -> None:
        about = graph.entry("topics", topic)
        said, answers = self._said[topic], topic == self._row.answer

        def callback(data: bytes) -> None:
            if answers:
                stamp = stamp_of(data)
                if stamp in self._again:
                    self._again[stamp] += 1
                    if self._again[stamp] > 1:
                        return  # the answers to a state that was sent again are one
                if stamp == self._awaited and not self._answered.done():
                    self._answered.set_result(time.perf_counter())
            said.append(data)

        profile = QoSProfile(depth=DEPTH, reliability=qos.PUBLISH[about["qos"]].reliability)
        self._node.create_subscription(
            graph.interface(about["type"]), topic, callback, profile, raw=True
        )  # volatile: what is latched from before does not count

    def _drive(self, step: Step) -> float | None:
        """Sends a state; s until its answer came, None when the node did not answer it."""
        self._awaited, self._answered = step.stamp, Future()
        for _ in range(TRIES):
            begun = time.perf_counter()
            self._publishers[step.topic].publish(step.data)
            self._executor.spin_until_future_complete(self._answered, timeout_sec=FENCE_AFTER)
            if not self._answered.done():
                self._pass_fence(_at(step.stamp), self._timeout)
            if self._answered.done():
                came: Any = self._answered.result()
                return came - begun
            self._again[step.stamp] = 0
        return None

    def _tell(self, step: Step, stamp: int) -> None:
        self._publishers[step.topic].publish(step.data)
        self._pass_fence(f"{_at(stamp)} to {step.topic}", self._timeout)

    def _call(self, step: Step, stamp: int) -> None:
        assert step.call is not None
        name = step.call.service
        kind = graph.interface(graph.entry("services", name)["type"])
        future = self._services[name].call_async(kind.Request(**step.call.request))
        answer = self._wait(future, f"{_at(stamp)} to {name}", self._timeout)
        if not answer.success:
            self._refused.append(f"{name} {step.call.request} {_at(stamp)}: {answer.message}")

    def _pass_fence(self, when: str, seconds: float) -> None:
        deadline, asked = time.monotonic() + seconds, list[Future]()
        while time.monotonic() < deadline:
            if self._fence.service_is_ready():
                asked.append(self._fence.call_async(GetParameters.Request()))
                self._executor.spin_until_future_complete(asked[-1], timeout_sec=FENCE_AGAIN)
            else:
                self._executor.spin_until_future_complete(Future(), timeout_sec=0.02)
            if any(future.done() for future in asked):
                return
            self._process.check(when)
        raise NeoError(f"{self._row.node} did not answer {when} within {seconds:g} s")

    def _wait(self, future: Future, when: str, seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        while not future.done():
            left = deadline - time.monotonic()
            if left <= 0.0:
                raise NeoError(f"{self._row.node} did not answer {when} within {seconds:g} s")
            self._executor.spin_until_future_complete(future, timeout_sec=min(left, LOOK_EVERY))
            if not future.done():
                self._process.check(when)
        return future.result()


def _at(stamp: int) -> str:
    return f"at {1e-9 * stamp:.3f} s"
