"""Between devices and the robot's node, safe from any thread: frames one way, the robot's state the other.

desk.begin("page 3", agreed=consent.ID)      # a device: one session at a time
desk.put("page 3", frame)
frames, why = desk.take()                    # the node, each time that it hears the joints
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neo_description.errors import RefusedError
from neo_teleop import consent
from neo_teleop.frames import OperatorFrame

KEPT = 16  # frames that may wait for the robot
BUTTONS = ("stop", "reset", "stand", "cancel")  # that need no session


@dataclass(frozen=True)
class Session:
    """``who`` drives: the device's name; ``recorded``: they agreed to it."""

    who: str
    recorded: bool


class Desk:
    """``session``: None while nobody drives. ``ready``: frames count (a recorded session waits for that)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: deque[OperatorFrame] = deque(maxlen=KEPT)
        self._why = ""  # to let go, not told to the node yet
        self._status: dict[str, Any] = {}
        self.now: float | None = None  # plant time (s); None: nothing heard of the robot yet
        self.session: Session | None = None
        self.ready = False
        self.ended = ""  # why the last session did
        self.pressed: Callable[[str], None] = lambda button: None

    def begin(self, who: str, agreed: str = "") -> Session:
        """``who`` drives from now on; RefusedError while another does, or for other words than shown."""
        session = Session(who, consent.recorded(agreed))
        with self._lock:
            if self.session is not None and self.session.who != who:
                raise RefusedError(f"{self.session.who} drives the robot; one at a time")
            if self.session is not None:
                raise RefusedError("a session is running; end it first")
            self._frames.clear()
            self.session, self.ready, self.ended = session, not session.recorded, ""
            self._why = "a session began"
        return session

    def end(self, who: str, reason: str) -> None:
        """The session of ``who`` is over, if they have one; the robot lets go."""
        with self._lock:
            if self.session is None or self.session.who != who:
                return
            self._frames.clear()
            self.session, self.ready, self.ended = None, False, reason
            self._why = reason

    def put(self, who: str, frame: OperatorFrame) -> None:
        """What the device of ``who`` says; RefusedError: they do not drive, or not yet."""
        with self._lock:
            if self.session is None or self.session.who != who:
                raise RefusedError("no session: nothing moves before you begin one")
            if not self.ready:
                raise RefusedError("the recording has not begun yet")
            self._frames.append(frame)

    def let_go(self, who: str, reason: str) -> None:
        """Let go of the robot, and go on driving."""
        with self._lock:
            if self.session is not None and self.session.who == who:
                self._frames.clear()
                self._why = reason

    def take(self) -> tuple[list[OperatorFrame], str]:
        """Frames since it was asked last, and why to let go before them (empty: no reason)."""
        with self._lock:
            frames, why = list(self._frames), self._why
            self._frames.clear()
            self._why = ""
        return frames, why

    def press(self, button: str) -> None:
        """STOP and the like, whoever drives; RefusedError: no such button."""
        if button not in BUTTONS:
            raise RefusedError(f"no button {button!r}; one of {', '.join(BUTTONS)}")
        self.pressed(button)

    @property
    def status(self) -> dict[str, Any]:
        """What the robot said last, for people; ``time``: of the plant (s), at most :attr:`now`."""
        return self._status

    def show(self, status: dict[str, Any]) -> None:
        """The robot's state from now on; the dictionary is never changed afterwards."""
        self._status = status
