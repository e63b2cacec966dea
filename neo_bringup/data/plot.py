"""``neo data plot``: a recording as a picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from neo_bringup import output
from neo_bringup.data import common

HELP = "draw joints, forces, surprise and events of a recording over time: neo data plot 17 --out 17.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("which", help="a recording's folder, or its number or sha256 in the library")
    parser.add_argument("--out", type=Path, help="PNG; default: its name in the working directory")
    common.add_library(parser)


def run(args: argparse.Namespace) -> int:
    """0. NeoError (2): broken recording, or nothing to draw."""
    from neo_flywheel.store import plot, series
    from neo_flywheel.store.rebag import BagReader

    with common.recording(args.which, args) as folder:
        reader = BagReader(folder, output.progress)
        output.progress(f"decoding {reader.checked.messages} messages")
        out = args.out or Path(f"{folder.name}.png")
        said = reader.custom.get("task") or reader.custom.get("prompt") or "-"
        plot.draw(series.read(reader), out, f"{args.which}: {said}")
    print(out)
    return 0
