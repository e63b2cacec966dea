"""``neo data export``: episodes as a dataset that others, or our training, read."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from neo_bringup import output
from neo_bringup.data import common
from neo_description.errors import NeoError
from neo_flywheel.learning.dataset import Episodes

HELP = "write episodes as a dataset: neo data export --format lerobot --outcome done --out dataset"
FORMATS = ("lerobot", "store")
SOME_LEFT_OUT = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "which", nargs="*", help="numbers or sha256 of episodes; none: all that the filters find"
    )
    parser.add_argument("--out", type=Path, required=True, help="a new folder; its name is the dataset's")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="lerobot",
        help="lerobot: version 3; store: what `neo train` reads",
    )
    parser.add_argument("--limit", type=int, default=100_000, help="at most so many episodes, the newest")
    parser.add_argument(
        "--by", default="policy", help="who chose the actions in recordings that do not say so"
    )
    common.add_library(parser)
    common.add_filters(parser)
    output.add_json(parser, "what was written, and what was left out and why")


def run(args: argparse.Namespace) -> int:
    """0: all written; 1: some were left out. NeoError (2): could not."""
    if args.out.exists():
        raise NeoError(f"{args.out} is there already; name a new folder")
    with common.opened(args) as library:
        catalogue = library.catalogue
        if args.which:
            rows = [catalogue.get(which) for which in args.which]
        else:
            rows = catalogue.find(common.filters(args), args.limit)
        if not rows:
            raise NeoError("no episode matches; nothing to export")
        read = partial(common.episodes, by=args.by)
        source = Episodes(library, rows[::-1], read, output.progress, alike=True)
        count = _write(args, source)
        about = {"format": args.format, "folder": str(args.out.resolve()), "episodes": count}
        catalogue.add_product("dataset", args.out.name, episodes=source.taken, about=about)
    about = {"folder": str(args.out), "episodes": count, "recordings": len(source.taken)}
    if not output.put_json(args.json, {**about, "left_out": list(source.left_out)}):
        print(
            f"{args.out}: {count} episodes of {len(source.taken)} in the library, "
            f"{len(source.left_out)} left out"
        )
    return SOME_LEFT_OUT if source.left_out else 0


def _write(args: argparse.Namespace, source: Episodes) -> int:
    if args.format == "lerobot":
        from neo_flywheel.store import lerobot

        return lerobot.export(source, args.out, output.progress)
    from neo_world_model.store import Store

    store, count = Store.create(args.out), 0
    for episode in source:
        store.add(episode)
        count += 1
        output.progress(f"{count}: {len(episode)} steps, {episode.prompt or '-'}")
    if not count:
        raise NeoError(f"no episode could be read; first: {source.left_out[0]}")
    return count
