"""``neo data import``: somebody's data into the library."""

from __future__ import annotations

import argparse
from pathlib import Path

from neo_bringup import output
from neo_bringup.data import common
from neo_description.errors import NeoError
from neo_world_model.modalities import SOURCES
from neo_world_model.sources import FORMATS

HELP = "put somebody's data into the library: neo data import lerobot DIR --source teleop"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("format", choices=FORMATS)
    parser.add_argument("path", type=Path, help="the dataset's folder, or a file")
    parser.add_argument("--source", required=True, choices=SOURCES, help="what kind of data it is")
    parser.add_argument("--robot", default="", help="whose it is")
    parser.add_argument("--tag", action="append", default=[], help="may be repeated")
    common.add_library(parser)
    output.add_json(parser, "how much was read, and is new")


def run(args: argparse.Namespace) -> int:
    """0: all are in the library. NeoError (2): could not read it; what was read stays, again goes on."""
    from neo_flywheel.store.library import Library
    from neo_world_model import sources

    if not args.path.exists():
        raise NeoError(f"{args.path} does not exist")
    begun, new, count = args.path.stat().st_mtime, 0, 0
    with Library(args.library) as library:
        for episode in sources.read(args.format, args.path, args.source):
            added = library.add_episode(
                episode, args.format, str(args.path.resolve()), begun, args.tag, args.robot
            )
            new, count = new + added.new, count + 1
            output.progress(f"{count}: {len(episode)} steps, {episode.prompt or '-'}")
    if not output.put_json(args.json, {"library": str(args.library), "episodes": count, "new": new}):
        print(f"{args.library}: {count} episodes read, {new} of them new")
    return 0
