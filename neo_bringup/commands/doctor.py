"""``neo doctor``: what is present, what is missing, how to get it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from rich.table import Table

from neo_bringup import output
from neo_bringup.doctor import network, software, system
from neo_bringup.doctor.row import Row, Status

HELP = "say what is present, what is missing and how to get it"

ROOT = Path(__file__).resolve().parents[2]
STYLES = {Status.OK: "green", Status.WARN: "yellow", Status.MISSING: "bold red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def rows() -> Iterator[Row]:
    """Every check in turn."""
    yield system.python()
    yield system.compiler()
    yield system.cmake()
    yield system.opengl()
    yield system.shared_memory_space()
    yield system.stale_segments()
    yield system.disk(Path.cwd())
    yield system.cores()
    yield system.chromium()
    yield software.rclpy()
    yield from software.interfaces()
    yield software.pins(ROOT / "requirements")
    yield network.console_port()
    yield network.domain()
    yield network.who_reaches_it()


def run(args: argparse.Namespace) -> int:
    """0: usable, maybe with warnings; 1: something required is missing."""
    found = list(rows())
    usable = all(row.status is not Status.MISSING for row in found)
    if args.json:
        print(json.dumps({"usable": usable, "rows": [row.as_dict() for row in found]}, indent=2))
        return 0 if usable else 1
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "how to get it"):
        table.add_column(heading, overflow="fold")
    for row in found:
        table.add_row(f"[{STYLES[row.status]}]{row.status}[/]", row.what, row.found, row.cure)
    output.console().print(table)
    print("doctor: usable" if usable else "doctor: something required is missing", flush=True)
    return 0 if usable else 1
