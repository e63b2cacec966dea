"""What the recorder's node learns from the graph: who acts, what is asked for, what is worth a clip.

Tasks are known by the introspection of ``do_task`` (its goals and results as messages, see
``neo_ros.graph.action_server``), an operator by ``teleop/engaged``, and whether they agreed to be recorded by
``teleop/consent``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalStatus, GoalStatusArray
from neo_msgs.action import DoTask
from neo_msgs.msg import SafetyState, Surprise
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import qos_profile_action_status_default
from service_msgs.msg import ServiceEventInfo
from std_msgs.msg import Bool

from neo_flywheel.provenance import Provenance
from neo_ros import graph
from neo_ros.raw_stamp import decoded

LOOK_EVERY = 0.1  # s of wall time: a step of the world model
CLUTCH, CONSENT = "teleop/engaged", "teleop/consent"
OVER = (GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_CANCELED, GoalStatus.STATUS_ABORTED)
EXCUSED = ("done", "cancelled", "refused")  # outcomes that are no failure of a task
TASK_NODE = "task"
REMEMBERED = 20  # goals that are over


class Witness:
    """Calls ``note(key, value)`` when something changes, ``trigger(kind, detail)`` when something happened.

    ``surprising``: from which quantile on a surprise is one.
    """

    def __init__(
        self,
        node: Node,
        note: Callable[[str, str], None],
        trigger: Callable[[str, str], None],
        surprising: Callable[[], float],
    ):
        self._node, self._note, self._trigger, self._surprising = node, note, trigger, surprising
        self._said: dict[str, str] = {}
        self.looks = {
            "safety/state": self._on_safety,
            "world_model/surprise": self._on_surprise,
            CLUTCH: self._on_clutch,
            CONSENT: self._on_consent,
        }
        self._provenance = Provenance()
        self._was_active = self._engaged = self._intervened = self._agreed = False
        self._goal, self._runs = b"", False  # the last goal that was begun
        self._over = deque[bytes](maxlen=REMEMBERED)  # a status may be heard before its goal
        self._asked: dict[tuple[bytes, int], bytes] = {}  # request for a result → whose
        events = graph.EVENTS
        name = node.resolve_topic_name("do_task")
        node.create_subscription(
            DoTask.Impl.SendGoalService.Event,
            f"{name}/_action/send_goal/_service_event",
            self._on_goal,
            events,
        )
        node.create_subscription(
            DoTask.Impl.GetResultService.Event,
            f"{name}/_action/get_result/_service_event",
            self._on_result,
            events,
        )
        node.create_subscription(
            GoalStatusArray, f"{name}/_action/status", self._on_status, qos_profile_action_status_default
        )
        self._planner = AsyncParameterClient(node, TASK_NODE)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(LOOK_EVERY, self._look, clock=steady)
        self._look()

    @property
    def private(self) -> bool:
        """Whether an operator moves the robot who did not agree to be recorded."""
        return self._engaged and not self._agreed

    def _say(self, key: str, value: str) -> None:
        self._said[key] = value
        self._note(key, value)

    def _look(self) -> None:
        if self._engaged and not self._node.count_publishers(CLUTCH):  # the operator's node is gone
            self._engaged = False
        self._provenance.operator(self._engaged)
        label = self._provenance.label
        if label != self._said.get("provenance"):
            self._say("provenance", label)
        intervened = self._provenance.intervention
        if intervened and not self._intervened:
            self._trigger("intervention", self._said.get("prompt", ""))
        self._intervened = intervened

    def _on_safety(self, raw: bytes) -> None:
        message = decoded(raw, SafetyState)
        active = message.state == SafetyState.ACTIVE and not message.runstop
        self._provenance.safety(active)
        self._look()
        if self._was_active and not active:
            self._trigger("safety", message.reason)
        self._was_active = active

    def _on_clutch(self, raw: bytes) -> None:
        self._engaged = decoded(raw, Bool).data
        self._look()

    def _on_consent(self, raw: bytes) -> None:
        self._agreed = decoded(raw, Bool).data

    def _on_surprise(self, raw: bytes) -> None:
        value = decoded(raw, Surprise).value
        if value >= self._surprising():
            self._trigger("surprise", f"{value:.4f}")

    def _on_goal(self, event: Any) -> None:
        if event.info.event_type != ServiceEventInfo.REQUEST_RECEIVED or not event.request:
            return
        goal, goal_id = event.request[0].goal, bytes(event.request[0].goal_id.uuid)
        if self._runs:  # a second one, that will be refused
            return
        self._goal = goal_id
        self._say("prompt", goal.prompt)
        if goal_id in self._over:
            return
        self._runs = True
        self._begins(goal.planner)
        if not goal.planner and self._planner.services_are_ready():
            self._planner.get_parameters(["planner"], self._on_planner)

    def _on_planner(self, future: Any) -> None:
        answer = future.result()
        if self._runs and answer is not None and answer.values:
            self._begins(answer.values[0].string_value)

    def _begins(self, planner: str) -> None:
        self._provenance.begins(planner)
        self._look()

    def _on_status(self, message: Any) -> None:
        for row in message.status_list:
            goal_id = bytes(row.goal_info.goal_id.uuid)
            if row.status in OVER and goal_id not in self._over:
                self._over.append(goal_id)
                if goal_id == self._goal:
                    self._ends()

    def _on_result(self, event: Any) -> None:
        request = bytes(event.info.client_gid), event.info.sequence_number
        if event.info.event_type == ServiceEventInfo.REQUEST_RECEIVED and event.request:
            self._asked[request] = bytes(event.request[0].goal_id.uuid)
        if event.info.event_type != ServiceEventInfo.RESPONSE_SENT or not event.response:
            return
        if self._asked.pop(request, None) != self._goal:
            return
        result = event.response[0].result
        self._say("outcome", "done" if result.success else f"{result.reason}: {result.outcome}")
        self._ends()
        if not result.success and result.reason not in EXCUSED:
            self._trigger("failure", result.outcome)

    def _ends(self) -> None:
        self._runs = False
        self._provenance.ends()
        self._look()
