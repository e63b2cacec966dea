"""``neo data split``: a recording in pieces."""

from __future__ import annotations

import argparse
from pathlib import Path

from neo_bringup import output
from neo_bringup.data import common

HELP = "cut a recording in pieces, by time or where it is silent: neo data split BAG --every 60 --out pieces"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("which", help="a recording's folder, or its number or sha256 in the library")
    parser.add_argument("--out", type=Path, required=True, help="a new folder for the pieces")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--every", type=float, metavar="S", help="a piece every so many seconds")
    how.add_argument("--at", type=float, nargs="+", metavar="S", help="so many seconds from the begin")
    how.add_argument("--gap", type=float, metavar="S", help="where --topic is silent for longer")
    parser.add_argument("--topic", default="", help="for --gap; default: all topics together")
    parser.add_argument(
        "--repeat-latched",
        action="store_true",
        help="each piece begins with the last latched messages before it",
    )
    common.add_library(parser)


def run(args: argparse.Namespace) -> int:
    """0. NeoError (2): broken recording, or no place."""
    from neo_flywheel.store.rebag import split

    with common.recording(args.which, args) as folder:
        pieces = split(
            folder,
            args.out,
            args.every,
            args.at or (),
            args.gap,
            args.topic,
            args.repeat_latched,
            output.progress,
        )
    for piece in pieces:
        print(piece)
    return 0
