"""Node ``teleop``: an operator's frames become commands for body and hands.

Driven by ``joint_states``, as the task node is: each is a step of the core, whose commands go out in the same
callback; without joint states nothing is commanded. Frames come through a desk that devices of this process
write to. ``teleop/engaged`` says whether the operator moves the robot, ``teleop/consent`` whether the present
session may be recorded; a recorder keeps nothing of an operator who did not agree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from action_msgs.srv import CancelGoal
from diagnostic_msgs.msg import DiagnosticStatus
from neo_msgs.srv import SetMode
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from std_msgs.msg import Bool
from std_srvs.srv import SetBool

from neo_description.heard import Heard
from neo_description.signals import Safety
from neo_description.tables import SIDES
from neo_ros import convert, graph
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode
from neo_teleop import status
from neo_teleop.desk import Desk, Session
from neo_teleop.frames import OperatorFrame
from neo_teleop.recording_node import SessionRecording
from neo_teleop.teleop import PARAMETERS, Orders, Teleop

CONTROLLERS = ("body_control", "l_hand_control", "r_hand_control")  # whose refusals an operator is told
STOP_AGAIN = 0.5  # s of wall time without an answer after which STOP is sent again
STOP_TRIES = 5


class TeleopNode(ManagedNode):
    """``desk``: where devices put frames. ``told``: called after each new status, in this node's thread."""

    def __init__(self, desk: Desk | None = None, *files: Path) -> None:
        self.desk = desk or Desk()
        self.told: Callable[[], None] = lambda: None
        super().__init__("teleop", PARAMETERS, *files)

    def configure(self) -> None:
        self._diagnostics = Diagnostics(self)
        self._heard = Heard()
        self.teleop = Teleop(self._params)
        self._session: Session | None = None
        self._missing = "no joint states"
        self._refused: dict[str, str] = {}
        self._note = ""
        self._stops = 0  # times that STOP is sent again
        self._body = graph.publisher(self, "whole_body/command")
        self._hands = {side: graph.publisher(self, f"{side}_hand/command") for side in SIDES}
        self._engaged = graph.publisher(self, "teleop/engaged")
        self._consent = graph.publisher(self, "teleop/consent")
        self._said = {self._engaged: False, self._consent: False}
        for publisher in self._said:
            publisher.publish(Bool(data=False))
        hears: dict[str, Callable[[Any], None]] = {
            "joint_states": self._on_joints,
            "odom": lambda m: self._heard.on_odom(convert.stamp(m), convert.pose(m.pose.pose)),
            "safety/state": self._on_safety,
            "/diagnostics": self._on_diagnostics,
            **{f"{side}_hand/status": partial(self._on_hand, side) for side in SIDES},
        }
        for topic, callback in hears.items():
            graph.subscription(self, topic, self._diagnostics.guarded(topic, callback))
        self._runstop = graph.service_client(self, "runstop")
        self._set_mode = graph.service_client(self, "set_mode")
        self._cancel: Any = self.create_client(CancelGoal, "do_task/_action/cancel_goal")
        self._recording = SessionRecording(self, self.start_recorder)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._show_timer = self.create_timer(1.0 / self._params.status_rate, self._show, clock=steady)
        self._again = self.create_timer(STOP_AGAIN, self._stop_again, clock=steady)
        self.desk.pressed = self._pressed

    def start_recorder(self) -> None:
        """Start a recorder where the graph has none; whoever hosts the node may."""

    def pads(self) -> dict[str, dict[str, float]]:
        """Normal force (N) by side and finger, where whoever hosts the node hears them."""
        return {}

    def _on_safety(self, message: Any) -> None:
        self._heard.on_safety(convert.number(Safety, message.state, "state"), message.reason)

    def _on_hand(self, side: str, message: Any) -> None:
        self._heard.on_hand(side, convert.stamp(message), convert.grasp_status(message))

    def _on_diagnostics(self, message: Any) -> None:
        prefix = self.get_namespace().rstrip("/") + "/"
        for row in message.status:
            name = row.name.removeprefix(prefix)
            if name in CONTROLLERS:
                told = row.level != DiagnosticStatus.OK and row.message.startswith("refused ")
                self._refused[name] = row.message.removeprefix("refused ") if told else ""

    def _on_joints(self, message: Any) -> None:
        now = convert.stamp(message)
        self._heard.on_joints(now, message.name, message.position)
        self.desk.now = now
        self._sessions()
        frames, why = self.desk.take()
        if why:
            self.teleop.release(why)
        estimate = self._heard.estimate()
        if isinstance(estimate, str):
            self._missing = estimate
            self.teleop.release(estimate)
            self._say(self._engaged, False)
            return
        self._missing = ""
        felt, fingers = self._heard.hands(), {side: self._heard.fingers(side) for side in SIDES}
        waiting: list[OperatorFrame | None] = [*frames]
        for frame in waiting or [None]:
            self._send(self.teleop.step(frame, estimate, felt, fingers))
        self._say(self._engaged, self.teleop.engaged)

    def _send(self, orders: Orders) -> None:
        for body in orders.body:
            self._body.publish(convert.whole_body_command_message(body))
        for side, hand in orders.hands:
            self._hands[side].publish(convert.hand_command_message(hand))

    def _say(self, publisher: Any, value: bool) -> None:
        if self._said[publisher] != value:
            self._said[publisher] = value
            publisher.publish(Bool(data=value))

    def _sessions(self) -> None:
        """A session that began or ended: consent and recording follow it."""
        session = self.desk.session
        if session is not self._session:
            self._session = session
            self._recording.end()
            self._say(self._consent, session is not None and session.recorded)
            if session is not None and session.recorded:
                self._recording.begin(f"teleop: {session.who}")
        if session is None or not session.recorded:
            return
        if self._recording.state == "failed":
            self.desk.end(session.who, f"not recorded any more: {self._recording.why}")
        elif self._recording.ready:
            self.desk.ready = True

    def _show(self) -> None:
        self._recording.look()
        self._sessions()
        for name, row in status.clutches(self.teleop).items():
            self._diagnostics.set(f"clutch {name}", "engaged" if row["engaged"] else row["reason"])
        record = self._recording
        self.desk.show(
            status.told(
                self.desk, self.teleop, time=self.desk.now, robot=self._heard.safety,
                felt=self._heard.hands(), reason=self._heard.safety_reason, note=self._note,
                missing=self._missing or self._heard.motionless(), pads=self.pads(),
                refused=[f"{name}: {why}" for name, why in self._refused.items() if why],
                recording={
                    "state": record.state, "why": record.why, "path": record.path,
                    "seconds": round(record.seconds, 1),
                },
            )
        )  # fmt: skip
        self.told()

    def _pressed(self, button: str) -> None:
        """From a device's thread; rclpy's clients may be called from any."""
        if button == "stop":
            self._stops = STOP_TRIES
            self._stop_again()
        elif button == "reset":
            self._call(self._runstop, SetBool.Request(data=False), "Reset")
        elif button == "cancel":  # of no goal in particular: of all
            self._call(self._cancel, CancelGoal.Request(), "Cancel task")
        else:
            self._call(self._set_mode, SetMode.Request(mode="stand"), "Stand")

    def _stop_again(self) -> None:
        if self._stops > 0:
            self._stops -= 1
            self._call(self._runstop, SetBool.Request(data=True), "STOP")

    def _call(self, client: Any, request: Any, what: str) -> None:
        if not client.service_is_ready():
            self._note = f"{what}: nobody serves {client.srv_name}"
            return
        self._note = f"{what}: asked"
        client.call_async(request).add_done_callback(lambda future: self._answered(what, future.result()))

    def _answered(self, what: str, answer: Any) -> None:
        if what == "Cancel task":
            self._note = f"{what}: {'asked' if answer.goals_canceling else 'no task runs'}"
            return
        if what == "STOP" and answer.success:
            self._stops = 0
        detail = f": {answer.message}" if answer.message else ""
        self._note = f"{what}: {'done' if answer.success else 'refused'}{detail}"

    def deactivate(self) -> None:
        """The robot is let go; the session is over."""
        self.teleop.release("the teleop node was deactivated")
        if self._session is not None:
            self.desk.end(self._session.who, "the teleop node was deactivated")
            self._sessions()
        self._say(self._engaged, False)

    def cleanup(self) -> None:
        self.desk.pressed = lambda button: None


def main() -> None:
    """Entry point of ``teleop_node``: without a device; ``neo teleop`` brings them."""
    run(TeleopNode)
