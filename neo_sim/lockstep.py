"""Who the plant waits for before it steps: pure bookkeeping on wall time, no ROS.

A tick *k* is complete when every awaited group has answered *k*. A group is awaited until it has kept the
plant waiting for ``timeout``; from then on the plant goes on without it until it answers again. Before the
first step all groups are awaited for ``patience``. The camera, once heard, may be one frame behind, under
the same time-out.
"""

from __future__ import annotations

from collections.abc import Iterable

LATE = 10  # ticks: an older answer does not show that a group is back
CAMERA_PERIOD = 50  # ticks between images until the camera has shown its own period


class Lockstep:
    """``now`` is wall time in seconds everywhere. ``absent`` names the groups not waited for."""

    def __init__(self, groups: Iterable[str], timeout: float, resend_after: float, patience: float):
        self._groups = tuple(groups)
        self._timeout, self._resend_after, self._patience = timeout, resend_after, patience
        self.absent: set[str] = set()
        self.tick = 0
        self.started = False
        self._missing = set(self._groups)
        self._since = self._sent = 0.0
        self._camera_tick: int | None = None
        self._camera_period = CAMERA_PERIOD

    def begin(self, tick: int, now: float) -> None:
        """The states of ``tick`` were published at ``now``."""
        self.started = self.started or tick > self.tick
        self.tick = tick
        self._since = self._sent = now
        self._missing = set(self._groups) - self.absent

    def answered(self, group: str, tick: int) -> None:
        """``group`` answered ``tick``.

        Only an answer to the present tick counts; one that is a little late shows that an absent group is
        back, to be waited for from the next tick on.
        """
        if self.tick - LATE <= tick <= self.tick:
            self.absent.discard(group)
        if tick == self.tick:
            self._missing.discard(group)

    def camera_done(self, tick: int) -> None:
        """The camera has finished the image of ``tick``."""
        if self._camera_tick is not None and tick > self._camera_tick:
            self._camera_period = max(CAMERA_PERIOD, tick - self._camera_tick)
        self._camera_tick = tick

    @property
    def complete(self) -> bool:
        """Whether the plant may step."""
        return not self._missing and not self._camera_late

    @property
    def _camera_late(self) -> bool:
        return self._camera_tick is not None and self.tick - self._camera_tick >= 2 * self._camera_period

    def give_up(self, now: float) -> tuple[str, ...]:
        """Names of those given up at ``now`` because they kept the plant waiting too long."""
        patience = self._timeout if self.started else self._patience
        if self.complete or now - self._since < patience:
            return ()
        late = tuple(sorted(self._missing))
        self.absent |= self._missing
        self._missing = set()
        if self._camera_late:
            self._camera_tick = None  # until it is heard again
            late += ("camera",)
        return late

    def resend(self, now: float) -> bool:
        """Whether the states shall be sent again now; asking counts as sending."""
        if self.complete or now - self._sent < self._resend_after:
            return False
        self._sent = now
        return True
