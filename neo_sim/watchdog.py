"""What a drive group does when nobody tells it: hold, then crouch, then limp.

Pure bookkeeping on plant time. One counter, the age of the last accepted command, decides:

    age < watchdog                     what the command asks
    … < watchdog + hold_time           HOLD
    … < … + crouch_time                CROUCH (a hand has none and stays in HOLD)
    else                               LIMP

The runstop latch turns whatever a live controller asks into HOLD; without a live controller the ladder
goes on underneath it. After release the group holds until a command newer than the release comes.
"""

from __future__ import annotations

from neo_description.signals import DriveMode


class Watchdog:
    """Times in plant steps (ints). Starts in HOLD as if the last command had just become too old."""

    def __init__(self, limit: int, hold: int, crouch: int | None):
        self._limit = limit
        self._crouch_at = None if crouch is None else limit + hold
        self._limp_at = None if crouch is None else limit + hold + crouch
        self.reset()

    def reset(self) -> None:
        """Back to the start: hold, no command known, not latched."""
        self.age = self._limit
        self.latched = False
        self._asked = DriveMode.HOLD

    def accepted(self) -> None:
        """A command was accepted."""
        self.age = 0

    def asked(self, mode: DriveMode) -> None:
        """An accepted command came through the transport delay and asks for ``mode``."""
        self._asked = mode

    def latch(self, on: bool) -> None:
        """The runstop. Releasing forgets what was asked before."""
        if on or self.latched:
            self._asked = DriveMode.HOLD
        self.latched = on

    def advance(self) -> None:
        """One plant step passed."""
        self.age += 1
        if self.age >= self._limit:  # until a new command has come through its delay
            self._asked = self._ladder()

    @property
    def mode(self) -> DriveMode:
        """What the group does now."""
        if self.age >= self._limit:
            return self._ladder()
        return DriveMode.HOLD if self.latched else self._asked

    def _ladder(self) -> DriveMode:
        if self._crouch_at is None or self._limp_at is None or self.age < self._crouch_at:
            return DriveMode.HOLD
        return DriveMode.CROUCH if self.age < self._limp_at else DriveMode.LIMP
