"""A trigger works a hand: OPEN, PRESHAPE, CLOSE, and back to OPEN only when it is nearly let go.

    OPEN ──> grip_preshape──> PRESHAPE ──> grip_close──> CLOSE ──< grip_open──> OPEN

Taking over changes nothing: the hand goes on with what it does until the trigger has been where that is.
"""

from __future__ import annotations

from types import SimpleNamespace

from neo_description.signals import GraspPhase, GraspStatus, HandAction, HandCommand
from neo_teleop.frames import HandFrame

DOES = {
    GraspPhase.IDLE: HandAction.OPEN, GraspPhase.RELEASING: HandAction.OPEN,
    GraspPhase.PRESHAPED: HandAction.PRESHAPE, GraspPhase.CLOSING: HandAction.CLOSE,
    GraspPhase.HOLDING: HandAction.CLOSE, GraspPhase.LOST: HandAction.CLOSE,
}  # fmt: skip
Said = tuple[HandAction, str, float]


class Grip:
    """Of one hand; :meth:`take_over` when its clutch engages, then :meth:`step` for every frame."""

    def __init__(self, params: SimpleNamespace):
        self._p = params
        self._action = HandAction.OPEN
        self._met = False  # the trigger has been where the hand is
        self._said: Said | None = None

    def take_over(self, status: GraspStatus) -> None:
        """From now on the trigger counts, once it agrees with what the hand does."""
        self._action, self._met = DOES[status.phase], False
        grasp = status.grasp if self._action == HandAction.CLOSE else ""
        self._said = None if self._action == HandAction.PRESHAPE else (self._action, grasp, 0.0)

    def step(self, hand: HandFrame) -> HandCommand | None:
        """What the hand shall do that it was not told yet; None: nothing new."""
        if not self._met:
            self._met = self._at(hand.trigger) == self._action
            if not self._met:
                return None
        self._action = self._next(hand.trigger)
        said = self._words(hand)
        if said == self._said:
            return None
        self._said = said
        action, grasp, width = said
        return HandCommand(action, grasp=grasp, width=width)

    def _words(self, hand: HandFrame) -> Said:
        if self._action == HandAction.OPEN:
            return HandAction.OPEN, "", 0.0
        if self._action == HandAction.CLOSE:
            if hand.give:
                return HandAction.GIVE, "", 0.0
            if self._said is not None and self._said[0] == HandAction.CLOSE:
                return self._said  # what is held stays held as it is
        return self._action, hand.grasp, hand.width

    def _at(self, trigger: float) -> HandAction:
        if trigger >= self._p.grip_close:
            return HandAction.CLOSE
        return HandAction.OPEN if trigger < self._p.grip_preshape else HandAction.PRESHAPE

    def _next(self, trigger: float) -> HandAction:
        if trigger < self._p.grip_open:
            return HandAction.OPEN
        at = self._at(trigger)
        if self._action == HandAction.CLOSE or (self._action == HandAction.PRESHAPE and at < self._action):
            return self._action
        return at
