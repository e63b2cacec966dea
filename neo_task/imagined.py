"""The planner ``world_model``: does a prompt by imagination, one step of 0.1 s at a time.

A plan is made every other step and holds for several. One that is made too late is never carried out: then
the rest of the one before is, then the inverse dynamics' action, then nothing, and the body holds. One that
would lead to an event is not carried out either; when no other is found for a while, the task ends and says
what would have happened. Without a fresh picture nothing is planned, and the body holds. A hand that lost
what it held is opened, so that the next plans begin anew; one that holds what was to be picked up is not. A
hand that closed on nothing has not done a task, whatever the plans say; and when the robot stands still under
them for a while, nothing more will come. What plans call done and the robot knows is not
(:mod:`neo_task.achieved`) is not done. Such a try is not the last: :mod:`neo_task.in_turn`.

Where perception knows the prompt's things and sees them, its word counts; else the model's own eyes do. What
a hand holds is where the hand is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from neo_description.signals import GraspPhase, HandAction, Safety
from neo_description.tables import SIDES
from neo_task.achieved import Felt, missing
from neo_task.in_hand import InHand
from neo_task.in_turn import InTurn
from neo_task.perceived import Perceived, understood
from neo_task.planner import Observation, Outcome, Step
from neo_world_model import shipped
from neo_world_model.actor import NOBODY, Actor
from neo_world_model.commander import Commander
from neo_world_model.modalities import unstack
from neo_world_model.plan import Plan, Search
from neo_world_model.runtime import Runtime
from neo_world_model.would import would

DONE, SURE = 0.97, 1.0  # progress, and how long it says so before it is believed (s)
NEARLY = 0.75  # progress of a task that is over when nothing more comes
VAIN = 2  # times that hands may close on nothing
STILL, STALLED = 0.01, 3.0  # m that grippers move at most, for how long (s): nothing more comes


class ImaginedPlanner:
    """As :class:`neo_task.planner.ScriptPlanner`, on observations that carry ``cut``.

    About one thing; :func:`imagined` makes the planner for any prompt. ``clock``: plant time now (s), to know
    a late plan by; ``timer``: s, by which searching ends.
    """

    def __init__(
        self, runtime: Runtime, prompt: str, params: SimpleNamespace, timeout: float,
        clock: Callable[[], float], timer: Callable[[], float] = time.monotonic,
    ):  # fmt: skip
        search = Search(veto=params.veto, deadline=params.plan_deadline, iterations=params.plan_iterations)
        self._actor = Actor(runtime, prompt, runtime.settings.context, search=search, clock=timer)
        self._in_hand = InHand(params.in_hand_distance)
        self._commander, self._sees = Commander(), "vision" in runtime.settings.senses
        self._task = understood(prompt, params.objects_file)
        self._perceived = Perceived(self._task) if params.perceived else None
        self._params, self._prompt, self._timeout, self._clock = params, prompt, timeout, clock
        self._plan: Plan | None = None
        self._next = 0
        self._began: float | None = None
        self._sure_since: float | None = None
        self._vetoed_since: float | None = None
        self._outcome: Outcome | None = None
        self._progress = 0.0
        self._detail = ""
        self._lifted_from: dict[str, float] = {}
        self._lifted = self._peak = 0.0
        self._held_since: float | None = None
        self._before = np.full((2, 3), np.nan)  # m in odom: target and place as it began
        self._hands_moved = False
        self._closed: set[str] = set()  # sides told to close that have held nothing since
        self._closing: set[str] = set()  # sides on their way round something
        self._vain = 0  # times that a hand closed on nothing
        self._stood = (0.0, np.zeros(0), "")  # since when (s), grippers and hands as they are
        self.late = self.fallbacks = self.holds = self.plans = 0
        self.phase = "imagine"

    def step(self, observation: Observation) -> Step:
        """Commands of the step that begins, if one does; ``outcome`` is set once."""
        out = Step(phase=self.phase)
        if self._began is None:
            self._began = observation.time
        if self._outcome is None:
            self._feel(observation)
            if observation.estimate.safety != Safety.ACTIVE:
                why = observation.estimate.reason or "set_mode stand"
                self._end(observation, False, "stopped", f"not done: the robot is stopped ({why})")
            elif observation.time > self._began + self._timeout:
                self._end(observation, False, "timeout", f"not done: it took longer than {self._timeout:g} s")
            elif self._vain >= VAIN:
                self._end(observation, False, "stalled", "not done: the hand closed on nothing")
            elif observation.cut is not None:
                self._act(observation, out)
        out.progress, out.detail, out.outcome = self._progress, self._detail, self._outcome
        return out

    def again(self) -> None:
        """Go on after the outcome as if the task began now; where its things are, were and may be is kept."""
        self._outcome = self._plan = self._sure_since = self._vetoed_since = None
        self._progress, self._stood = 0.0, (0.0, np.zeros(0), "")
        if self._held_since is None:  # the hands are open
            self._commander, self._lifted, self._hands_moved = Commander(), 0.0, False
            self._closed.clear()
        self._vain = 0
        self._actor.forget()
        self._actor.begin()

    def _act(self, observation: Observation, out: Step) -> None:
        cut, estimate = observation.cut, observation.estimate
        if cut.hole:
            self._actor.forget()
        if cut.action is not None:
            self._actor.passed(cut.action)
        told = NOBODY if self._perceived is None else self._perceived.places(observation)
        places = self._actor.places()
        self._before = np.where(np.isnan(self._before), places, self._before)
        held = self._in_hand.place(estimate, observation.hands, places[0], told[0])
        self._actor.sense(cut.row, estimate.T_odom_base, told, held)
        if self._sees and "vision" not in cut.row:
            self._plan, self.holds = None, self.holds + 1
            return
        if self._actor.ready and (self._plan is None or self._next >= self._params.replan_every):
            self._judge(self._actor.plan(), observation)
        if self._outcome is not None or self._vetoed_since is not None:
            return
        if self._keeps:
            self._next += 1
            return
        action = self._present()
        if action is None:
            return
        closing = [side for side, hand in observation.hands.items() if hand.phase == GraspPhase.CLOSING]
        picked = held is not None and self._task is not None and self._task.verb == "pick"
        keeps = [s for s, hand in observation.hands.items() if picked and hand.phase == GraspPhase.HOLDING]
        body, hands = self._commander.give(action, estimate.T_odom_base, closing, keeps)
        out.body.append(body)
        out.hands.extend(hands)
        for side, hand in observation.hands.items():
            opened = self._commander.lost(side) if hand.phase == GraspPhase.LOST else None
            if opened is not None:
                out.hands.append((side, opened))
        self._hands_moved |= bool(out.hands) or body.T_l_hand is not None or body.T_r_hand is not None
        self._closed |= {side for side, command in out.hands if command.action == HandAction.CLOSE}
        if self._still(observation) >= STALLED and self._held_since is None and self._sure_since is None:
            self._end_a_standstill(observation)

    @property
    def _keeps(self) -> bool:
        """Whether what was to be picked up is held, and plans call that done: then the robot keeps still."""
        picks = self._task is None or self._task.verb == "pick"
        return picks and self._sure_since is not None and self._held_since is not None

    def _judge(self, found: Plan, observation: Observation) -> None:
        """Take the plan, unless it is late or would lead to an event."""
        self.plans += 1
        if self._clock() - observation.time > self._params.plan_deadline:
            self.late += 1
            return
        self._detail = ", ".join(f"{name} {chance:.0%}" for name, chance in found.events.items())
        if found.vetoed:
            self._vetoed_since = observation.time if self._vetoed_since is None else self._vetoed_since
            if observation.time - self._vetoed_since >= self._params.veto_time:
                why = would(found.vetoed, self._prompt)
                self._end(observation, False, "vetoed", f"not done: {why}")
            return
        self._vetoed_since = None
        self._plan, self._next = found, 0
        self._progress = max(self._progress, float(found.progress[0]))
        on_its_way = not self._hands_moved and not _looks(found, observation)
        on_nothing = bool(self._closed) and self._held_since is None
        if found.progress[0] < DONE or on_nothing or on_its_way:
            self._sure_since = None
        elif self._sure_since is None:
            self._sure_since = observation.time
        elif observation.time - self._sure_since >= (
            SURE if self._held_since is None else self._params.hold_time
        ):
            self._done(observation)

    def _done(self, observation: Observation) -> None:
        """The end; a failure where the robot knows better than its plans."""
        felt = Felt(self._held_since is not None, self._lifted)
        lacks = missing(self._task, felt, self._actor.places(), self._before)
        message = f"not done: {lacks}" if lacks else f"done: {self._prompt}"
        self._end(observation, not lacks, "stalled" if lacks else "done", message)

    def _present(self) -> np.ndarray | None:
        """The action of this step: the plan's, else towards its goal, else none."""
        if self._plan is None:
            self.holds += 1
            return None
        number, self._next = self._next, self._next + 1
        if number < len(self._plan.action):
            return self._plan.action[number]
        self.fallbacks += 1
        if number < 2 * len(self._plan.action):
            return self._plan.towards
        self.holds += 1
        return None

    def _still(self, observation: Observation) -> float:
        """How long (s) grippers and hands have been as they are."""
        at = np.concatenate([observation.estimate.gripper(side)[:3, 3] for side in SIDES])
        hands = " ".join(hand.phase.name for hand in observation.hands.values())
        since, before, as_they_were = self._stood
        if len(before) == 0 or float(np.abs(at - before).max()) > STILL or hands != as_they_were:
            self._stood = observation.time, at, hands
            return 0.0
        return observation.time - since

    def _end_a_standstill(self, observation: Observation) -> None:
        """End a task in which the robot has stood still for a while with nothing in its hands."""
        if self._closed:
            self._end(observation, False, "stalled", "not done: the hand closed on nothing")
        elif self._progress >= NEARLY:
            self._done(observation)
        else:
            how_far = f"after {self._progress:.0%} of it"
            self._end(observation, False, "stalled", f"not done: nothing more to do {how_far}")

    def _feel(self, observation: Observation) -> None:
        """What the robot can say of its own doing: how high and how long it holds, and how hard."""
        holding = False
        for side, hand in observation.hands.items():
            height = float(observation.estimate.gripper(side)[2, 3])
            self._peak = max(self._peak, hand.normal_force)
            if hand.phase == GraspPhase.CLOSING:
                self._closing.add(side)
            elif side in self._closing:
                self._closing.discard(side)
                self._vain += hand.phase != GraspPhase.HOLDING
            if hand.phase == GraspPhase.HOLDING:
                holding = True
                self._closed.discard(side)
                self._lifted = max(self._lifted, height - self._lifted_from.setdefault(side, height))
            else:
                self._lifted_from.pop(side, None)
        if not holding:
            self._held_since = None
        elif self._held_since is None:
            self._held_since = observation.time

    def _end(self, observation: Observation, success: bool, reason: str, message: str) -> None:
        held = 0.0 if self._held_since is None else observation.time - self._held_since
        self._progress = 1.0 if success else self._progress
        self._outcome = Outcome(success, reason, message, self._lifted, held, self._peak)


def imagined(
    model: str | Runtime, prompt: str, params: SimpleNamespace, timeout: float,
    clock: Callable[[], float], timer: Callable[[], float] = time.monotonic,
) -> InTurn:  # fmt: skip
    """The planner for ``prompt``: :class:`ImaginedPlanner` for each of its things, tried ``tries`` times.

    ``model``: its folder, empty: the one that ships; or one that is open already.
    """
    runtime = Runtime(shipped.model(model), params.plan_threads) if isinstance(model, str) else model
    task = understood(prompt, params.objects_file)
    each = task.each if task is not None and task.more else (prompt,)

    def begin(one: str, left: float) -> ImaginedPlanner:
        return ImaginedPlanner(runtime, one, params, left, clock, timer)

    return InTurn(prompt, each, timeout, begin, params)


def _looks(plan: Plan, observation: Observation) -> bool:
    """Whether the head looks to where the plan has it look now."""
    T = observation.estimate.T_odom_base
    return observation.looks_at(T[:3, :3] @ unstack("action", plan.action[0])["gaze"] + T[:3, 3])
