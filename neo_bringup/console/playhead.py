"""Where a replay is: play, pause, seek, speed. Its own clock; nothing of ROS time is touched."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from neo_description.errors import NeoError

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)


class Playhead:
    """Of a recording of ``duration`` s; starts paused at its begin, pauses at its end. For any thread."""

    SPEEDS = SPEEDS

    def __init__(self, duration: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.duration = max(duration, 0.0)
        self._clock = clock
        self._lock = threading.Lock()
        self._at = 0.0  # when the clock showed _since
        self._since = clock()
        self._speed = 1.0
        self._plays = False

    @property
    def position(self) -> float:
        """s from the begin, 0 to ``duration``."""
        with self._lock:
            return self._now()

    @property
    def playing(self) -> bool:
        with self._lock:
            return self._plays and self._now() < self.duration

    def play(self) -> None:
        """Go on; from the begin where it was at the end."""
        with self._lock:
            at = self._now()
            self._mark(0.0 if at >= self.duration else at)
            self._plays = True

    def pause(self) -> None:
        with self._lock:
            self._mark(self._now())
            self._plays = False

    def seek(self, position: float) -> None:
        """Jump to ``position`` s, outside to the nearest end; one that had ended stays paused there."""
        with self._lock:
            self._plays = self._plays and self._now() < self.duration
            self._mark(min(max(position, 0.0), self.duration))

    def set_speed(self, speed: float) -> None:
        """``speed`` times as fast as recorded; NeoError when it is none of SPEEDS."""
        if speed not in SPEEDS:
            raise NeoError(f"speed {speed}; one of {', '.join(f'{s:g}' for s in SPEEDS)}")
        with self._lock:
            self._mark(self._now())
            self._speed = speed

    def _now(self) -> float:
        passed = self._speed * (self._clock() - self._since) if self._plays else 0.0
        return min(self._at + passed, self.duration)

    def _mark(self, at: float) -> None:
        self._at, self._since = at, self._clock()
