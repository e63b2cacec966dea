"""The plant in lock-step with node ``body_control`` over real DDS, for the tests of what that node offers."""

import time

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from neo_msgs.srv import SetMode
from rclpy.task import Future

from neo_body_control.node import BodyControlNode
from neo_description import scenes
from neo_description.signals import Safety
from neo_ros import convert, executor, graph
from neo_sim.plant import Plant

HEARD = (
    "body/tendon_command", "safety/state", "odom", "/tf", "whole_body/targets", "torso/external_wrench",
)  # fmt: skip


class Station:
    """The plant in lock-step with the node, over ROS, and everything the node publishes."""

    def __init__(self):
        self.plant = Plant(scenes.make("empty", 0))
        self.body = BodyControlNode()
        self.node = rclpy.create_node("station")
        self.executor = executor.make(self.body, self.node)
        self.states = graph.publisher(self.node, "body/state")
        self.commands = graph.publisher(self.node, "whole_body/command")
        self.set_mode = graph.service_client(self.node, "set_mode")
        self.reach = graph.action_client(self.node, "reach")
        self.follow = graph.action_client(self.node, "follow_joint_trajectory")
        self.walk = graph.action_client(self.node, "walk_to")
        self.heard = {topic: [] for topic in HEARD}
        for topic in HEARD:
            graph.subscription(self.node, topic, self.heard[topic].append)
        self.refusals = []
        graph.subscription(self.node, "/diagnostics", self._on_diagnostics)
        self.until(lambda: self.states.get_subscription_count() and self.set_mode.service_is_ready())
        self.until(lambda: self.commands.get_subscription_count() > 0)

    def _on_diagnostics(self, message: DiagnosticArray):
        for status in message.status:
            if status.name.endswith("body_control"):
                self.refusals = [v.value for v in status.values if v.key == "last refusal"]

    def until(self, condition, timeout=30.0):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            self.executor.spin_until_future_complete(Future(), timeout_sec=0.01)

    def answer(self):
        """The node's answer to the present state; sent again when it got lost."""
        answers = self.heard["body/tendon_command"]
        sent = 0.0
        while not answers or answers[-1].tick != self.plant.tick:
            if time.monotonic() - sent > 0.1:
                self.states.publish(convert.body_state_message(self.plant.body_state()))
                sent = time.monotonic()
            self.executor.spin_until_future_complete(Future(), timeout_sec=0.0005)
        return answers[-1]

    def run(self, seconds, until=lambda: False):
        for _ in range(round(seconds * 500)):
            self.plant.command_body(convert.tendon_command(self.answer()))
            self.plant.step()
            if until():
                return True
        return False

    def mode(self, mode):
        future = self.set_mode.call_async(SetMode.Request(mode=mode))
        self.until(future.done)
        return future.result()

    def send(self, client, goal, feedback=None):
        """The handle of a goal that was sent."""
        self.until(client.server_is_ready)
        future = client.send_goal_async(goal, feedback_callback=feedback)
        self.until(future.done)
        return future.result()

    def finish(self, handle, seconds=8.0):
        """Status and result of a goal."""
        future = handle.get_result_async()
        self.run(seconds, future.done)
        self.until(future.done)
        return future.result().status, future.result().result

    def stand(self):
        self.run(0.02)
        assert self.mode("stand").success
        assert self.run(2.0, lambda: self.safety == Safety.ACTIVE)

    @property
    def safety(self):
        return self.heard["safety/state"][-1].state if self.heard["safety/state"] else None

    def close(self):
        self.executor.shutdown()
        self.reach.destroy()
        self.walk.destroy()
        self.follow.destroy()
        self.body.destroy_node()
        self.node.destroy_node()
