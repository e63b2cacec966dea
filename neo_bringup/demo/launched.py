"""A robot started as ``neo up`` in a process of its own, for commands that need one for a while."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

from neo_description.errors import NeoError

UP = "[neo] up: "


class LaunchedRobot:
    """``neo up`` with ``arguments`` (``name:=value``), its output in ``log``. Use as a context manager.

    Unless ``arguments`` say otherwise a node's death ends it: what is measured or recorded on a robot that
    goes on without one of its nodes is worth nothing.
    """

    def __init__(
        self, arguments: list[str], log: Path, linger: float = 2.8, options: list[str] | None = None
    ):
        if not any(word.startswith("on_death:=") for word in arguments):
            arguments = ["on_death:=stop", *arguments]
        words = [sys.executable, "-m", "neo_bringup.cli", "up", "--runner", "own", "--linger", str(linger)]
        self.up = threading.Event()
        self.tail: deque[str] = deque(maxlen=12)
        self._ours = ""  # the last line of ours: what a dying node says may push it out of the tail
        self._log = log.open("w")
        self.process = subprocess.Popen(
            [*words, *(options or []), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            env=dict(os.environ),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._log.write(line)
            self._log.flush()
            self.tail.append(line.rstrip())
            if line.startswith(("[neo] ", "neo: ")):
                self._ours = line.rstrip()
            if line.startswith(UP):
                self.up.set()
        self._log.close()

    def __enter__(self) -> LaunchedRobot:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def wait_up(self, timeout: float) -> None:
        """NeoError with the last line that ``neo up`` said when it is not up within ``timeout`` s."""
        left = timeout
        while not self.up.wait(0.1):
            left -= 0.1
            if not self.alive:
                self._reader.join(timeout=2.0)
                raise NeoError(f"the robot did not start: {self.last_word()}")
            if left <= 0:
                raise NeoError(f"the robot was not up after {timeout:g} s: {self.last_word()}")

    def last_word(self) -> str:
        """The last line of ours that it printed, without its prefix."""
        said = self._ours or (list(self.tail) or ["it said nothing"])[-1]
        return said.removeprefix("[neo] ").removeprefix("neo: ")

    def stop(self, timeout: float = 8.0) -> int:
        """Ctrl-C, and waits; the exit code."""
        if self.alive:
            self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout)
        if self.alive:
            self.process.kill()
            self.process.wait()
        self._reader.join(timeout=2.0)
        return self.process.returncode
