"""The ``neo`` command. Each module in ``neo_bringup/commands`` is a subcommand, found by its file name.

A module has ``HELP`` (a string), ``add_arguments(parser)`` and ``run(args) -> int``. Only the one that is
used gets imported, so ``neo --help`` is quick. Exit codes: :mod:`neo_bringup.exit_codes`; a NeoError is one
line. ``NEO_DEBUG=1`` shows the stack trace.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import sys
from importlib import metadata
from pathlib import Path

from neo_bringup.exit_codes import COULD_NOT, INTERRUPTED
from neo_description.errors import NeoError
from neo_ros import environment

COMMANDS = Path(__file__).with_name("commands")


def commands() -> dict[str, Path]:
    """Subcommand → module file; an underscore in a file's name is a hyphen in the command's."""
    files = sorted(COMMANDS.glob("[a-z]*.py"))
    return {file.stem.rstrip("_").replace("_", "-"): file for file in files}


def help_line(file: Path) -> str:
    """``HELP`` of a command's module, read without importing it."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "HELP" for t in node.targets
        ):
            return str(ast.literal_eval(node.value))
    return ""


def version() -> str:
    """Version of the installed package."""
    try:
        return metadata.version("neo_humanoid")
    except metadata.PackageNotFoundError:
        return "not installed: run `make setup`"


def parser_for(words: list[str]) -> argparse.ArgumentParser:
    """A parser that knows every subcommand by name, and the arguments of the one in ``words``."""
    parser = argparse.ArgumentParser(
        prog="neo", description="NEO Humanoid: run the robot, talk to it, measure it."
    )
    parser.add_argument("--version", action="version", version=f"neo {version()}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in words if not word.startswith("-")), None)
    for name, file in commands().items():
        text = help_line(file)
        sub = subparsers.add_parser(name, help=text, description=text)
        if name == wanted:
            module = importlib.import_module(f"neo_bringup.commands.{file.stem}")
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser


def complete(line: str) -> None:
    """Tells the shell how ``line`` may go on, and ends the process; see ``neo completion``."""
    import argcomplete

    argcomplete.autocomplete(parser_for(line.split()[1:]))


def main(words: list[str] | None = None) -> int:
    """Entry point of ``neo``; the exit code."""
    if "_ARGCOMPLETE" in os.environ:
        complete(os.environ.get("COMP_LINE", ""))
    environment.prepare()  # the middleware reads it when it loads: before a command imports rclpy
    words = sys.argv[1:] if words is None else words
    try:
        args = parser_for(words).parse_args(words)
        code = args.run(args)
        sys.stdout.flush()
        return code
    except NeoError as error:
        if os.environ.get("NEO_DEBUG") == "1":
            raise
        print(f"neo: {error}", file=sys.stderr)
        return COULD_NOT
    except MemoryError:
        if os.environ.get("NEO_DEBUG") == "1":
            raise
        print("neo: out of memory", file=sys.stderr)
        return COULD_NOT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `neo … | head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
