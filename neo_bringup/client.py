"""What the commands that talk to a running robot share: its namespace, the connection, goals."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

from neo_msgs.action import DoTask
from rclpy.action import ActionClient

from neo_bringup.stack import Stack
from neo_description.errors import NeoError
from neo_ros.environment import ros_environment


def add_namespace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--namespace", default="", help="ROS namespace of the robot")


def connect(args: argparse.Namespace) -> Stack:
    """Joins the graph of the robot in ``args.namespace``."""
    os.environ.update(ros_environment())
    return Stack("/" + args.namespace.strip("/"), f"neo_{os.getpid()}")


class TaskGoal:
    """One ``do_task`` goal. ``progress`` is called with each feedback, from the executor's thread."""

    def __init__(self, stack: Stack, progress: Callable[[Any], None]):
        self._stack = stack
        self._progress = progress
        self._client: ActionClient = stack.action_client("do_task")
        self._handle: Any = None
        self._result: Any = None

    def send(
        self,
        prompt: str,
        planner: str = "",
        timeout: float = 0.0,
        wait: float = 10.0,
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """Sends the prompt, unless ``given_up`` before; NeoError when no robot takes it within ``wait`` s.

        Once it is sent, this waits for the answer: only a goal that was taken can be cancelled.
        """
        if not self._stack.wait(lambda: self.server_alive() or given_up(), wait):
            raise NeoError("no robot found: nobody serves do_task; start one with `neo up`")
        if given_up():
            return
        if not self._stack.known_to("do_task", wait):
            raise NeoError(f"do_task did not answer within {wait:g} s; nothing was asked of the robot")
        goal = DoTask.Goal(prompt=prompt, planner=planner, timeout=timeout)
        sent = self._client.send_goal_async(goal, feedback_callback=lambda m: self._progress(m.feedback))
        if not self._stack.wait(sent.done, wait):
            raise NeoError(f"do_task did not answer within {wait:g} s")
        self._handle = sent.result()
        if not self._handle.accepted:
            raise NeoError("do_task refused the goal: another task is running")
        self._result = self._handle.get_result_async()

    @property
    def done(self) -> bool:
        return self._result is not None and self._result.done()

    @property
    def result(self) -> Any:
        """The action's result; only when done."""
        return self._result.result().result

    def cancel(self, wait: float = 3.0) -> None:
        """Ends the goal, if one was taken; NeoError when it is not done within ``wait`` s."""
        if self._handle is None:
            return
        self._handle.cancel_goal_async()
        if not self._stack.wait(lambda: self.done, wait):
            raise NeoError("the robot did not end the task, it may go on; `neo stop` stops it")

    def server_alive(self) -> bool:
        return self._client.server_is_ready()

    def close(self) -> None:
        self._stack.drop(self._client.destroy)
