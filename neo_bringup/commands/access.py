"""``neo access``: certificate and token for a console that other machines may open."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from neo_bringup import output

HELP = "make certificate and token for a console on other machines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="a new certificate and token in DIR")
    create.add_argument("folder", type=Path, metavar="DIR")
    create.add_argument("--name", action="append", default=[], metavar="HOST",
                        help="host or address that people type into the browser; again for more")  # fmt: skip
    show = actions.add_parser("show", help="names and fingerprint of the certificate in DIR; never the token")
    show.add_argument("folder", type=Path, metavar="DIR")
    for action in (create, show):
        output.add_json(action, "names and fingerprint")


def run(args: argparse.Namespace) -> int:
    """0: done. NeoError (2): could not. Names and fingerprint are printed, the token never is."""
    from neo_bringup.console import access

    if args.action == "create":
        made = access.create(args.folder, args.name, datetime.now(UTC))
    else:
        made = access.load(args.folder)
    about = {"folder": str(made.folder), "names": list(made.names), "sha256": made.fingerprint}
    if output.put_json(args.json, about):
        return 0
    if args.action == "create":
        print(f"token: in {made.folder / access.TOKEN}, for you alone to read; hand it on by a way you trust")
    print(f"names: {', '.join(made.names)}")
    print(f"certificate, SHA-256: {made.fingerprint}")
    return 0
