"""The base of every node of ours: a ROS 2 managed node with signs of life.

    class CameraNode(ManagedNode):
        def __init__(self) -> None:
            super().__init__("camera", PARAMETERS)      # declares them: self._params

        def configure(self) -> None:                    # publishers, subscriptions, timers, services, cores
        def cleanup(self) -> None:                      # what is not ROS: files, devices, threads

``ros2 lifecycle`` sees unconfigured, inactive, active and finalized. What :meth:`configure` makes is
destroyed by a cleanup, so that it can run again with other parameters. While the node is not active, its
subscriptions, timers and services do not reach it: messages are dropped, services say no, goals are rejected.
So a control node that is not active commands nothing, and the drives hold by themselves.

Parameter ``autostart`` (default) brings a node up by itself; what :meth:`configure` raises comes through. The
heartbeat is sent by the executor that does the node's work: one that is stuck goes silent.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lifecycle_msgs.msg import State
from neo_msgs.msg import Heartbeat
from rclpy.action import GoalResponse
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from neo_description.errors import NeoError
from neo_ros import graph, params

PARAMETERS = Path(__file__).with_name("parameters.yaml")
MADE = (
    "subscriptions",
    "timers",
    "services",
    "clients",
    "publishers",
    "waitables",
)  # destroyed in this order
DONE, REFUSED, FAULT = (
    TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE, TransitionCallbackReturn.ERROR,
)  # fmt: skip


class ManagedNode(LifecycleNode):
    """Node ``name`` with the parameters of ``files``; NeoError when a value is refused.

    ``degraded``: mode → reason, what the node does without; told with each heartbeat.
    """

    def __init__(self, name: str, *files: Path) -> None:
        self._gating = self._open = self._configured = False
        self.degraded: dict[str, str] = {}
        self._kept: dict[str, set[int]] = {}  # what a cleanup leaves
        super().__init__(name)
        self._params = params.declare(self, PARAMETERS, *files)
        self._beats = 0
        self._heart = graph.publisher(self, "safety/heartbeat")
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._heart_timer = self.create_timer(1.0 / self._params.heartbeat_rate, self._beat, clock=steady)
        self._kept = {kind: self._now(kind) for kind in MADE}
        self._fault: Exception | None = None
        self._coming_up = self._params.autostart
        if self._params.autostart:
            self._come_up()

    # What a node fills in

    def configure(self) -> None:
        """Make what the node needs; NeoError refuses."""

    def activate(self) -> None:
        """About to be active."""

    def deactivate(self) -> None:
        """About to be inactive: end what runs."""

    def cleanup(self) -> None:
        """Let go of what is not ROS."""

    # State

    @property
    def active(self) -> bool:
        """Whether messages, timers and requests reach the node."""
        return self._open

    @property
    def lifecycle(self) -> int:
        """``lifecycle_msgs/State`` id of the present state."""
        return int(self._state_machine.current_state[0])

    def close(self) -> None:
        """End: what :meth:`configure` took hold of is let go."""
        self._open = False
        if self._configured:
            self._configured = False
            self.cleanup()

    def destroy_node(self) -> None:
        """Leave the graph, with action servers: rclpy would leave them to the garbage collector."""
        self.close()
        self._destroy_made()
        super().destroy_node()

    def _come_up(self) -> None:
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != DONE:
                # nobody gets this node to end it; left to the interpreter's end it may crash there
                self.destroy_node()
                raise self._fault or NeoError(f"{self.get_name()} did not come up")
        self._coming_up = False

    def _LifecycleNodeMixin__change_state(self, transition: int) -> TransitionCallbackReturn:
        """What ``change_state`` calls; with ROS 2 Jazzy a transition that is not to be had ends the node."""
        try:
            return super()._LifecycleNodeMixin__change_state(transition)  # type: ignore[misc, no-any-return]
        except rclpy_implementation.RCLError:
            return FAULT

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._gating = True
        result = self._passed(self.configure)
        self._configured = result == DONE
        if not self._configured:
            self._destroy_made()
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._passed(self.activate)
        self._open = result == DONE
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._passed(self.deactivate)
        self._open = False
        return result if result == DONE else FAULT  # refused, it would count as active

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._passed(self.close)
        self._destroy_made()
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._passed(self._end_life)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._passed(self._end_life)
        self._destroy_made()
        return result

    def _end_life(self) -> None:
        if self._open:
            self.deactivate()
        self.close()

    def _passed(self, step: Callable[[], None]) -> TransitionCallbackReturn:
        """Does ``step``; what it raises is told here, for rclpy would swallow it."""
        try:
            step()
        except Exception as error:
            self._fault = error
            if not self._coming_up:  # else it comes through the constructor
                self.get_logger().error(f"{type(error).__name__}: {error}")
            return REFUSED if isinstance(error, NeoError) else FAULT
        return DONE

    def _now(self, kind: str) -> set[int]:
        return {id(one) for one in getattr(self, kind)}

    def _destroy_made(self) -> None:
        self._gating = False
        self.degraded.clear()
        destroy: dict[str, Callable[[Any], object]] = {
            "subscriptions": self.destroy_subscription,
            "timers": self.destroy_timer,
            "services": self.destroy_service,
            "clients": self.destroy_client,
            "publishers": self.destroy_publisher,
            "waitables": lambda action: action.destroy(),
        }
        for kind in self._kept:
            for one in [one for one in getattr(self, kind) if id(one) not in self._kept[kind]]:
                destroy[kind](one)

    # The gate

    def create_subscription(self, msg_type: Any, topic: str, callback: Any, *given: Any, **named: Any) -> Any:
        return super().create_subscription(msg_type, topic, self._gated(callback), *given, **named)

    def create_timer(self, timer_period_sec: float, callback: Any, *given: Any, **named: Any) -> Any:
        if not self._gating or callback is None:
            return super().create_timer(timer_period_sec, callback, *given, **named)

        def tick() -> None:
            if self._open:
                callback()

        return super().create_timer(timer_period_sec, tick, *given, **named)

    def create_service(self, srv_type: Any, srv_name: str, callback: Any, *given: Any, **named: Any) -> Any:
        if not self._gating:
            return super().create_service(srv_type, srv_name, callback, *given, **named)

        def answer(request: Any, response: Any) -> Any:
            return callback(request, response) if self._open else self._no(response)

        async def answer_later(request: Any, response: Any) -> Any:
            return await callback(request, response) if self._open else self._no(response)

        later = inspect.iscoroutinefunction(callback)
        made = super().create_service(srv_type, srv_name, answer_later if later else answer, *given, **named)
        if later:
            self._await_answers(made)
        return made

    def _await_answers(self, service: Any) -> None:
        """``service`` sends what its coroutine returns; the executor of ROS 2 Jazzy does not wait for it."""
        send = service.send_response

        def send_response(response: Any, header: Any) -> None:
            async def send_later() -> None:
                send(await response, header)

            if not inspect.iscoroutine(response):
                send(response, header)
            elif self.executor is not None:
                self.executor.create_task(send_later)

        service.send_response = send_response

    def gated_goals(self, accept: Callable[[Any], GoalResponse] | None) -> Callable[[Any], GoalResponse]:
        """``accept`` of an action server, while the node is active; see ``neo_ros.graph.action_server``."""

        def answer(goal: Any) -> GoalResponse:
            if not self._open:
                return GoalResponse.REJECT
            return GoalResponse.ACCEPT if accept is None else accept(goal)

        return answer

    def _gated(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        if not self._gating:
            return callback

        @functools.wraps(callback)  # by its signature rclpy sees whether it wants to know the publisher
        def heard(*given: Any) -> None:
            if self._open:
                callback(*given)

        return heard

    def _no(self, response: Any) -> Any:
        if hasattr(response, "success"):
            response.success = False
        if hasattr(response, "message"):
            response.message = f"{self.get_name()} is {self._state_machine.current_state[1]}"
        return response

    # Signs of life

    def _beat(self) -> None:
        self._beats += 1
        message = Heartbeat(
            node=self.get_fully_qualified_name(),
            count=self._beats,
            lifecycle=self.lifecycle if self.lifecycle <= State.PRIMARY_STATE_FINALIZED else 0,
            degraded=[f"{mode}: {reason}" for mode, reason in self.degraded.items()],
        )
        message.header.stamp = self.get_clock().now().to_msg()
        self._heart.publish(message)
