"""``neo bag``: what is in a recording, and what is left of one that was cut off."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "look into recordings and mend them: neo bag info, recover, reindex"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    about = {
        "info": "topics, counts, duration, who acted",
        "recover": "keep every whole chunk of a cut-off file, make summary and metadata.yaml anew",
        "reindex": "make metadata.yaml anew; the files stay as they are",
    }
    for name, text in about.items():
        sub = actions.add_parser(name, help=text, description=text)
        sub.add_argument(
            "path", type=Path, nargs="+" if name == "recover" else None,
            help="folder of a bag" + ("" if name == "info" else ", or one .mcap file"),
        )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """0: done. NeoError (2): could not."""
    from neo_flywheel import recovery

    if args.action == "info":
        return _info(args.path)
    if args.action == "reindex":
        rows = recovery.reindex(args.path)
    else:
        rows = []
        for path in args.path:
            print(f"… {path}", file=sys.stderr, flush=True)
            rows += recovery.recover(path)
    for row in rows:
        if row.whole:
            print(f"{row.file}: whole, {row.messages} messages")
        else:
            print(
                f"{row.file}: {row.messages} messages kept, {row.lost} bytes behind the last whole record "
                f"left in {row.file.name}.cut"
            )
        if row.skipped:
            print(f"{row.file}: {row.skipped} damaged chunks, which readers now pass over")
    return 0


def _info(path: Path) -> int:
    from neo_flywheel.scan import files, scan

    scans = [scan(file) for file in files(path)]
    for found in scans:
        row = found.row(found.file.name)
        end = "" if found.ended else ", cut off: neo bag recover mends it"
        print(f"{found.file}: {row.count} messages in {1e-9 * (row.last - row.first):.1f} s{end}")
        for key, value in {**found.custom, **found.shares.custom(found.last)}.items():
            print(f"  {key}: {value}")
        for channel in sorted(found.channels.values(), key=lambda c: c.topic):
            schema = found.schemas.get(channel.schema_id)
            print(f"  {found.counts.get(channel.id, 0):8} {channel.topic} ({schema.name if schema else '-'})")
    return 0
