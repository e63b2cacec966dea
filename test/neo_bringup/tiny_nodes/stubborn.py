"""Ignores SIGINT and SIGTERM: only SIGKILL ends it."""

import signal

import rclpy
from rclpy.node import Node

rclpy.init(signal_handler_options=rclpy.SignalHandlerOptions.NO)
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
node = Node("stubborn")
while True:
    signal.pause()
