"""What the page's buttons ask of the robot: ``do_task``, ``runstop``, ``set_mode``.

Buttons come from the page's threads and return at once; answers come in the executor's thread. What was asked
and answered stands in :attr:`RobotCalls.task`, a value that is replaced as a whole and never changed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from neo_msgs.action import DoTask
from neo_msgs.srv import SetMode
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from std_srvs.srv import SetBool

from neo_bringup.console.snapshot import TaskView
from neo_ros import graph

STOP_TRIES = 5
STOP_RETRY = 0.5  # s of wall time without an answer after which STOP is sent again
CHECK_PERIOD = 0.1  # s of wall time
MAX_PROMPT = 500  # characters


@dataclass
class _Asked:
    """A call that has not been answered."""

    what: str
    deadline: float
    tries_left: int = 0


class RobotCalls:
    """The page's :class:`~neo_bringup.console.page.Buttons` on the graph of ``node``."""

    def __init__(self, node: Node, params: SimpleNamespace) -> None:
        self._node = node
        self._params = params
        self._lock = threading.Lock()
        self.task = TaskView()
        self._goal: Any = None
        self._number = 0  # of the goal in hand; answers to earlier ones are dropped
        self._contact = 0.0  # when do_task was last seen served
        self._asked: dict[str, _Asked] = {}
        self._do_task = graph.action_client(node, "do_task")
        self._runstop = graph.service_client(node, "runstop")
        self._set_mode = graph.service_client(node, "set_mode")
        node.create_timer(CHECK_PERIOD, self._check, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def stop(self) -> None:
        """Press the stop button; sent again until the drives answer."""
        self._send_stop(STOP_TRIES)

    def _send_stop(self, tries: int) -> None:
        self._call(self._runstop, SetBool.Request(data=True), "STOP", STOP_RETRY, tries - 1)

    def reset(self) -> None:
        """Release the stop button; the drives go on holding until the robot is told to stand."""
        self._call(self._runstop, SetBool.Request(data=False), "Reset", self._params.answer_timeout)

    def stand(self) -> None:
        """Let the robot stand up."""
        self._call(self._set_mode, SetMode.Request(mode="stand"), "Stand", self._params.answer_timeout)

    def _call(self, client: Any, request: Any, what: str, patience: float, tries_left: int = 0) -> None:
        if not client.service_is_ready():
            self._say(f"{what}: nobody serves {client.srv_name}")
            return
        with self._lock:
            self._asked[what] = _Asked(what, time.monotonic() + patience, tries_left)
        self._say(f"{what}: asked")
        client.call_async(request).add_done_callback(lambda future: self._answered(what, future))

    def _answered(self, what: str, future: Any) -> None:
        with self._lock:
            self._asked.pop(what, None)
        answer = future.result()
        detail = f": {answer.message}" if answer.message else ""
        self._say(f"{what}: {'done' if answer.success else 'refused'}{detail}")

    def do(self, prompt: str) -> None:
        """Send ``prompt`` to the robot unless it works on another."""
        prompt = " ".join(prompt.split())
        if not prompt or len(prompt) > MAX_PROMPT:
            self._say(f"a prompt has 1 to {MAX_PROMPT} characters")
            return
        with self._lock:
            if self.task.running:
                self.task = replace(self.task, note="the robot works on a task; cancel it first")
                return
            if not self._do_task.server_is_ready():
                self.task = replace(self.task, note="nobody serves do_task: is the robot up?")
                return
            self._number += 1
            self._contact = time.monotonic()
            self.task = TaskView(prompt=prompt, running=True, phase="asked")
            number = self._number
        self._in_executor(lambda: self._send(number, prompt))

    def cancel(self) -> None:
        """Ask for the end of the task."""
        with self._lock:
            goal = self._goal
        if goal is not None:
            self._in_executor(goal.cancel_goal_async)
            self._say("Cancel: asked")

    def _in_executor(self, work: Callable[[], Any]) -> None:
        """The action client may only be used where its answers arrive."""
        executor = self._node.executor
        if executor is not None:
            executor.create_task(work)

    def _send(self, number: int, prompt: str) -> None:
        goal = DoTask.Goal(prompt=prompt)
        sent = self._do_task.send_goal_async(
            goal, feedback_callback=lambda message: self._on_feedback(number, message.feedback)
        )
        sent.add_done_callback(lambda future: self._on_goal(number, future.result()))

    def _on_goal(self, number: int, goal: Any) -> None:
        if not goal.accepted:
            self._finish(number, False, "refused: the robot works on another task")
            return
        with self._lock:
            if number != self._number:
                return
            self._goal = goal
        goal.get_result_async().add_done_callback(
            lambda future: self._on_result(number, future.result().result)
        )

    def _on_feedback(self, number: int, feedback: Any) -> None:
        with self._lock:
            if number == self._number and self.task.running:
                self.task = replace(
                    self.task, phase=feedback.phase, progress=feedback.progress, detail=feedback.detail
                )

    def _on_result(self, number: int, result: Any) -> None:
        reason = "" if result.success or not result.reason else f" ({result.reason})"
        self._finish(number, result.success, f"{result.outcome}{reason}")

    def _finish(self, number: int, success: bool, outcome: str) -> None:
        with self._lock:
            if number != self._number or not self.task.running:
                return
            progress = 1.0 if success else self.task.progress
            self._goal = None
            self.task = replace(self.task, running=False, progress=progress, success=success, outcome=outcome)

    def _say(self, note: str) -> None:
        with self._lock:
            self.task = replace(self.task, note=note)

    def _check(self) -> None:
        """In the executor: unanswered calls, and a task whose server went away."""
        now = time.monotonic()
        with self._lock:
            late = [asked for asked in self._asked.values() if now > asked.deadline]
            for asked in late:
                del self._asked[asked.what]
            running, number = self.task.running, self._number
        for asked in late:
            if asked.what == "STOP" and asked.tries_left > 0:
                self._send_stop(asked.tries_left)
            else:
                self._say(f"{asked.what}: no answer; use the robot's own stop switch if in doubt")
        if running:
            if self._do_task.server_is_ready():
                self._contact = now
            elif now - self._contact > self._params.answer_timeout:
                self._finish(number, False, "lost: nobody serves do_task any more")
