"""Serves what a robot would: do_task, where "fail" is not done and "hang" lasts until cancelled; foretell,
where "fail" is vetoed and "hang" cannot be told; walk_to, which goes forward only and 10 m at most.
"""

import numpy as np
import rclpy
from neo_msgs.action import DoTask, WalkTo
from neo_msgs.srv import Foretell, SetMode
from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import SetBool

from neo_description.signals import Belief, Consequence, Consequences, Foretold
from neo_ros import convert, executor


class Robot(Node):
    def __init__(self):
        super().__init__("robot")
        self.create_service(SetBool, "runstop", self.runstop)
        self.create_service(SetMode, "set_mode", self.set_mode)
        self.create_service(Foretell, "world_model/foretell", self.foretell)
        self.server = ActionServer(
            self, DoTask, "do_task", self.do_task, cancel_callback=lambda _: CancelResponse.ACCEPT
        )

        self.walker = ActionServer(self, WalkTo, "walk_to", self.walk_to)

    def runstop(self, request, response):
        response.success, response.message = True, "latched" if request.data else "released"
        return response

    def set_mode(self, request, response):
        response.success, response.message = request.mode == "stop", "the stop button is pressed"
        return response

    def foretell(self, request, response):
        if request.prompt == "hang":
            response.message = "too little was sensed yet"
            return response
        falls = request.prompt == "fail"
        events = [
            Consequence("falls", 0.9, 0.3, True) if falls else Consequence("falls", 0.1, np.nan, True),
            Consequence("hidden", 0.2, np.nan, False),
        ]
        things = [Belief("target", np.array([0.45, -0.1, 0.8]), 0.02, False, 0.8)] if request.prompt else []
        would = "the cup would fall" if falls else ""
        return convert.foretold_response(Foretold(Consequences(2.0, 0.8, events), falls, would, things))

    async def do_task(self, goal):
        goal.publish_feedback(DoTask.Feedback(phase="reach", progress=0.5))
        if goal.request.prompt == "hang":
            done = Future()
            timer = self.create_timer(0.02, lambda: goal.is_cancel_requested and done.set_result(None))
            await done
            self.destroy_timer(timer)
            goal.canceled()
            return DoTask.Result(success=False, reason="cancelled", outcome="not done: cancelled")
        if goal.request.prompt == "fail":
            goal.abort()
            return DoTask.Result(success=False, reason="lost", outcome="it fell")
        goal.succeed()
        return DoTask.Result(success=True, reason="done", outcome="done: lifted", lifted=0.16)

    async def walk_to(self, goal):
        target = goal.request.target
        at, q = target.pose.position, target.pose.orientation
        turn = 2.0 * np.arctan2(q.z, q.w)
        if target.header.frame_id != "base_link" or at.x > 10.0:
            goal.abort()
            return WalkTo.Result(reason="refused: too far", distance=np.nan, heading_error=np.nan)
        goal.publish_feedback(WalkTo.Feedback(distance=np.hypot(at.x, at.y), heading_error=turn))
        goal.succeed()
        return WalkTo.Result(success=True, reason="done", distance=abs(at.y), heading_error=turn)


rclpy.init()
executor.spin(Robot())
