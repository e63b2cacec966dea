"""Real nodes over real DDS on one executor of this process, so that a fault can be put between two ticks.

    with Lab(("sim", "body_control", "l_hand_control", "r_hand_control")) as lab:
        lab.stand()
        lab.publish("whole_body/command", message)
        lab.until(lambda: lab.refusals("body_control", "whole_body/command"), 5.0)

Each node is what it is as a process of its own: its class, name, parameters and topics. That they share an
executor makes a run repeat, and lets :class:`Drives` score by what the plant took (privileged).
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import rclpy
from neo_msgs.srv import SetMode
from rclpy.context import Context
from rclpy.experimental import EventsExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.task import Future

from neo_bringup.faults_bench.privileged_drives import Drives
from neo_bringup.instance import claim_free_domain
from neo_description.errors import NeoError
from neo_description.signals import Safety
from neo_ros import environment, graph
from neo_ros.managed import ManagedNode

KINDS = {
    "sim": "neo_sim.node:SimNode",
    "body_control": "neo_body_control.node:BodyControlNode",
    "l_hand_control": "neo_hand_control.node:HandControlNode",
    "r_hand_control": "neo_hand_control.node:HandControlNode",
    "proprioception": "neo_sensors.proprioception_node:ProprioceptionNode",
    "tactile": "neo_sensors.tactile_node:TactileNode",
    "perception": "neo_perception.node:PerceptionNode",
    "task": "neo_task.node:TaskNode",
    "recorder": "neo_flywheel.recorder_node:RecorderNode",
    "world_model": "neo_world_model.node:WorldModelNode",
    "camera": "neo_sensors.camera_node:CameraNode",
    "teleop": "neo_teleop.node:TeleopNode",
    "console": "neo_bringup.console.node:ConsoleNode",
}
CONTROL = ("sim", "body_control", "l_hand_control", "r_hand_control")
SETTINGS: dict[str, dict[str, object]] = {
    "sim": {"scene": "empty", "sync": "lockstep", "speed": 0.0},
    "l_hand_control": {"side": "l"},
    "r_hand_control": {"side": "r"},
}
TURN = 0.002  # s of wall time between two looks at a condition
PATIENCE = 60.0  # s of wall time


class Lab:
    """``nodes`` by name, ``us`` (our own node beside them), ``drives`` (what the plant took; privileged).

    ``settings``: parameters by node, over :data:`SETTINGS`. ``namespaces``: of nodes that shall hear and talk
    elsewhere, as when a relay stands between.
    """

    def __init__(
        self,
        names: Sequence[str] = CONTROL,
        seed: int = 0,
        settings: Mapping[str, Mapping[str, object]] | None = None,
        remaps: Mapping[str, Mapping[str, str]] | None = None,
    ):
        environment.prepare()
        self._names, self._remaps = names, remaps or {}
        given = settings or {}
        self._settings = {n: {**SETTINGS.get(n, {}), **given.get(n, {})} for n in names}
        if "sim" in names:
            self._settings["sim"].setdefault("seed", seed)
        self.nodes: dict[str, Any] = {}
        self.told: dict[str, dict[str, str]] = {}
        self.levels: dict[str, str] = {}
        self.tick = -1
        self.each_tick: list[Callable[[Any], None]] = []
        self._turned: Future = Future()
        self._publishers: dict[str, Any] = {}
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Lab:
        self.domain, self._claim = claim_free_domain()
        self.context = Context()
        off = rclpy.SignalHandlerOptions.NO
        rclpy.init(args=[], context=self.context, domain_id=self.domain, signal_handler_options=off)
        self._executor = EventsExecutor(context=self.context)
        try:
            self.us = Node("lab", context=self.context, start_parameter_services=False)
            graph.subscription(self.us, "/diagnostics", self._on_diagnostics)
            graph.subscription(self.us, "body/state", self._on_state)
            self._executor.add_node(self.us)
            for name in self._names:
                self.add(name, self._settings[name], self._remaps.get(name, {}))
            if "sim" in self.nodes:
                self.drives = Drives(self.nodes["sim"].plant)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in [*reversed(self.nodes.values()), self.us]:
            self._executor.remove_node(node)
            close = getattr(node, "close", None)
            if close is not None:
                close()
            node.destroy_node()
        self._executor.shutdown(timeout_sec=1.0)
        rclpy.shutdown(context=self.context, uninstall_handlers=False)
        self._claim.close()

    def add(
        self, name: str, settings: Mapping[str, object], remaps: Mapping[str, str], kind: str = ""
    ) -> Any:
        """A node more, called ``name``; ``kind``: the row of :data:`KINDS` it is made by."""
        module, _, made_by = KINDS[kind or name].partition(":")
        node = make(getattr(importlib.import_module(module), made_by), name, self.context, settings, remaps)
        self.nodes[name] = node
        self._executor.add_node(node)
        return node

    # What was heard

    def _on_state(self, message: Any) -> None:
        if message.tick == self.tick:
            return
        self.tick = message.tick
        for call in list(self.each_tick):
            call(message)
        self.wake()

    def _on_diagnostics(self, message: Any) -> None:
        for status in message.status:
            name = status.name.rpartition("/")[2]
            self.told.setdefault(name, {}).update({pair.key: pair.value for pair in status.values})
            self.levels[name] = status.message

    def refusals(self, node: str, topic: str) -> int:
        """How many messages of ``topic`` the node has said it refused."""
        return int(self.told.get(node, {}).get(f"refused {topic}", "0"))

    # What is done

    def until(self, condition: Callable[[], bool], timeout: float = PATIENCE) -> bool:
        """Runs everything until ``condition`` holds, up to ``timeout`` s of wall time; whether it did."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.turn(min(TURN, timeout))
        return True

    def turn(self, seconds: float = TURN) -> None:
        """Runs everything until the plant's next tick, or for a moment when there is none.

        A time-out alone would not do: the executor looks at it when nothing is left to run, which is never
        while plant and controllers answer each other.
        """
        self._turned = Future()
        self._executor.spin_until_future_complete(self._turned, timeout_sec=seconds)

    def wake(self) -> None:
        """Ends :meth:`turn`, from a callback: there is something to look at."""
        if not self._turned.done():
            self._turned.set_result(None)

    def ticks(self, count: int) -> None:
        """Lets the plant make ``count`` steps; NeoError when it does not."""
        end = self.tick + count
        if not self.until(lambda: self.tick >= end):
            raise NeoError(f"the plant stood still at tick {self.tick}")

    def publisher(self, topic: str) -> Any:
        """Our publisher of ``topic``, once somebody hears it."""
        if topic not in self._publishers:
            self._publishers[topic] = graph.publisher(self.us, topic)
            if not self.until(lambda: self._publishers[topic].get_subscription_count() > 0):
                raise NeoError(f"nobody hears {topic}")
        return self._publishers[topic]

    def publish(self, topic: str, message: Any) -> None:
        """Sends a message, or serialised bytes."""
        self.publisher(topic).publish(message)

    def call(self, name: str, request: Any, timeout: float = PATIENCE) -> Any:
        """The answer of the service ``name``; NeoError when none comes."""
        future = self.client(name).call_async(request)
        if not self.until(future.done, timeout):
            raise NeoError(f"{name} did not answer within {timeout:g} s")
        return future.result()

    def client(self, name: str) -> Any:
        """A client of the service ``name`` that knows its server."""
        if name not in self._clients:
            self._clients[name] = graph.service_client(self.us, name)
            if not self.until(self._clients[name].service_is_ready):
                raise NeoError(f"nobody serves {name}")
        return self._clients[name]

    @property
    def safety(self) -> Safety:
        """The body's state (from the node itself)."""
        state: Safety = self.nodes["body_control"]._body.safety.state
        return state

    def stand(self) -> None:
        """Makes the robot stand; NeoError when it does not become ACTIVE."""
        if not self.until(lambda: self.tick >= 50):
            raise NeoError("the plant did not start")
        answer = self.call("set_mode", SetMode.Request(mode="stand"))
        if not answer.success:
            raise NeoError(f"the robot does not stand up: {answer.message}")
        if not self.until(lambda: self.safety == Safety.ACTIVE):
            raise NeoError(f"the robot did not stand: it is in {self.safety.name}")


def make(
    kind: type[ManagedNode],
    name: str,
    context: Context,
    settings: Mapping[str, object] | None = None,
    remaps: Mapping[str, str] | None = None,
) -> Any:
    """A node of class ``kind`` that is called ``name``, with parameters, in a context of its own.

    A node's constructor takes no arguments, as a launch starts it; so what a launch would say is said by a
    class that stands between it and :class:`rclpy.lifecycle.LifecycleNode`.
    """
    words = ["--ros-args"]
    for key, value in (settings or {}).items():
        words += ["-p", f"{key}:={_written(value)}"]
    for key, value in (remaps or {}).items():
        words += ["-r", f"{key}:={value}"]

    class Named(LifecycleNode):
        def __init__(self, _: str):
            super().__init__(name, context=context, cli_args=words)

    return type(kind.__name__, (kind, Named), {})()


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
