"""A goal of one of the body's actions that the controller's ticks bring to its end.

outcome = await self._under_way.until_ended(core, goal)       # in the action's callback
if self._under_way.tick():                                    # after each tick of the controller
    goal.publish_feedback(...)
"""

from __future__ import annotations

from typing import Any, Protocol

from rclpy.task import Future

from neo_ros import graph


class Core(Protocol):
    """What is done for a goal; outcomes have ``success`` and ``reason``."""

    def step(self) -> Any:
        """After a controller's tick: ``None`` while under way, else the outcome."""

    def cancel(self) -> Any:
        """End it; the outcome."""


class UnderWay:
    """At most one goal: ``core`` is what is done for it, ``None`` without one; ``goal`` is the server's."""

    def __init__(self) -> None:
        self.core: Any = None
        self.goal: Any = None
        self._done: Future | None = None

    async def until_ended(self, core: Core, goal: Any) -> Any:
        """The outcome of ``core``, which ``goal`` has been ended by. The one before ends first."""
        self.stop()
        self.core, self.goal, self._done = core, goal, Future()
        outcome: Any = await self._done
        graph.end_goal(goal, outcome.success, outcome.reason)
        return outcome

    def tick(self) -> bool:
        """After the controller's tick: whether the goal is still under way."""
        if self.core is None:
            return False
        outcome = self.core.cancel() if self.goal.is_cancel_requested else self.core.step()
        if outcome is not None:
            self._end(outcome)
        return outcome is None

    def stop(self) -> None:
        """No tick may follow: a goal that runs ends."""
        if self.core is not None:
            self._end(self.core.step() or self.core.cancel())

    def _end(self, outcome: Any) -> None:
        done, self.core, self.goal, self._done = self._done, None, None, None
        if done is not None:
            done.set_result(outcome)
