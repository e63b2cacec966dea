"""``neo data export``: episodes as a dataset that others, or our training, read."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from neo_bringup.data import common
from neo_description.errors import NeoError
from neo_flywheel.store.catalogue import Row
from neo_flywheel.store.library import Library
from neo_world_model.episode import Episode

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
        source = _Episodes(library, rows[::-1], args.by)
        count = _write(args, source)
        about = {"format": args.format, "folder": str(args.out.resolve()), "episodes": count}
        catalogue.add_product("dataset", args.out.name, episodes=source.taken, about=about)
    print(
        f"{args.out}: {count} episodes of {len(source.taken)} in the library, {len(source.left_out)} left out"
    )
    return SOME_LEFT_OUT if source.left_out else 0


def _write(args: argparse.Namespace, source: _Episodes) -> int:
    if args.format == "lerobot":
        from neo_flywheel.store import lerobot

        return lerobot.export(source, args.out, common.progress)
    from neo_world_model.store import Store

    store, count = Store.create(args.out), 0
    for episode in source:
        store.add(episode)
        count += 1
        common.progress(f"{count}: {len(episode)} steps, {episode.prompt or '-'}")
    if not count:
        raise NeoError(f"no episode could be read; first: {source.left_out[0]}")
    return count


class _Episodes:
    """Episodes of ``rows``, one recording at a time on the disk; ``left_out`` says what could not be read."""

    def __init__(self, library: Library, rows: list[Row], by: str):
        self.taken: list[int] = []
        self.left_out: list[str] = []
        self._library, self._rows, self._by = library, rows, by
        self._modalities: list[str] = []

    def __iter__(self) -> Iterator[Episode]:
        for row in self._rows:
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    folder = self._library.fetch(row, Path(scratch) / "bag", common.progress)
                    found = list(self._read(row, folder))
                except NeoError as error:
                    self._leave_out(f"episode {row.id}: {error}")
                    continue
            yield from found
            self.taken += [row.id] if found else []
        if not self.taken:
            raise NeoError(f"no episode could be read; first: {self.left_out[0]}")

    def _read(self, row: Row, folder: Path) -> Iterator[Episode]:
        from neo_bringup.collect import bag
        from neo_flywheel.store import episode_file

        if (folder / episode_file.NAME).exists():
            found = [episode_file.load(folder / episode_file.NAME)]
        else:
            found = bag.read(folder, "on_policy", self._by, row.prompt)
        for episode in found:
            has = sorted(episode.fields)
            self._modalities = self._modalities or has
            if has != self._modalities:
                first = ", ".join(self._modalities)
                self._leave_out(f"episode {row.id} has {', '.join(has)}; the dataset's first has {first}")
                continue
            if row.outcome and episode.success is None:
                episode.success = row.outcome == "done"
            yield episode

    def _leave_out(self, why: str) -> None:
        self.left_out.append(why)
        common.progress(f"left out: {why}")
