"""Goals and results of an action as topics, where rclpy cannot do it by itself: ROS 2 Jazzy.

Kilted's action servers have introspection; Jazzy's have none, though the types of its messages are there.
This server says the same on the same topics: goals and requests for results when they come, results when
they go. A reader pairs request and result by ``client_gid`` and ``sequence_number``; here the first is the
goal's id.
"""

from __future__ import annotations

from typing import Any

from rclpy.action import ActionServer
from rclpy.node import Node
from rclpy.qos import QoSProfile
from service_msgs.msg import ServiceEventInfo


class SpokenActionServer(ActionServer):
    """An :class:`rclpy.action.ActionServer` that says what was asked of it and what came of it."""

    def __init__(self, node: Node, action_type: Any, name: str, *args: Any, events: QoSProfile, **more: Any):
        topic, kinds = f"{node.resolve_topic_name(name)}/_action", action_type.Impl
        self._speaks = node
        self._goals = node.create_publisher(
            kinds.SendGoalService.Event, f"{topic}/send_goal/_service_event", events
        )
        self._results = node.create_publisher(
            kinds.GetResultService.Event, f"{topic}/get_result/_service_event", events
        )
        self._asked: dict[int, Any] = {}  # identity of a request's header, which rclpy keeps → its goal
        super().__init__(node, action_type, name, *args, **more)

    def _info(self, kind: int, goal_id: Any, number: int) -> ServiceEventInfo:
        stamp = self._speaks.get_clock().now().to_msg()
        return ServiceEventInfo(
            event_type=kind, stamp=stamp, client_gid=list(goal_id.uuid), sequence_number=number
        )

    async def _execute_goal_request(self, request_header_and_message: Any) -> None:
        request = request_header_and_message[1]
        event = self._action_type.Impl.SendGoalService.Event(
            info=self._info(ServiceEventInfo.REQUEST_RECEIVED, request.goal_id, 1), request=[request]
        )
        self._goals.publish(event)
        await super()._execute_goal_request(request_header_and_message)

    async def _execute_get_result_request(self, request_header_and_message: Any) -> None:
        header, request = request_header_and_message
        self._asked[id(header)] = request.goal_id
        event = self._action_type.Impl.GetResultService.Event(
            info=self._info(ServiceEventInfo.REQUEST_RECEIVED, request.goal_id, 2), request=[request]
        )
        self._results.publish(event)
        await super()._execute_get_result_request(request_header_and_message)

    def _send_result_response(self, request_header: Any, future: Any) -> None:
        goal_id = self._asked.pop(id(request_header), None)
        if goal_id is not None:
            event = self._action_type.Impl.GetResultService.Event(
                info=self._info(ServiceEventInfo.RESPONSE_SENT, goal_id, 2), response=[future.result()]
            )
            self._results.publish(event)
        super()._send_result_response(request_header, future)
