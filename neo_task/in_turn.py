"""A prompt done by a planner that imagines one thing at a time and does not always get on.

Several things are put where they shall be one after the other. Where a try stalls, the robot comes back to
where it began, and tries again from there: that is where a policy is taught to begin, and a hand that is left
over the table is in the way of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Protocol

import numpy as np

from neo_description.signals import GraspPhase
from neo_description.tables import SIDES
from neo_task.detour import pass_over
from neo_task.planner import Context, Observation, Outcome, Planner, Script, ScriptPlanner, Step
from neo_task.taking import back_off, others

HOME, PATIENCE = 0.05, 4.0  # m, s: near enough to where it began; then it has to do
LONGEST = 12.0  # s of coming back


class Tries(Planner, Protocol):
    """A planner that can be told to try :meth:`again` after its outcome."""

    def again(self) -> None: ...


class InTurn:
    """Prompts ``each`` in their order, as a planner of the whole ``prompt``; the first that fails ends it.

    ``begin``: a planner for one prompt and the seconds that are left for it, of ``timeout`` for all;
    ``params``: of ``neo_task/parameters.yaml``.
    """

    def __init__(
        self, prompt: str, each: Sequence[str], timeout: float, begin: Callable[[str, float], Tries],
        params: SimpleNamespace,
    ) -> None:  # fmt: skip
        self._prompt, self._each, self._begin = prompt, each, begin
        self._timeout, self._params = timeout, params
        self._began: float | None = None
        self._home: dict[str, np.ndarray] = {}  # by side: (4, 4) of a gripper in odom as the task began
        self.planner = begin(each[0], timeout)
        self._way_back: ScriptPlanner | None = None
        self._done, self._try = 0, 1

    def step(self, observation: Observation) -> Step:
        """As the planner of the prompt whose turn it is; ``outcome`` is that of all."""
        if self._began is None:
            self._began = observation.time
            self._home = {side: observation.estimate.gripper(side).copy() for side in SIDES}
        if self._way_back is not None:
            return self._come_back(self._way_back, observation)
        step = self.planner.step(observation)
        step.progress = (self._done + step.progress) / len(self._each)
        if step.outcome is not None:
            step.outcome = self._after(step.outcome)
        return step

    def _after(self, outcome: Outcome) -> Outcome | None:
        """What follows from the ``outcome`` of one prompt: the end of all, or nothing yet."""
        number, parts = self._done, len(self._each)
        if outcome.success and number + 1 == parts:
            outcome.message = f"done: {self._prompt}"
            return outcome
        if outcome.success:
            self._done, self._try = number + 1, 1
        elif outcome.reason == "stalled" and self._try < self._params.tries:
            self._try += 1
        else:
            return self._failed(outcome)
        self._way_back = ScriptPlanner(lambda ctx: come_back(ctx, self._home), self._params, LONGEST)
        return None

    def _come_back(self, way_back: ScriptPlanner, observation: Observation) -> Step:
        step = way_back.step(observation)
        ended, step.outcome = step.outcome, None
        step.progress = self._done / len(self._each)
        assert self._began is not None
        left = self._began + self._timeout - observation.time
        if left < 0.0:
            step.outcome = self._failed(Outcome(False, "timeout", ""))
        elif ended is not None:
            self._way_back = None
            if ended.reason == "stopped":
                step.outcome = self._failed(ended)
            elif self._try > 1:
                self.planner.again()
            else:
                self.planner = self._begin(self._each[self._done], left)
        return step

    def _failed(self, outcome: Outcome) -> Outcome:
        """``outcome`` as that of all, in words."""
        if outcome.reason == "timeout":
            outcome.message = f"not done: it took longer than {self._timeout:g} s"
        if len(self._each) > 1:
            outcome.message += f" ({self._done} of {len(self._each)} things are there)"
        return outcome


def come_back(ctx: Context, home: dict[str, np.ndarray]) -> Script:
    """Both hands open and back over what stands in between to ``home``; what a hand holds stays there."""
    ctx.enter("come back", 0.0)
    if any(hand.phase == GraspPhase.HOLDING for hand in ctx.now.hands.values()):
        return "a hand holds something"
    yield from back_off(ctx)
    for side in SIDES:
        yield from pass_over(ctx, side, home[side], others(ctx))
    ctx.body(release=SIDES)
    yield from ctx.until(lambda: all(_off(ctx, side, home[side]) < HOME for side in SIDES), PATIENCE)
    return "the hands are back"


def _off(ctx: Context, side: str, T: np.ndarray) -> float:
    return float(np.linalg.norm(ctx.gripper(side)[:3, 3] - T[:3, 3]))
