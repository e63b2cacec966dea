"""What ``neo`` prints. Results stand alone on stdout, or as JSON; progress goes to stderr.

Lines are written over one another, and coloured, on a terminal only; ``NO_COLOR`` (https://no-color.org),
when it is not empty, takes colours away there, too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console

STDOUT = Path("-")
PIPE_WIDTH = 200  # characters of a table that no terminal limits
COLORS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


def live(stream: TextIO) -> bool:
    """Whether a line may be written over the last one there."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def colored(stream: TextIO) -> bool:
    """Whether colours may be written there."""
    return live(stream) and not os.environ.get("NO_COLOR")


def progress(line: str, passing: bool = False) -> None:
    """How far something is, on stderr. ``passing``: the next line takes its place, on a terminal."""
    over = live(sys.stderr)
    start, end = ("\r\x1b[K" if over else ""), ("" if over and passing else "\n")
    print(f"{start}… {line}", file=sys.stderr, end=end, flush=True)


def console() -> Console:
    """For tables on stdout: as wide as the terminal, and whole in a pipe."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """``--json [FILE]``: ``what`` for programs."""
    parser.add_argument(
        "--json", nargs="?", type=Path, const=STDOUT, metavar="FILE",
        help=f"{what} as JSON, alone on stdout; or, with FILE, there besides",
    )  # fmt: skip


def put_json(where: Path | None, value: Any) -> bool:
    """Writes ``value`` where ``--json`` says. True: it went to stdout, where nothing else may stand."""
    if where is None:
        return False
    text = json.dumps(value, indent=2)
    if where == STDOUT:
        print(text, flush=True)
        return True
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text(text + "\n")
    return False


class Output:
    """What ``neo up`` prints: lines behind a node's name. ``quiet`` drops the nodes' own lines, not ours."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False):
        self.stream = stream or sys.stdout
        self.quiet = quiet
        self.color = colored(self.stream)
        self._labels: list[str] = []

    def node(self, label: str, line: str) -> None:
        """One line that the node ``label`` printed."""
        if not self.quiet:
            self._write(label, line)

    def say(self, line: str) -> None:
        """One line of our own."""
        self._write("neo", line)

    def _write(self, label: str, line: str) -> None:
        if label not in self._labels:
            self._labels.append(label)
        prefix = f"[{label}]"
        if self.color:
            prefix = f"\x1b[{COLORS[self._labels.index(label) % len(COLORS)]}m{prefix}\x1b[0m"
        try:
            self.stream.write(f"{prefix} {line}\n")
            self.stream.flush()
        except BrokenPipeError:
            self.quiet = True  # nobody reads any more; the robot is still to be stopped in order
