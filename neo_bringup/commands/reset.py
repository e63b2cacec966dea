"""``neo reset``: releases the stop button."""

from __future__ import annotations

import argparse

from neo_bringup.client import add_namespace, connect

HELP = "release the stop button; the robot stays in STOP until `neo mode stand`"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_namespace(parser)


def run(args: argparse.Namespace) -> int:
    """0: released. NeoError (2): no robot."""
    with connect(args) as stack:
        print(f"stop button released: {stack.runstop(False) or 'the robot is in STOP'}")
    return 0
