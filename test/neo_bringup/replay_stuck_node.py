"""A node that answers three states, and never comes back from the fourth."""

import threading

from neo_msgs.msg import TendonCommand
from rclpy.node import Node

from neo_ros import graph
from neo_ros.main import run


class Stuck(Node):
    def __init__(self):
        super().__init__("body_control")
        self._answers = graph.publisher(self, "body/tendon_command")
        graph.subscription(self, "body/state", self._on_state)

    def _on_state(self, message):
        if message.tick == 3:
            threading.Event().wait()
        self._answers.publish(TendonCommand(header=message.header, tick=message.tick))


if __name__ == "__main__":
    run(Stuck)
