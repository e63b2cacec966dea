"""``neo bag``: what is in a recording, and what is left of one that was cut off."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neo_bringup import output

if TYPE_CHECKING:
    from neo_flywheel.scan import Scan

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
        if name == "info":
            output.add_json(sub, "what is in it")


def run(args: argparse.Namespace) -> int:
    """0: done. NeoError (2): could not."""
    from neo_flywheel import recovery

    if args.action == "info":
        return _info(args.path, args.json)
    if args.action == "reindex":
        rows = recovery.reindex(args.path)
    else:
        rows = []
        for path in args.path:
            output.progress(str(path))
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


def _info(path: Path, json: Path | None) -> int:
    from neo_flywheel.scan import files, scan

    scans = [scan(file) for file in files(path)]
    if output.put_json(json, [_facts(found) for found in scans]):
        return 0
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


def _facts(found: Scan) -> dict[str, Any]:
    row, topics = found.row(found.file.name), {}
    for channel in found.channels.values():
        schema = found.schemas.get(channel.schema_id)
        topics[channel.topic] = {
            "count": found.counts.get(channel.id, 0), "type": schema.name if schema else None
        }  # fmt: skip
    return {
        "file": str(found.file), "whole": found.ended, "messages": row.count, "first_ns": row.first,
        "last_ns": row.last, "notes": {**found.custom, **found.shares.custom(found.last)}, "topics": topics,
    }  # fmt: skip
