"""Plant time against wall time: when the next tick is due, how fast the plant runs."""

from __future__ import annotations

from neo_description.tables import CONTROL_DT

MOST_BEHIND = 0.01  # s that are caught up with in a burst, half the drives' watchdog; more is given up
WINDOW = 1.0  # s of wall time over which the real-time factor is taken


class Pacer:
    """``now`` is wall time (s). ``speed``: plant seconds per wall second at most; 0: no limit.

    ``slips`` counts how often the plant fell so far behind that it gave up time.
    """

    def __init__(self, speed: float):
        self.speed = speed
        self.slips = 0
        self.real_time_factor = 0.0
        self._due: float | None = None
        self._window: tuple[float, int] | None = None

    def due(self, now: float) -> bool:
        """Whether the next tick may happen at ``now``."""
        if self.speed <= 0.0:
            return True
        if self._due is None:
            self._due = now
        return now >= self._due - 1e-6

    def stepped(self, tick: int, now: float) -> None:
        """The plant reached ``tick`` at ``now``."""
        if self.speed > 0.0:
            due = (now if self._due is None else self._due) + CONTROL_DT / self.speed
            if now - due > MOST_BEHIND:
                self.slips += 1
                due = now
            self._due = due
        if self._window is None:
            self._window = (now, tick)
        start, first = self._window
        if now - start >= WINDOW:
            self.real_time_factor = (tick - first) * CONTROL_DT / (now - start)
            self._window = (now, tick)
