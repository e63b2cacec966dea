"""``neo describe``: the robot as URDF or MJCF text."""

from __future__ import annotations

import argparse
from pathlib import Path

from neo_description.errors import NeoError

HELP = "write the robot as URDF or MJCF"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The format, and where to."""
    parser.add_argument("--format", choices=("urdf", "mjcf"), default="urdf", help="default: urdf")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")


def run(args: argparse.Namespace) -> int:
    """0: written. NeoError (2): the file could not be."""
    from neo_description import urdf

    text = urdf.robot_urdf() if args.format == "urdf" else urdf.robot_mjcf()
    if args.output is None:
        print(text)
        return 0
    try:
        args.output.write_text(text)
    except OSError as error:
        raise NeoError(f"cannot write {args.output}: {error.strerror}") from None
    return 0
