"""How long somebody has said nothing, counted in the listener's own waking time."""

from __future__ import annotations

STEP = 0.1  # s


class Silence:
    """Fed by :meth:`heard` and :meth:`look`; ``lasted`` s, ``None`` before the first word.

    A listener that does not run hears nobody: of the time between two looks at most ``step`` s count, so a
    machine that stood still is not taken for the silence of everybody else.
    """

    def __init__(self, step: float = STEP):
        self.lasted: float | None = None
        self._step = step
        self._looked: float | None = None

    def heard(self) -> None:
        """Somebody said something."""
        self.lasted = 0.0

    def look(self, now: float) -> float:
        """Silence so far (s) at monotonic time ``now``; 0 before the first word. Call it often."""
        before, self._looked = self._looked, now
        if self.lasted is None:
            return 0.0
        if before is not None:
            self.lasted += min(max(now - before, 0.0), self._step)
        return self.lasted
