"""``neo stop``: the stop button. The drives themselves latch *hold*."""

from __future__ import annotations

import argparse

from neo_bringup.client import add_namespace, connect

HELP = "press the stop button: the drives hold the robot where it is"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_namespace(parser)


def run(args: argparse.Namespace) -> int:
    """0: the drives hold. NeoError (2): no robot."""
    with connect(args) as stack:
        print(f"stop button pressed: {stack.runstop(True) or 'the drives hold'}")
    return 0
