"""``neo data``: what was recorded. Each module in ``neo_bringup/data`` with ``HELP`` is a subcommand."""

from __future__ import annotations

import argparse

from neo_bringup.data import add, export, import_, list_, merge, plot, show, split

HELP = "what was recorded: list, show, plot, split, merge, add, export, import"
WORK = {"list": list_, "show": show, "plot": plot, "split": split, "merge": merge, "add": add,
        "export": export, "import": import_}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parsers = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, module in WORK.items():
        sub = parsers.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(sub)
        sub.set_defaults(work=module.run)


def run(args: argparse.Namespace) -> int:
    """0: done; 1: some were not taken (add) or left out (export). NeoError (2): could not run."""
    return args.work(args)
