"""What the subcommands of ``neo data`` share: the library, filters, a recording by its number or folder."""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from neo_bringup import output
from neo_description.errors import NeoError
from neo_flywheel.store.catalogue import Row
from neo_flywheel.store.library import Library
from neo_flywheel.store.query import Filters
from neo_world_model.episode import Episode

UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}


def add_library(parser: argparse.ArgumentParser) -> None:
    """``--library``."""
    default = os.environ.get("NEO_LIBRARY", "runs/library")
    parser.add_argument(
        "--library", type=Path, default=Path(default),
        help="folder of catalogue and objects; default: $NEO_LIBRARY, else runs/library",
    )  # fmt: skip


def add_filters(parser: argparse.ArgumentParser) -> None:
    """The filters of the catalogue."""
    parser.add_argument("--robot", help="recorded by this robot")
    parser.add_argument("--prompt", help="words in what was asked for, in any case")
    parser.add_argument("--outcome", help="how it ended: done, …")
    parser.add_argument("--kind", help="bag, clip, or the format it was imported from")
    parser.add_argument(
        "--since", type=moment, help="begun at this time or later: 2026-11-21T14:00, or 7d ago"
    )
    parser.add_argument("--until", type=moment, help="begun at this time or before")
    parser.add_argument("--tag", action="append", default=[], help="may be repeated: all of them")
    parser.add_argument(
        "--autonomy", type=interval, help="share a policy chose, LEAST:GREATEST, either may be empty"
    )
    parser.add_argument("--surprise", type=interval, help="the greatest, LEAST:GREATEST, either may be empty")
    parser.add_argument("--dataset", help="that is in this dataset")


def filters(args: argparse.Namespace) -> Filters:
    """What was asked for."""
    nothing = (None, None)
    return Filters(
        args.robot, args.prompt, args.outcome, args.kind, args.since, args.until, args.autonomy or nothing,
        args.surprise or nothing, tuple(args.tag), args.dataset,
    )  # fmt: skip


def moment(text: str) -> float:
    """s since the epoch, of a local time or of so long ago ("90m", "12h", "7d")."""
    if found := re.fullmatch(r"(\d+(?:\.\d+)?)([mhd])", text):
        return time.time() - float(found[1]) * UNITS[found[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}; a time as 2026-11-21T14:00, or 90m, 12h, 7d ago"
        ) from None


def interval(text: str) -> tuple[float | None, float | None]:
    """``LEAST:GREATEST``, either may be empty; one number is the least."""
    low, _, high = text.partition(":")
    try:
        return (float(low) if low else None, float(high) if high else None)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}; LEAST:GREATEST, as 0.9: or 0.2:0.5") from None


def opened(args: argparse.Namespace) -> Library:
    """The library, which must be there."""
    if not (args.library / "catalogue.sqlite").exists():
        raise NeoError(
            f"no library in {args.library}: `neo data add` or `import` begins one; --library names it"
        )
    return Library(args.library)


@contextmanager
def recording(what: str, args: argparse.Namespace) -> Iterator[Path]:
    """The folder of a recording that is given by its folder, or by its number or digest in the library."""
    folder = Path(what)
    if folder.is_dir():
        inner = folder / "bag"  # a run's folder
        yield inner if inner.is_dir() and not (folder / "metadata.yaml").exists() else folder
        return
    if "/" in what:
        raise NeoError(f"{what} does not exist")
    with opened(args) as library, tempfile.TemporaryDirectory() as scratch:
        row = library.catalogue.get(what)
        if "metadata.yaml" not in library.files(row):
            raise NeoError(f"episode {row.id} came from {row.kind}; it is no recording")
        yield library.fetch(row, Path(scratch) / f"episode_{row.id}", output.progress)


def episodes(folder: Path, row: Row, by: str) -> list[Episode]:
    """Of a recording out of the library; ``by``: who chose its actions where it does not say."""
    from neo_bringup.collect import bag

    return bag.read(folder, "on_policy", by, row.prompt)


def when(seconds: float) -> str:
    """Local time of s since the epoch."""
    return datetime.fromtimestamp(seconds).isoformat(" ", "seconds")
