"""What the commands that talk to a running robot share: its namespace, the connection, goals."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import PoseStamped
from neo_msgs.action import DoTask, WalkTo
from rclpy.action import ActionClient

from neo_bringup.stack import Stack
from neo_description.errors import NeoError


def add_namespace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--namespace", default="", help="ROS namespace of the robot")


def connect(args: argparse.Namespace) -> Stack:
    """Joins the graph of the robot in ``args.namespace``."""
    return Stack("/" + args.namespace.strip("/"), f"neo_{os.getpid()}")


class ActionGoal:
    """One goal of the action ``name``. ``progress`` is called with each feedback, from the executor's thread.

    ``refused``: why the server may say no without a word.
    """

    name = ""
    refused = "it says no more"

    def __init__(self, stack: Stack, progress: Callable[[Any], None]):
        self._stack = stack
        self._progress = progress
        self._client: ActionClient = stack.action_client(self.name)
        self._handle: Any = None
        self._result: Any = None

    def send_goal(self, goal: Any, wait: float = 10.0, given_up: Callable[[], bool] = lambda: False) -> None:
        """Sends ``goal``, unless ``given_up`` before; NeoError when no robot takes it within ``wait`` s.

        Once it is sent, this waits for the answer: only a goal that was taken can be cancelled.
        """
        if not self._stack.wait(lambda: self.server_alive() or given_up(), wait):
            raise NeoError(f"no robot found: nobody serves {self.name}; start one with `neo up`")
        if given_up():
            return
        if not self._stack.known_to(self.name, wait):
            raise NeoError(f"{self.name} did not answer within {wait:g} s; nothing was asked of the robot")
        sent = self._client.send_goal_async(goal, feedback_callback=lambda m: self._progress(m.feedback))
        if not self._stack.wait(sent.done, wait):
            raise NeoError(f"{self.name} did not answer within {wait:g} s")
        self._handle = sent.result()
        if not self._handle.accepted:
            raise NeoError(f"{self.name} refused the goal: {self.refused}")
        self._result = self._handle.get_result_async()

    def ended(self, interrupted: Callable[[], bool]) -> bool:
        """Waits for the end; False: ``interrupted`` came before, and it was cancelled.

        NeoError when the robot goes away.
        """
        while not self._stack.wait(lambda: self.done or interrupted(), 1.0):
            if not self.server_alive() and not self._stack.wait(lambda: self.done, 3.0):
                raise NeoError("the robot went away while it worked on the task")
        if not self.done:
            self.cancel()
            return False
        return True

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


class TaskGoal(ActionGoal):
    """A prompt."""

    name, refused = "do_task", "another task is running"

    def send(
        self,
        prompt: str,
        planner: str = "",
        timeout: float = 0.0,
        wait: float = 10.0,
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """See :meth:`send_goal`; ``timeout`` s of plant time, 0 for the robot's default."""
        self.send_goal(DoTask.Goal(prompt=prompt, planner=planner, timeout=timeout), wait, given_up)


class WalkGoal(ActionGoal):
    """A place to walk to."""

    name = "walk_to"

    def send(
        self,
        forward: float,
        left: float = 0.0,
        turn: float = 0.0,
        timeout: float = 0.0,
        wait: float = 10.0,
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """See :meth:`send_goal`; m and rad from where the robot is and faces now."""
        target = PoseStamped()
        target.header.frame_id = "base_link"
        target.pose.position.x, target.pose.position.y = forward, left
        target.pose.orientation.z, target.pose.orientation.w = math.sin(turn / 2), math.cos(turn / 2)
        self.send_goal(WalkTo.Goal(target=target, timeout=timeout), wait, given_up)
