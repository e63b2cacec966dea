"""Steps a real node through a bag: each state that drives is sent when the one before it was answered.

Nothing is left to time, and nothing is lost: the node's ends are made reliable, by the parameters that
``neo_ros.graph`` gives each. The service that every node has, ``get_parameters``, is the fence: what was sent
before it comes before it in the node's one queue, and what the node said before its answer has come. It is
passed after every input that does not drive, behind a state that gets no answer for a moment (it was refused,
or the node answers some only), at the end, and at the start: its client is made last, so once it was answered
the node knows all our ends, and we wait until ours know the node's. What it said before the first state is
dropped. That is what it latches as it starts, and nothing else, and it may come late; so we wait for it.
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
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from rclpy.task import Future

from neo_bringup.instance import claim_free_domain
from neo_bringup.replay.node import DEPTH, ReplayedNode
from neo_description.errors import NeoError
from neo_flywheel.replay.source import Source, Step, stamp_of
from neo_flywheel.replay.table import Row, type_of
from neo_flywheel.replay.verdict import Run
from neo_ros import graph

START_WITHIN = 60.0  # s of wall time
ANSWER_WITHIN = 20.0
FENCE_AFTER = 0.1  # s without an answer; no more than a matter of speed
LOOK_EVERY = 0.5  # s between two looks whether the node still runs, while it does not answer
FENCE_AGAIN = 0.25  # s: a service's answer is lost while its server does not know us yet
RELIABLE = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(
    depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)

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
        self._latched = {name for name in row.outputs if graph.entry("topics", name)["qos"] == "latched"}
        self._awaited = -1
        self._answered: Future = Future()
        self._refused: list[str] = []
        self._node = ours = Node("replay", context=context, start_parameter_services=False)
        self._ears = {topic: self._listen(topic) for topic in row.outputs}
        self._publishers = {
            topic: ours.create_publisher(_kind(topic), topic, RELIABLE) for topic in (row.drive, *row.inputs)
        }
        self._services = {call.service: graph.service_client(ours, call.service) for call in row.calls}
        self._fence: Client = ours.create_client(GetParameters, f"/{row.name}/get_parameters")
        self._executor = EventsExecutor(context=context)
        self._executor.add_node(ours)

    def run(self, process: ReplayedNode, say: Say) -> Run:
        """Everything from start to end."""
        self._process = process
        try:
            with process:
                self._pass_fence("while it started", START_WITHIN)
                self._meet()
                for said in self._said.values():
                    said.clear()
                return self._steps(say)
        finally:
            self._executor.remove_node(self._node)
            self._executor.shutdown(timeout_sec=1.0)
            self._node.destroy_node()

    def _steps(self, say: Say) -> Run:
        before, latency, stamp, driven, unanswered = self._process.cpu, list[float](), 0, 0, 0
        for step in self._source.steps:
            if step.call is not None:
                self._call(step, stamp)
                continue
            drives = step.topic == self._row.drive
            stamp = step.stamp if drives else stamp
            took = self._send(step, drives, stamp)
            if took is not None:
                latency.append(took)
            if drives:
                driven += 1
                unanswered += took is None and not self._row.sparse
                if driven % 500 == 0:
                    say(f"{driven} of {self._source.driven}")
                    self._process.check(_at(stamp))
        self._pass_fence(_at(stamp), self._timeout)
        cpu = self._process.cpu - before
        return Run(self._said, driven, cpu, np.array(latency), self._refused, unanswered)

    def _meet(self) -> None:
        """Waits until each of our ends knows the node's (before, what it sends there is lost), and until
        what it latches as it starts was heard."""
        deadline = time.monotonic() + START_WITHIN
        while alone := [
            *(topic for topic, ear in self._ears.items() if not ear.get_publisher_count()),
            *(topic for topic, mouth in self._publishers.items() if not mouth.get_subscription_count()),
            *(topic for topic in self._latched if not self._said[topic]),
        ]:
            if time.monotonic() > deadline:
                raise NeoError(f"{self._row.node} has no end of, or latched nothing on, {', '.join(alone)}")
            self._process.check("while it started")
            self._executor.spin_until_future_complete(Future(), timeout_sec=0.02)

    def _listen(self, topic: str) -> Subscription:
        said, answers, any_counts = self._said[topic], topic == self._row.answer, self._row.sparse

        def callback(data: bytes) -> None:
            said.append(data)
            if answers and not self._answered.done() and (any_counts or stamp_of(data) == self._awaited):
                self._answered.set_result(time.perf_counter())

        profile = LATCHED if topic in self._latched else RELIABLE
        return self._node.create_subscription(_kind(topic), topic, callback, profile, raw=True)

    def _send(self, step: Step, drives: bool, stamp: int) -> float | None:
        """Sends a message; s until the answer that it led to came, None when there was none."""
        self._awaited, self._answered, begun = stamp, Future(), time.perf_counter()
        self._publishers[step.topic].publish(step.data)
        if drives and not self._row.sparse:
            self._executor.spin_until_future_complete(self._answered, timeout_sec=FENCE_AFTER)
        if not self._answered.done():
            self._pass_fence(_at(stamp) if drives else f"{_at(stamp)} to {step.topic}", self._timeout)
        came: Any = self._answered.result() if self._answered.done() else None
        return None if came is None else came - begun

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


def _kind(topic: str) -> Any:
    return graph.interface(type_of(topic))


def _at(stamp: int) -> str:
    return f"at {1e-9 * stamp:.3f} s"
