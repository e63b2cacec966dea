"""SIGINT and SIGTERM as a future: the callback that runs finishes, then spinning ends.

rclpy's own handlers shut the context down at once, and a callback that publishes just then fails. Python's
handlers wait for the main thread, which sleeps in C++; so the wake-up pipe is read by a thread.
"""

from __future__ import annotations

import signal
import socket
import threading
from types import TracebackType
from typing import Any

from rclpy.task import Future

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignal:
    """Within it, the first signal completes :attr:`future` with its number; more change nothing."""

    def __init__(self) -> None:
        self.future: Future = Future()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._thread = threading.Thread(target=self._watch, name="stop_signal", daemon=True)
        self._thread.start()
        self._fd_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            self._before[number] = signal.signal(number, lambda *_: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._fd_before)
        self._writer.close()
        self._thread.join()
        self._reader.close()

    def _watch(self) -> None:
        while data := self._reader.recv(1):
            if data[0] in SIGNALS and not self.future.done():
                self.future.set_result(data[0])
