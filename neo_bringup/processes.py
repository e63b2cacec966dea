"""Child processes, killed by the kernel when we die. Those of a launch are started in a session of their own,
watched through a pidfd, their output prefixed line by line."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from neo_bringup.launch_parameters import write_file
from neo_bringup.launch_substitutions import prefixes
from neo_bringup.launch_xml import NodeProcess
from neo_description.errors import NeoError

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def find_executable(process: NodeProcess, environment: Mapping[str, str]) -> Path:
    """Where ``ros2 run`` would find it, else beside this Python; NeoError says where was looked."""
    if not process.package:
        path = Path(process.executable)
        if not path.is_file():
            raise NeoError(f"{process.where}: no executable {path}")
        return path
    places = [prefix / "lib" / process.package for prefix in prefixes(environment)]
    places.append(Path(sys.prefix) / "bin")
    for place in places:
        if (place / process.executable).is_file():
            return place / process.executable
    looked = ", ".join(map(str, places))
    raise NeoError(
        f"{process.where}: no executable {process.executable} of package {process.package} in {looked}; "
        "run `make setup`"
    )


def command(process: NodeProcess, environment: Mapping[str, str], folder: Path) -> list[str]:
    """The command line of a node; typed parameters are written as files under ``folder``."""
    words = [str(find_executable(process, environment)), *process.arguments, "--ros-args"]
    if process.name:
        words += ["-r", f"__node:={process.name}"]
    words += ["-r", f"__ns:={process.namespace}"]
    for i, entry in enumerate(_merged(process.parameters)):
        if isinstance(entry, dict):
            file = folder / f"{process.label}.{i}.yaml"
            write_file(file, process.full_name, entry)
            entry = file
        words += ["--params-file", str(entry)]
    for source, target in process.remappings:
        words += ["-r", f"{source}:={target}"]
    return words


def _merged(entries: list[Path | dict]) -> list[Path | dict]:
    merged: list[Path | dict] = []
    for entry in entries:
        if isinstance(entry, dict) and merged and isinstance(merged[-1], dict):
            merged[-1] = {**merged[-1], **entry}
        else:
            merged.append(entry)
    return merged


def die_with(parent: int) -> None:
    """Runs in a child: SIGKILL when the parent's thread that started it ends."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def pool(workers: int) -> ProcessPoolExecutor:
    """Processes that share nothing and end with this one, however it ends."""
    return ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=die_with, initargs=(os.getpid(),)
    )


class Child:
    """A running node. Start it from the main thread: the kernel ties it to the thread that forks."""

    def __init__(self, process: NodeProcess, words: list[str], environment: Mapping[str, str]):
        self.process = process
        self.words = words
        self.restarts = 0
        self._rest = b""
        self.last_line = ""
        try:
            self.popen = subprocess.Popen(
                words,
                env={**environment, **process.environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(die_with, os.getpid()),
            )
        except OSError as error:
            raise NeoError(f"{process.where}: cannot start {words[0]}: {error.strerror}") from None
        assert self.popen.stdout is not None
        self.output = self.popen.stdout.fileno()
        os.set_blocking(self.output, False)
        self.pidfd = os.pidfd_open(self.popen.pid)
        self._stat = os.open(f"/proc/{self.popen.pid}/stat", os.O_RDONLY)

    @property
    def label(self) -> str:
        return self.process.label

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    @property
    def dying(self) -> bool:
        """Whether the main thread has ended.

        The pidfd says so when the last thread has: on busy cores, with two dozen of them, 3 to 12 ms later.
        """
        try:
            state = os.pread(self._stat, 512, 0).rpartition(b")")[2].split()[0]
        except OSError:
            return True
        return state in (b"Z", b"X")

    def waited(self) -> float:
        """s that its threads have waited for a core so far, all together; 0 where the kernel does not say."""
        total = 0
        with contextlib.suppress(OSError, IndexError, ValueError):
            for thread in Path(f"/proc/{self.popen.pid}/task").iterdir():
                total += int((thread / "schedstat").read_text().split()[1])
        return 1e-9 * total

    def lines(self, to_end: bool = False) -> list[str]:
        """Whole lines printed since the last call; with ``to_end`` the unfinished one too."""
        data = b""
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.output, 65536):
                data += chunk
        *whole, self._rest = (self._rest + data).split(b"\n")
        if to_end and self._rest:
            whole.append(self._rest)
            self._rest = b""
        lines = [line.decode(errors="replace").rstrip("\r") for line in whole]
        for line in lines:
            self.last_line = line.strip() or self.last_line
        return lines

    def signal(self, number: int) -> None:
        """Sends ``number`` to the node and whatever it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, number)

    def how_it_ended(self) -> str:
        """For people: ``killed by SIGKILL`` or ``exit code 1: last line it printed``."""
        code = self.popen.returncode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        last = f": {self.last_line}" if self.last_line else ""
        return f"exit code {code}{last if code else ''}"

    def close(self) -> None:
        """Ends what is left of the node's process group and closes our ends."""
        self.signal(signal.SIGKILL)
        os.close(self.pidfd)
        os.close(self._stat)
        assert self.popen.stdout is not None
        self.popen.stdout.close()
