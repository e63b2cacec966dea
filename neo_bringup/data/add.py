"""``neo data add``: recordings into the library."""

from __future__ import annotations

import argparse
from pathlib import Path

from neo_bringup import output
from neo_bringup.data import common
from neo_description.errors import NeoError

HELP = (
    "validate recordings and put them into the library; broken ones go to its quarantine: neo data add runs"
)
SOME_BROKEN = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", type=Path, nargs="+", help="folders; recordings are looked for at and under them"
    )
    parser.add_argument("--tag", action="append", default=[], help="on what is new; may be repeated")
    common.add_library(parser)
    output.add_json(parser, "what became of each")


def run(args: argparse.Namespace) -> int:
    """0: all are in the library; 1: some went to quarantine. NeoError (2): could not run."""
    from neo_flywheel.store.library import Library, recordings

    inside = args.library.resolve()
    folders = [f for path in args.path for f in recordings(path) if inside not in f.resolve().parents]
    if not folders:
        raise NeoError(f"no recording at or under {', '.join(map(str, args.path))}")
    count, rows = {"new": 0, "known": 0, "quarantined": 0}, []
    say = (lambda line: None) if args.json == output.STDOUT else print
    with Library(args.library) as library:
        for number, folder in enumerate(folders):
            output.progress(f"{number + 1} of {len(folders)}: {folder}")
            added = library.add_bag(folder, args.tag, output.progress)
            became = "quarantined" if added.reason else "new" if added.new else "known"
            count[became] += 1
            rows.append(
                {"folder": str(folder), "became": became, "reason": added.reason, "episode": added.id}
            )
            if added.reason:
                say(f"{folder}: quarantined: {added.reason}")
            else:
                say(f"{folder}: {'episode' if added.new else 'was there, episode'} {added.id}")
    output.put_json(args.json, {"library": str(args.library), "count": count, "recordings": rows})
    say(f"{args.library}: {', '.join(f'{n} {what}' for what, n in count.items())}")
    return SOME_BROKEN if count["quarantined"] else 0
