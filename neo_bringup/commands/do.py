"""``neo do "prompt"``: gives the robot a task and shows how it goes."""

from __future__ import annotations

import argparse
import json
from typing import Any

from neo_bringup import output
from neo_bringup.client import TaskGoal, add_namespace, connect
from neo_ros.stop_signal import StopSignal

HELP = 'give the robot a task: neo do "pick up the red bottle"'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt")
    parser.add_argument(
        "--planner",
        default="",
        help="scripted, privileged_scripted or world_model; empty: the node's default",
    )
    parser.add_argument("--timeout", type=float, default=0.0, help="s of plant time; 0: the node's default")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    add_namespace(parser)


def run(args: argparse.Namespace) -> int:
    """0: done; 1: not done, with the reason; NeoError (2): could not run."""
    with connect(args) as stack, StopSignal() as stop:
        shown = [""]

        def progress(feedback: Any) -> None:
            if not args.json and feedback.phase != shown[0]:
                shown[0] = feedback.phase
                line = f"{100 * feedback.progress:3.0f} %  {feedback.phase}  {feedback.detail}"
                output.progress(line.rstrip())

        goal, interrupted = TaskGoal(stack, progress), stop.future.done
        try:
            goal.send(args.prompt, args.planner, args.timeout, given_up=interrupted)
            if not goal.ended(interrupted):
                print("cancelled")
                return 1
            result = goal.result
        finally:
            goal.close()
    if args.json:
        fields = ("success", "reason", "outcome", "lifted", "held", "peak_force")
        print(json.dumps({field: getattr(result, field) for field in fields}))
    else:
        print(result.outcome if result.success else f"not done ({result.reason}): {result.outcome}")
    return 0 if result.success else 1
