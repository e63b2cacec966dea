"""Does nothing until it is told to end; argv[1] is a file for its parameters' values, pid and end."""

import os
import sys
import time

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

rclpy.init()
node = Node("idle", automatically_declare_parameters_from_overrides=True)
print("hello from", node.get_fully_qualified_name())
log = None
if len(sys.argv) > 1 and sys.argv[1] != "--ros-args":
    log = open(sys.argv[1], "a", buffering=1)  # noqa: SIM115
if log:
    for name in ("number", "text", "flag", "list"):
        if node.has_parameter(name):
            log.write(f"{name}={node.get_parameter(name).value!r}\n")
    log.write(f"pid {os.getpid()} tiny={os.environ.get('TINY')}\n")
try:
    rclpy.spin(node)
except (KeyboardInterrupt, ExternalShutdownException):
    if log:
        log.write(f"ended {time.monotonic():.6f}\n")
