"""``neo mode``: asks the body to stand or to stop."""

from __future__ import annotations

import argparse

from neo_bringup.client import add_namespace, connect
from neo_description.errors import NeoError

HELP = "make the robot stand, or put it back to STOP"
PATIENCE = 60.0  # s of wall time for standing up: the plant may be slower than that


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("mode", choices=("stand", "stop"))
    add_namespace(parser)


def run(args: argparse.Namespace) -> int:
    """0: done; it stands. NeoError (2): refused, no robot, or it did not get up."""
    from neo_msgs.msg import SafetyState

    with connect(args) as stack:
        answer = stack.set_mode(args.mode).message or "done"
        if args.mode == "stand":  # a task that is given before it stands is refused
            up = stack.wait(
                lambda: stack.safety is not None and stack.safety.state == SafetyState.ACTIVE, PATIENCE
            )
            if not up or stack.safety is None:
                why = stack.safety.reason if stack.safety else "nothing was heard of its state"
                raise NeoError(f"the robot did not stand within {PATIENCE:g} s: {why}")
            answer = stack.safety.reason
        print(f"mode {args.mode}: {answer}")
    return 0
