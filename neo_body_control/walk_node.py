"""The part of node ``body_control`` that is asked to walk to a place: action ``walk_to``.

It is stepped by the same states as the controller. A new goal takes the place of the one under way.
"""

from __future__ import annotations

import math
from typing import Any

from neo_msgs.action import WalkTo as WalkToAction
from rclpy.action import CancelResponse
from rclpy.node import Node
from rclpy.task import Future

from neo_body_control.controller import BodyController
from neo_body_control.walking.walk_to import WalkOutcome, WalkTo
from neo_description.errors import NeoError
from neo_description.tables import CONTROL_RATE
from neo_ros import convert, graph
from neo_ros.diagnostics import Diagnostics

FEEDBACK_EVERY = CONTROL_RATE // 10  # ticks


class WalkAdapter:
    """Adapter of :class:`WalkTo` for ``body``."""

    def __init__(self, node: Node, body: BodyController, params: Any, diagnostics: Diagnostics):
        self._body, self._params, self._diagnostics = body, params, diagnostics
        self._walk: WalkTo | None = None
        self._goal: Any = None
        self._done: Future | None = None
        self._server = graph.action_server(
            node, "walk_to", self._execute, cancel_callback=lambda _: CancelResponse.ACCEPT
        )

    def tick(self, tick: int) -> None:
        """After the controller's tick."""
        if self._walk is None or self._goal is None:
            return
        outcome = self._walk.cancel() if self._goal.is_cancel_requested else self._walk.step()
        if outcome is not None:
            self._end(outcome)
        elif tick % FEEDBACK_EVERY == 0:
            distance, heading = self._walk.errors
            self._goal.publish_feedback(WalkToAction.Feedback(distance=distance, heading_error=heading))

    def stop(self) -> None:
        """The body was stopped, and no tick may follow: a goal that runs ends."""
        if self._walk is not None:
            self._end(self._walk.step() or self._walk.cancel())

    async def _execute(self, goal: Any) -> Any:
        before, request = self._walk, goal.request
        try:
            T, frame = convert.pose(request.target.pose, "target"), request.target.header.frame_id
            walk = WalkTo(self._body, self._params, T, frame, request.timeout)
        except NeoError as error:
            self._diagnostics.refused("walk_to", str(error))
            goal.abort()
            nan = math.nan
            return WalkToAction.Result(reason=f"refused: {error}", distance=nan, heading_error=nan)
        if before is not None:
            self._end(before.step() or before.cancel())
        self._walk, self._goal, self._done = walk, goal, Future()
        outcome: WalkOutcome = await self._done  # type: ignore[assignment]
        graph.end_goal(goal, outcome.success, outcome.reason)
        return WalkToAction.Result(
            success=outcome.success,
            reason=outcome.reason,
            distance=outcome.distance,
            heading_error=outcome.heading_error,
        )

    def _end(self, outcome: WalkOutcome) -> None:
        done, self._walk, self._goal, self._done = self._done, None, None, None
        if done is not None:
            done.set_result(outcome)
