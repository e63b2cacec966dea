"""``neo record``: records a running robot until Ctrl-C or for a while; all, or clips round triggers."""

from __future__ import annotations

import argparse
import signal
import threading

from neo_description.errors import NeoError

HELP = "record every topic of a running robot into a bag (rosbag2, MCAP)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--directory", default="", help="run folder; the bag is its subfolder bag; default runs/TIME"
    )
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="end after so much wall time; 0: on Ctrl-C"
    )
    parser.add_argument("--namespace", default="", help="ROS namespace of the robot")
    parser.add_argument(
        "--images", default="jpeg", help="jpeg as the camera sends them, h264 (a tenth of the size), or none"
    )
    parser.add_argument(
        "--ring", action="store_true",
        help="keep the last seconds in memory, and write clip-0001 … only round triggers",
    )  # fmt: skip
    parser.add_argument("--before", type=float, default=30.0, help="s of a clip before its trigger")
    parser.add_argument("--after", type=float, default=10.0, help="s of a clip after its last trigger")
    parser.add_argument(
        "--triggers", default="surprise,failure,intervention,safety",
        help="with --ring: some of surprise, failure, intervention, safety",
    )  # fmt: skip
    parser.add_argument("--surprise", type=float, default=0.99, help="quantile from which on it triggers")


def run(args: argparse.Namespace) -> int:
    """0: recorded. NeoError (2): could not."""
    from neo_flywheel.recorder_node import RecorderNode
    from neo_ros.main import run as run_node

    words = ["--ros-args", "-r", f"__ns:=/{args.namespace.strip('/')}", "-r", "__node:=record"]
    for name, value in parameters(args).items():
        words += ["-p", f"{name}:={value}"]
    if args.seconds > 0:
        timer = threading.Timer(args.seconds, signal.raise_signal, (signal.SIGINT,))
        timer.daemon = True
        timer.start()
    run_node(RecorderNode, args=words)
    return 0


def parameters(args: argparse.Namespace) -> dict[str, str]:
    """The node's parameters as on a ROS command line."""
    triggers = [word.strip() for word in args.triggers.split(",") if word.strip()]
    if args.ring and not triggers:
        raise NeoError("--ring without --triggers would never record; name at least one")
    return {
        "start": str(not args.ring).lower(),
        "ring": str(args.ring).lower(),
        "directory": f"'{args.directory}'",
        "images": args.images,
        "before": f"{args.before:f}",
        "after": f"{args.after:f}",
        "surprise": f"{args.surprise:f}",
        "triggers": f"[{', '.join(triggers)}]",
    }
