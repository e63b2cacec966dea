"""Core of the ``reach`` action: one hand to one pose, watched tick by tick in plant time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from neo_body_control.controller import BodyController
from neo_body_control.table_edge import Edge, around
from neo_description.errors import RefusedError
from neo_description.signals import Safety, WholeBodyCommand
from neo_description.tables import SIDES

SETTLED = 0.1  # s for which the errors must stay within tolerance
NEAR = 0.03  # m: a pose on the way that is so near has been passed
HANDS = {"left": "l", "right": "r"}


@dataclass(frozen=True)
class ReachOutcome:
    """``reason``: done, stopped, superseded, timeout or cancelled; errors in m and rad."""

    success: bool
    reason: str
    position_error: float
    orientation_error: float


def side_of(hand: str) -> str:
    """``l`` or ``r`` of ``left`` or ``right``; RefusedError names the two."""
    if hand not in HANDS:
        raise RefusedError(f"no hand {hand!r}; one of {', '.join(HANDS)}")
    return HANDS[hand]


class Reach:
    """A reach under way. Raises RefusedError at once when the goal is not acceptable.

    ``side`` l or r; ``T`` (4, 4) of the gripper in ``frame``; ``speed`` m/s, ``tolerance`` m and
    ``timeout`` s of plant time, 0 for the defaults of ``params``. ``edge`` of a table that the hand goes
    round where it stands in its way.
    """

    def __init__(
        self,
        body: BodyController,
        params: SimpleNamespace,
        side: str,
        T: np.ndarray,
        frame: str = "odom",
        speed: float = 0.0,
        tolerance: float = 0.0,
        timeout: float = 0.0,
        edge: Edge | None = None,
    ):
        if side not in SIDES:
            raise RefusedError(f"no side {side!r}; one of {', '.join(SIDES)}")
        for name, value, most in (("tolerance", tolerance, 0.1), ("timeout", timeout, 120.0)):
            if not math.isfinite(value) or not 0.0 <= value <= most:
                raise RefusedError(f"{name} is {value}; 0 (default) to {most:g} allowed")
        self._body, self._side = body, side
        self._tolerance = tolerance or params.reach_tolerance
        self._turn_tolerance = params.reach_turn_tolerance
        timeout = timeout or params.reach_timeout
        self._command = WholeBodyCommand(
            valid_for=min(timeout, params.valid_for_max), frame=frame, hand_speed=speed
        )
        self._deadline = body.estimate.time + timeout
        self._within_since: float | None = None
        self.errors = (math.inf, math.inf)
        self._way: list[np.ndarray] = []  # poses in odom that are still ahead
        reason = self._send(T) or (None if edge is None else self._go_round(edge))
        if reason is not None:
            raise RefusedError(reason)

    def _send(self, T: np.ndarray) -> str | None:
        """Ask for ``T``; why it was refused."""
        left, right = (T if self._side == side else None for side in SIDES)
        reason = self._body.command(replace(self._command, T_l_hand=left, T_r_hand=right))
        if reason is None:
            self._goal, self._begun = self._body.queue.last, False
        return reason

    def _go_round(self, edge: Edge) -> str | None:
        """What was asked for is acceptable; ask for the way to it first."""
        asked = getattr(self._goal, f"T_{self._side}_hand")
        start = getattr(self._body.estimate, f"T_odom_{self._side}_gripper")
        first, *self._way = around(edge, start, asked)
        if not self._way:
            return None
        self._command = replace(self._command, frame="odom")
        reason = self._send(first)
        if reason is not None:
            self._body.queue.drop(self._side)
        return reason

    def step(self) -> ReachOutcome | None:
        """After a controller's tick: ``None`` while under way."""
        body = self._body
        estimate = body.estimate
        time = estimate.time
        if estimate.safety == Safety.STOP or estimate.safety == Safety.FALLING:
            return self._outcome(False, f"stopped: {estimate.reason}")
        mine = body.follows(self._side, self._goal)
        if mine:
            self._begun = True
            self.errors = body.arrived(self._side)
        elif self._begun:
            return self._outcome(False, "superseded by another command")
        if mine and self._way and self.errors[0] <= NEAR:
            reason = self._send(self._way.pop(0))
            return None if reason is None else self._outcome(False, f"refused: {reason}")
        near = self.errors[0] <= self._tolerance and self.errors[1] <= self._turn_tolerance
        if not mine or self._way or not near:
            self._within_since = None
        elif self._within_since is None:
            self._within_since = time
        elif time - self._within_since >= SETTLED:
            return self._outcome(True, "done")
        if time >= self._deadline:
            return self._outcome(False, "timeout")
        return None

    def cancel(self) -> ReachOutcome:
        """The hand comes to rest where it is."""
        self._body.halt(self._side)
        return self._outcome(False, "cancelled")

    def _outcome(self, success: bool, reason: str) -> ReachOutcome:
        return ReachOutcome(success, reason, *self.errors)
