"""``neo status``: how every node is, what the robot does without. Exit code 0 when all is well, else 1."""

from __future__ import annotations

import argparse
import json
from typing import Any

from neo_bringup import supervision
from neo_bringup.client import add_namespace, connect
from neo_description.errors import NeoError
from neo_ros import graph

HELP = "say how every node is, and which degraded modes the robot is in"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--timeout", type=float, default=5.0, metavar="S", help="how long to look for a robot"
    )
    add_namespace(parser)


def run(args: argparse.Namespace) -> int:
    """0: all is well; 1: not all. NeoError (2): no supervisor was heard."""
    heard: list[Any] = []
    with connect(args) as stack:
        graph.subscription(stack.node, "supervisor/state", heard.append)
        if not stack.wait(lambda: bool(heard), args.timeout):
            raise NeoError(
                f"no supervisor heard within {args.timeout:g} s: start the robot with `neo up` "
                "(`ros2 launch` has none)"
            )
    state = supervision.read(heard[-1])
    print(json.dumps(state.as_json()) if args.json else "\n".join(state.lines()))
    return 0 if state.well else 1
