"""``neo walk FORWARD [LEFT]``: to a place beside where the robot stands, by action ``walk_to``."""

from __future__ import annotations

import argparse
import json
import math
import time
from typing import Any

from neo_bringup import output
from neo_bringup.client import WalkGoal, add_namespace, connect
from neo_ros.stop_signal import StopSignal

HELP = "let the robot walk to a place: neo walk 1.5 0.2 --turn 90 (after neo up walking:=true)"
SHOWN_EVERY = 1.0  # s of wall time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("forward", type=float, help="m from where it stands")
    parser.add_argument("left", type=float, nargs="?", default=0.0, help="m from where it stands; 0")
    parser.add_argument("--turn", type=float, default=0.0, help="degrees to the left that it then faces")
    parser.add_argument("--timeout", type=float, default=0.0, help="s of plant time; 0: the robot's default")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    add_namespace(parser)


def run(args: argparse.Namespace) -> int:
    """0: it stands there, as it believes; 1: not, with the reason; NeoError (2): could not run."""
    with connect(args) as stack, StopSignal() as stop:
        shown = [-math.inf]

        def progress(feedback: Any) -> None:
            if not args.json and time.monotonic() >= shown[0] + SHOWN_EVERY:
                shown[0] = time.monotonic()
                output.progress(_missing(feedback))

        goal, interrupted = WalkGoal(stack, progress), stop.future.done
        try:
            turn = math.radians(args.turn)
            goal.send(args.forward, args.left, turn, args.timeout, given_up=interrupted)
            if not goal.ended(interrupted):
                print("cancelled: it comes to a stand")
                return 1
            result = goal.result
        finally:
            goal.close()
    if args.json:
        off = {field: getattr(result, field) for field in ("distance", "heading_error")}
        told = {field: None if math.isnan(value) else value for field, value in off.items()}
        print(json.dumps({"success": result.success, "reason": result.reason, **told}))
    elif result.success:
        print(f"{result.reason}: stands there, {_missing(result)} as it believes")
    else:
        print(f"not done: {result.reason}")
    return 0 if result.success else 1


def _missing(said: Any) -> str:
    return f"off by {said.distance:.2f} m and {math.degrees(said.heading_error):.0f}°"
