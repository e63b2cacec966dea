"""Ticks on body/state and /clock, serves runstop, writes what happened and when into the file of argv[1]."""

import sys
import time

import rclpy
from neo_msgs.msg import BodyState
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from std_srvs.srv import SetBool

QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


class Plant(Node):
    def __init__(self, log):
        super().__init__("plant")
        self.log = open(log, "a", buffering=1)  # noqa: SIM115
        self.tick = 0
        self.states = self.create_publisher(BodyState, "body/state", QOS)
        self.clock = self.create_publisher(Clock, "/clock", QOS)
        self.create_service(SetBool, "runstop", self.runstop)
        self.create_timer(0.01, self.step)

    def step(self):
        self.tick += 1
        self.states.publish(BodyState(tick=self.tick))
        now = self.tick * 0.01
        clock = Clock()
        clock.clock.sec, clock.clock.nanosec = int(now), int(now % 1 * 1e9)
        self.clock.publish(clock)

    def runstop(self, request, response):
        self.log.write(f"runstop {request.data} {time.monotonic():.6f}\n")
        response.success = True
        return response


rclpy.init()
node = Plant(sys.argv[1])
try:
    rclpy.spin(node)
except (KeyboardInterrupt, ExternalShutdownException):
    node.log.write(f"ended {time.monotonic():.6f}\n")
