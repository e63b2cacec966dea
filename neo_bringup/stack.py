"""A running robot seen from outside over ROS: stop button, modes, who is up, plant time.

The supervisor makes one of these before anything goes wrong, so that a stop costs one send.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import rclpy
from neo_msgs.msg import SafetyState
from neo_msgs.srv import SetMode
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.task import Future
from rosgraph_msgs.msg import Clock
from std_srvs.srv import SetBool

from neo_description.errors import NeoError
from neo_ros import environment, graph

ASK_AGAIN = 1.0  # s of wall time


class Stack:
    """Our end of the graph in ``namespace``, not for images. Its executor runs in a thread; calls come from
    any thread."""

    def __init__(self, namespace: str = "/", name: str = "neo"):
        environment.prepare(pictures=False)
        self.context = Context()
        rclpy.init(args=[], context=self.context, signal_handler_options=rclpy.SignalHandlerOptions.NO)
        self.node = Node(name, namespace=namespace, context=self.context, start_parameter_services=False)
        self.safety: SafetyState | None = None
        self._runstop = graph.service_client(self.node, "runstop")
        self._set_mode = graph.service_client(self.node, "set_mode")
        graph.subscription(self.node, "safety/state", self._on_safety)
        self._executor = EventsExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._done: Future = Future()
        self._thread = threading.Thread(target=self._spin, name="neo-stack", daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        while self.context.ok() and not self._done.done():
            self._executor.spin_until_future_complete(self._done, timeout_sec=3600.0)

    def _on_safety(self, message: SafetyState) -> None:
        self.safety = message

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leaves the graph."""
        self._done.set_result(None)
        self._thread.join(timeout=2.0)
        self._executor.shutdown(timeout_sec=1.0)
        self.node.destroy_node()
        rclpy.shutdown(context=self.context, uninstall_handlers=False)

    def names(self) -> set[str]:
        """Fully qualified names of the nodes in the graph."""
        listed = self.node.get_node_names_and_namespaces()
        return {f"{namespace.rstrip('/')}/{name}" for name, namespace in listed}

    def press_runstop(self, on: bool = True) -> Future | None:
        """Sends the stop button's state and does not wait; None when nobody serves it."""
        if not self._runstop.service_is_ready():
            return None
        return self._runstop.call_async(SetBool.Request(data=on))

    def ask_mode(self, mode: str) -> Future | None:
        """Asks the body for ``mode`` and does not wait; None when nobody serves it."""
        if not self._set_mode.service_is_ready():
            return None
        return self._set_mode.call_async(SetMode.Request(mode=mode))

    def runstop(self, on: bool, timeout: float = 10.0) -> str:
        """Presses or releases the stop button; the answer's message. NeoError when there is none."""
        answer = self.call(self._runstop, SetBool.Request(data=on), timeout)
        if not answer.success:
            raise NeoError(f"the drives refused: {answer.message}")
        return answer.message

    def set_mode(self, mode: str, timeout: float = 10.0) -> SetMode.Response:
        """Asks the body for ``mode``; what it answers. NeoError when refused or unheard."""
        answer = self.call(self._set_mode, SetMode.Request(mode=mode), timeout)
        if not answer.success:
            raise NeoError(f"mode {mode} refused: {answer.message}")
        return answer

    def call(self, client: Any, request: Any, timeout: float) -> Any:
        """The answer of a service within ``timeout`` s of wall time; NeoError when there is none."""
        started = time.monotonic()
        if not client.wait_for_service(timeout_sec=timeout):
            raise NeoError(f"no robot found: nobody serves {client.service_name}; start one with `neo up`")
        future = client.call_async(request)
        left = max(timeout - (time.monotonic() - started), 0.5)
        if not self.wait(future.done, left):
            raise NeoError(f"{client.service_name} did not answer within {timeout:g} s")
        return future.result()

    def action_client(self, name: str) -> ActionClient:
        """A client of the action ``name``, made in the executor's thread.

        rclpy's ActionClient shows itself to the executor before it has its lock: made in another thread, it
        ends the executor now and then, and no answer is ever heard again.
        """
        made: Any = self._executor.create_task(graph.action_client, self.node, name)
        if not self.wait(made.done, 10.0):
            raise NeoError(f"no client of {name} within 10 s: the executor does not run")
        return made.result()

    def known_to(self, name: str, timeout: float) -> bool:
        """Whether the server of the action ``name`` has found our clients of before within ``timeout`` s.

        That we have found a server does not mean that it has found us, and its answer to nobody is lost. So
        it is asked for the result of a goal that nobody sent, until it answers: clients are found
        in their order.
        """
        result = graph.action_type(name).Impl.GetResultService
        probe: Any = self.node.create_client(result, f"{name}/_action/get_result")
        deadline = time.monotonic() + timeout
        try:
            while (left := deadline - time.monotonic()) > 0.0:
                if self.wait(probe.call_async(result.Request()).done, min(ASK_AGAIN, left)):
                    return True
            return False
        finally:
            self.drop(partial(self.node.destroy_client, probe))

    def drop(self, *destroy: Callable[[], object]) -> None:
        """Calls each of ``destroy`` in the executor's thread, where no callback uses what they end."""
        for one in destroy:
            self._executor.create_task(one)

    def wait(self, condition: Callable[[], bool], timeout: float, poll: float = 0.005) -> bool:
        """Waits for ``condition`` up to ``timeout`` s of wall time; whether it came true."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(poll)
        return True


class TickWatch:
    """Whether the plant moves on: counts different ``body/state`` messages, undecoded, then lets go."""

    def __init__(self, stack: Stack):
        self._stack = stack
        self._last = b""
        self.count = 0
        self._sub = graph.subscription(stack.node, "body/state", self._on_state, raw=True)

    def _on_state(self, raw: bytes) -> None:
        if raw != self._last:
            self._last = raw
            self.count += 1

    def close(self) -> None:
        self._stack.drop(partial(self._stack.node.destroy_subscription, self._sub))


class PlantClock:
    """Plant time in s from ``/clock``; None until heard."""

    def __init__(self, stack: Stack):
        self._stack = stack
        self.now: float | None = None
        self._sub = graph.subscription(stack.node, "/clock", self._on_clock)

    def _on_clock(self, message: Clock) -> None:
        self.now = message.clock.sec + 1e-9 * message.clock.nanosec

    def close(self) -> None:
        self._stack.drop(partial(self._stack.node.destroy_subscription, self._sub))
