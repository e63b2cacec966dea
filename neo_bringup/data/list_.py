"""``neo data list``: episodes by filters, newest first; or what else the catalogue knows."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from rich.table import Table

from neo_bringup import output
from neo_bringup.data import common
from neo_description.errors import NeoError
from neo_flywheel.store.catalogue import PARENTS, Row

HELP = "list episodes, newest first: neo data list --robot neo1 --outcome done --since 7d"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_library(parser)
    common.add_filters(parser)
    parser.add_argument("--limit", type=int, default=50, help="at most so many; default 50")
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    parser.add_argument("--quarantine", action="store_true", help="recordings that were not taken, and why")
    parser.add_argument("--products", action="store_true", help=f"instead of episodes: {', '.join(PARENTS)}")


def run(args: argparse.Namespace) -> int:
    """0. NeoError (2): no library."""
    if args.limit < 1:
        raise NeoError(f"--limit {args.limit}; at least 1")
    with common.opened(args) as library:
        catalogue = library.catalogue
        if args.quarantine:
            _print(catalogue.quarantined()[: args.limit], args.json)
        elif args.products:
            _print(catalogue.products()[: args.limit], args.json)
        else:
            rows = catalogue.find(common.filters(args), args.limit + 1)
            _episodes(rows[: args.limit], args.json)
            if len(rows) > args.limit and not args.json:
                print(f"there are more than {args.limit}: --limit shows them, filters find fewer")
    return 0


def _print(rows: list[dict], as_json: bool) -> None:
    if as_json:
        for row in rows:
            print(json.dumps(row))
        return
    table = Table()
    for name in rows[0] if rows else ():
        table.add_column(name, overflow="fold")
    for row in rows:
        cells = ((k, v[:12] if k == "sha256" else v) for k, v in row.items())
        table.add_row(*(common.when(v) if k in ("time", "made") else str(v) for k, v in cells))
    output.console().print(table if rows else "none")


def _episodes(rows: list[Row], as_json: bool) -> None:
    if as_json:
        for row in rows:
            print(json.dumps(asdict(row)))
        return
    if not rows:
        print("no episode matches")
        return
    table = Table()
    for name in (
        "id",
        "begun",
        "s",
        "robot",
        "prompt",
        "outcome",
        "kind",
        "auto",
        "surprise",
        "tags",
        "sha256",
    ):
        table.add_column(name)
    for row in rows:
        table.add_row(
            str(row.id), common.when(row.time), f"{row.duration:.1f}", row.robot, row.prompt, row.outcome,
            row.kind, _share(row.autonomy), _share(row.surprise), " ".join(row.tags), row.sha256[:8],
        )  # fmt: skip
    output.console().print(table)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
