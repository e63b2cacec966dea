"""What ``neo up`` prints: each line behind the node's name, coloured on a terminal only."""

from __future__ import annotations

import sys
from typing import TextIO

COLORS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


class Output:
    """Prints prefixed lines to ``stream``; ``quiet`` drops the nodes' own lines, not ours."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False):
        self.stream = stream or sys.stdout
        self.quiet = quiet
        self.color = self.stream.isatty()
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
