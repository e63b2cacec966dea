"""Runs the processes of a launch and watches them; nothing here knows ROS.

One thread, one selector: output pipes, a pidfd for each child (its death wakes us at once) and a wake-up
pipe for signals. Stopping goes in two stages, the plant (started first) after everything else, each with
SIGINT, SIGTERM and SIGKILL in turn, all within :data:`STOP_WITHIN` seconds.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neo_bringup.launch_xml import NodeProcess
from neo_bringup.policy import Verdict
from neo_bringup.processes import Child, command

STOP_WITHIN = 5.0  # s of wall time
STAGES = ((2.2, 0.6, 0.2), (1.2, 0.4, 0.2))  # s for SIGINT, SIGTERM, SIGKILL: all but the plant; the plant


@dataclass
class Death:
    """A node ended by itself. ``again``: after so many s it runs again; ``ends``: and with it everything."""

    process: NodeProcess
    how: str
    again: float | None
    ends: bool

    @property
    def label(self) -> str:
        return self.process.label


@dataclass
class Runner:
    """Starts ``processes`` in order. ``say(label, line)`` prints; ``on_death`` runs the moment one ends.

    ``judge``: what follows from a death.
    """

    processes: list[NodeProcess]
    environment: Mapping[str, str]
    say: Callable[[str, str], None]
    on_death: Callable[[Child], None] = lambda child: None
    judge: Callable[[Child], Verdict] = lambda child: Verdict(True, None, True)
    children: list[Child] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    signalled: int = 0

    def __enter__(self) -> Runner:
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self._noticed: set[Child] = set()
        self._again: list[tuple[float, Child]] = []  # monotonic s when one is started again
        self._folder = tempfile.TemporaryDirectory(prefix="neo-up-")
        self._wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wake_write = wake_write
        self._old_wake = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self._old = {
            n: signal.signal(n, self._on_signal) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wake)
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._selector.close()
        self._folder.cleanup()

    def _on_signal(self, number: int, _: object) -> None:
        self.signalled = number

    def start(self) -> None:
        """Starts every process; NeoError when one cannot be started (those that run are stopped on exit)."""
        folder = Path(self._folder.name)
        words = [command(process, self.environment, folder) for process in self.processes]
        for process, line in zip(self.processes, words, strict=True):
            self._add(Child(process, line, self.environment))

    def _add(self, child: Child) -> None:
        self.children.append(child)
        self._selector.register(child.pidfd, selectors.EVENT_READ, ("death", child))
        self._selector.register(child.output, selectors.EVENT_READ, ("output", child))

    @property
    def died(self) -> Death | None:
        """The first death that ends the run."""
        return next((death for death in self.deaths if death.ends), None)

    def pump(self, timeout: float | None) -> None:
        """Handles what happens within ``timeout`` s (None: until something does)."""
        events = self._selector.select(timeout)
        for death_first in (True, False):
            for key, _ in events:
                if key.data is None:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake_read, 4096)
                elif (key.data[0] == "death") == death_first and key.fd in self._selector.get_map():
                    (self._ended if death_first else self._print)(key.data[1])
        self._start_again()

    def notice_dying(self) -> None:
        """Tells ``on_death`` of children whose main thread has ended, before their last thread has."""
        for child in self.children:
            if child not in self._noticed and child.dying:
                self._noticed.add(child)
                self.on_death(child)

    def _print(self, child: Child) -> None:
        for line in child.lines():
            self.say(child.label, line)

    def _ended(self, child: Child) -> None:
        if not self._stopping and child not in self._noticed:
            self.on_death(child)
        self._noticed.discard(child)
        child.popen.wait()
        for line in child.lines(to_end=True):
            self.say(child.label, line)
        self._selector.unregister(child.pidfd)
        self._selector.unregister(child.output)
        self.children.remove(child)
        child.close()
        if not self._stopping:
            verdict = self.judge(child)
            self.deaths.append(Death(child.process, child.how_it_ended(), verdict.again, verdict.ends))
            if verdict.again is not None:
                self._again.append((time.monotonic() + verdict.again, child))

    def _start_again(self) -> None:
        now = time.monotonic()
        due = [child for at, child in self._again if at <= now and not self._stopping]
        self._again = [(at, child) for at, child in self._again if child not in due]
        for child in due:
            fresh = Child(child.process, child.words, self.environment)
            fresh.restarts = child.restarts + 1
            self._add(fresh)

    def pump_until(self, condition: Callable[[], bool], timeout: float, poll: float = 0.02) -> bool:
        """Handles events until ``condition`` holds; False after ``timeout`` s."""
        deadline = time.monotonic() + timeout
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.pump(min(poll, left))
        return True

    def stop(self) -> None:
        """Stops everything in reverse order, the first started last, within STOP_WITHIN s."""
        self._stopping = True
        plant = self.children[:1] if self.children and self.children[0].process is self.processes[0] else []
        others = [child for child in self.children if child not in plant]
        for group, seconds in zip((others[::-1], plant), STAGES, strict=True):
            for number, wait in zip((signal.SIGINT, signal.SIGTERM, signal.SIGKILL), seconds, strict=True):
                left = [child for child in group if child in self.children]
                if not left:
                    break
                for child in left:
                    child.signal(number)
                self._wait_gone(left, wait)

    def _wait_gone(self, group: list[Child], seconds: float) -> None:
        pressed_before = self.signalled
        self.signalled = 0
        gone = lambda: self.signalled != 0 or not any(child in self.children for child in group)  # noqa: E731
        self.pump_until(gone, seconds)  # a second Ctrl-C goes on to the next, harder signal
        self.signalled = self.signalled or pressed_before
