"""``neo data show``: all that is known of an episode, or of a product: facts, files, lineage."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from neo_bringup.data import common
from neo_flywheel.store.catalogue import PARENTS, Name
from neo_flywheel.store.library import Library

HELP = "show an episode, or a product and its lineage: neo data show 17, neo data show run:first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("which", help=f"number or begin of its sha256; or {':NAME, '.join(PARENTS)}:NAME")
    common.add_library(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """0. NeoError (2): there is none such."""
    with common.opened(args) as library:
        kind, _, name = args.which.partition(":")
        facts = _product(library, kind, name) if kind in PARENTS else _episode(library, args.which)
    if args.json:
        print(json.dumps(facts, indent=2))
        return 0
    for key, value in facts.items():
        if isinstance(value, dict):
            value = "".join(f"\n    {k}: {v}" for k, v in value.items()) or "–"
        elif isinstance(value, (list, tuple)):
            value = "".join(f"\n    {v}" for v in value) or "–"
        print(f"{key}: {value}")
    return 0


def _episode(library: Library, which: str) -> dict[str, Any]:
    row = library.catalogue.get(which)
    files = {
        name: f"{about['size']} bytes, sha256 {about['sha256']}" for name, about in library.files(row).items()
    }
    facts = asdict(row) | {"time": common.when(row.time), "added": common.when(row.added)}
    return facts | {"files": files, "led to": _lines(library.catalogue.episode_led_to(row.id))}


def _product(library: Library, kind: str, name: str) -> dict[str, Any]:
    catalogue = library.catalogue
    made_from, led_to = catalogue.made_from(kind, name), catalogue.led_to(kind, name)
    row = next(row for row in catalogue.products(kind) if row["name"] == name)
    return row | {
        "made": common.when(row["made"]),
        "made from": _lines(made_from),
        "led to": _lines(led_to),
    }


def _lines(names: list[Name]) -> list[str]:
    return [f"{kind}:{name}" for kind, name in names]
