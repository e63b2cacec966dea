"""``neo record``: records a running robot until Ctrl-C, or for a while."""

from __future__ import annotations

import argparse
import signal
import threading

HELP = "record every topic of a running robot into a bag (rosbag2, MCAP)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--directory", default="", help="run folder; the bag is its subfolder bag; default runs/TIME"
    )
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="end after so much wall time; 0: on Ctrl-C"
    )
    parser.add_argument("--namespace", default="", help="ROS namespace of the robot")


def run(args: argparse.Namespace) -> int:
    from neo_flywheel.recorder_node import RecorderNode
    from neo_ros.main import run as run_node

    words = ["--ros-args", "-r", f"__ns:=/{args.namespace.strip('/')}", "-r", "__node:=record"]
    words += ["-p", "start:=true", "-p", f"directory:='{args.directory}'"]
    if args.seconds > 0:
        timer = threading.Timer(args.seconds, signal.raise_signal, (signal.SIGINT,))
        timer.daemon = True
        timer.start()
    run_node(RecorderNode, args=words)
    return 0
