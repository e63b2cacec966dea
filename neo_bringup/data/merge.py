"""``neo data merge``: recordings as one."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from neo_bringup import output
from neo_bringup.data import common

HELP = "put recordings together, in order of time: neo data merge BAG BAG --out whole"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("which", nargs="+", help="folders of recordings, or numbers or sha256 in the library")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    common.add_library(parser)


def run(args: argparse.Namespace) -> int:
    """0. NeoError (2): broken recording, types that do not agree, or no place."""
    from neo_flywheel.store.rebag import merge

    with ExitStack() as stack:
        folders = [stack.enter_context(common.recording(which, args)) for which in args.which]
        print(merge(folders, args.out, output.progress))
    return 0
