"""``neo mode``: asks the body to stand or to stop."""

from __future__ import annotations

import argparse

from neo_bringup.client import add_namespace, connect

HELP = "make the robot stand, or put it back to STOP"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("mode", choices=("stand", "stop"))
    add_namespace(parser)


def run(args: argparse.Namespace) -> int:
    with connect(args) as stack:
        print(f"mode {args.mode}: {stack.set_mode(args.mode) or 'done'}")
    return 0
