"""At ease: a robot that nobody asks for anything straightens its knees, which hold it up for less.

Bent knees are ready to bend further, and cost most of what standing costs. After ``after`` s without a
command the pelvis rises to ``height``; at the first command it goes back down.
"""

from __future__ import annotations

from neo_description.tables import CONTROL_DT

RISE = 0.01  # m/s


class AtEase:
    """``height`` m at ease; ``stand`` m where the pelvis is otherwise. Below ``stand``: never."""

    def __init__(self, after: float, height: float, stand: float):
        self._after, self._stand = after, stand
        self._most = max(height - stand, 0.0)
        self.reset()

    def reset(self) -> None:
        """Ready, from now on."""
        self._alone, self._risen = 0.0, 0.0

    def update(self, alone: bool) -> float:
        """One tick, ``alone``: nothing is asked for; m that the pelvis shall be at."""
        if not alone:
            self.reset()
            return self._stand
        self._alone += CONTROL_DT
        if self._alone > self._after:
            self._risen = min(self._risen + RISE * CONTROL_DT, self._most)
        return self._stand + self._risen
