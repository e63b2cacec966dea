"""The drives' stop button as the supervisor presses it: at once, or once the robot stands on both feet.

Drives that hold keep a posture, and a robot on one leg that only keeps its posture falls over.
"""

from __future__ import annotations

from typing import Any

from neo_msgs.msg import SafetyState
from rclpy.task import Future

SETTLE_WITHIN = 5.0  # s of wall time; body control's own limit is shorter (`stop_within`, of plant time)


class StopButton:
    """Of the robot behind ``stack``. ``why`` it was asked for last; empty: never."""

    def __init__(self, stack: Any):
        self._stack = stack
        self._settle_until = 0.0  # s; 0: nobody waits
        self._asked: Future | None = None
        self.why = ""

    @property
    def waits(self) -> bool:
        """Whether the robot is given time to set its feet down."""
        return self._settle_until > 0.0

    def press(self, why: str) -> Future | None:
        """Now; the drives' answer, None when nobody serves it."""
        self.why, self._settle_until = why, 0.0
        answer: Future | None = self._stack.press_runstop(True)
        return answer

    def settle(self, why: str, now: float) -> None:
        """Once body control has come to STOP, which it is asked for at time ``now`` s; :meth:`look` sees."""
        if self.waits:
            return
        self._asked = self._stack.ask_mode("stop") if self._moves else None
        if self._asked is None:
            self.press(why)
        else:
            self.why, self._settle_until = why, now + SETTLE_WITHIN

    def look(self, now: float) -> Future | None:
        """Presses when it is time to; the drives' answer then."""
        if not self.waits or (self._moves and now < self._settle_until and not self._refused):
            return None
        return self.press(self.why)

    @property
    def _moves(self) -> bool:
        safety = self._stack.safety
        return safety is not None and safety.state != SafetyState.STOP and not safety.runstop

    @property
    def _refused(self) -> bool:
        """Whether body control answered that it will not stop."""
        asked = self._asked
        return asked is not None and asked.done() and not getattr(asked.result(), "success", False)
