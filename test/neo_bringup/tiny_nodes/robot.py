"""Serves runstop, set_mode and do_task as a robot would: "fail" is not done, "hang" lasts until cancelled."""

import rclpy
from neo_msgs.action import DoTask
from neo_msgs.srv import SetMode
from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import SetBool

from neo_ros import executor


class Robot(Node):
    def __init__(self):
        super().__init__("robot")
        self.create_service(SetBool, "runstop", self.runstop)
        self.create_service(SetMode, "set_mode", self.set_mode)
        self.server = ActionServer(
            self, DoTask, "do_task", self.do_task, cancel_callback=lambda _: CancelResponse.ACCEPT
        )

    def runstop(self, request, response):
        response.success, response.message = True, "latched" if request.data else "released"
        return response

    def set_mode(self, request, response):
        response.success, response.message = request.mode == "stop", "the stop button is pressed"
        return response

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


rclpy.init()
executor.spin(Robot())
