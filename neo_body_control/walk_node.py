"""The part of node ``body_control`` that is asked to walk to a place: action ``walk_to``.

It is stepped by the same states as the controller. A new goal takes the place of the one under way.
"""

from __future__ import annotations

import math
from typing import Any

from neo_msgs.action import WalkTo as WalkToAction
from rclpy.action import CancelResponse
from rclpy.node import Node

from neo_body_control.controller import BodyController
from neo_body_control.goals import UnderWay
from neo_body_control.walking.walk_to import WalkTo
from neo_description.errors import NeoError
from neo_description.tables import CONTROL_RATE
from neo_ros import convert, graph
from neo_ros.diagnostics import Diagnostics

FEEDBACK_EVERY = CONTROL_RATE // 10  # ticks


class WalkAdapter:
    """Adapter of :class:`WalkTo` for ``body``."""

    def __init__(self, node: Node, body: BodyController, params: Any, diagnostics: Diagnostics):
        self._body, self._params, self._diagnostics = body, params, diagnostics
        self._under_way = UnderWay()
        self._server = graph.action_server(
            node, "walk_to", self._execute, cancel_callback=lambda _: CancelResponse.ACCEPT
        )

    def tick(self, tick: int) -> None:
        """After the controller's tick."""
        if self._under_way.tick() and tick % FEEDBACK_EVERY == 0:
            distance, heading = self._under_way.core.errors
            feedback = WalkToAction.Feedback(distance=distance, heading_error=heading)
            self._under_way.goal.publish_feedback(feedback)

    def stop(self) -> None:
        """The body was stopped, and no tick may follow: a goal that runs ends."""
        self._under_way.stop()

    async def _execute(self, goal: Any) -> Any:
        request = goal.request
        try:
            T, frame = convert.pose(request.target.pose, "target"), request.target.header.frame_id
            walk = WalkTo(self._body, self._params, T, frame, request.timeout)
        except NeoError as error:
            self._diagnostics.refused("walk_to", str(error))
            goal.abort()
            nan = math.nan
            return WalkToAction.Result(reason=f"refused: {error}", distance=nan, heading_error=nan)
        outcome = await self._under_way.until_ended(walk, goal)
        return WalkToAction.Result(
            success=outcome.success,
            reason=outcome.reason,
            distance=outcome.distance,
            heading_error=outcome.heading_error,
        )
