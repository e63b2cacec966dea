"""What would follow, asked without acting: the plan that ``do_task`` would make, and where things are.

    foreteller = Foreteller(runtime)
    foreteller.hear(row, T_odom_base)                   # once a step
    question = foreteller.question(past, led, time)     # what is known now; quick
    foreteller.answer("pick up the cup", question)      # takes a plan's time; one at a time, in any thread

A prompt that nobody asked about before is looked for in the last :data:`LOOKS` pictures that were kept, so
that what has just gone out of sight is known; the things of the last :data:`ASKED` prompts are remembered on.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from neo_description.errors import NeoError
from neo_description.signals import Belief, Consequence, Consequences, Foretold
from neo_world_model.actor import Actor
from neo_world_model.episode import EVENTS
from neo_world_model.memory import NEAR, in_picture
from neo_world_model.modalities import pose_of, table, unstack
from neo_world_model.plan import Search
from neo_world_model.prompts import NAMED
from neo_world_model.runtime import Runtime
from neo_world_model.would import would

STEP: float = 1.0 / table()["rate"]  # s
LOOKS, APART = 24, 10  # pictures kept, and steps between two of them
ASKED = 4
LIKELY = 0.5
DEFAULT = Search()


@dataclass(frozen=True)
class Look:
    """The senses of step ``number``, which show the robot's surroundings."""

    number: int
    row: dict[str, np.ndarray]
    T_odom_base: np.ndarray


@dataclass(frozen=True)
class Question:
    """What is known at ``time`` s: ``past`` (context, state) states, ``led`` (context - 1, n) actions."""

    time: float
    past: np.ndarray
    led: np.ndarray
    now: Look
    looks: tuple[Look, ...]


class Foreteller:
    """Answers what prompts would lead to, with the model in ``runtime``; ``search``: as of the planner."""

    def __init__(self, runtime: Runtime, source: str = "sim", search: Search = DEFAULT):
        self._runtime, self._source, self._search = runtime, source, search
        self._context = runtime.settings.context
        self._kept = deque[Look](maxlen=LOOKS)
        self._now: Look | None = None
        self._asked = OrderedDict[str, tuple[Actor, int]]()

    def hear(self, row: dict[str, np.ndarray], T_odom_base: np.ndarray) -> None:
        """Take in one step's senses; some of their pictures are kept."""
        number = 0 if self._now is None else self._now.number + 1
        self._now = Look(number, row, T_odom_base)
        if "vision" in row and (not self._kept or number - self._kept[-1].number >= APART):
            self._kept.append(self._now)

    def question(self, past: np.ndarray, led: np.ndarray, time: float = 0.0) -> Question:
        """What is known now, at plant time ``time`` s; NeoError when that is too little to foretell from."""
        if self._now is None or len(past) < self._context or len(led) < self._context - 1:
            raise NeoError(f"too little was sensed yet: {self._context} steps of {STEP:g} s are needed")
        looks = [look for look in self._kept if look is not self._now]
        return Question(time, past, led, self._now, (*looks, self._now))

    def answer(self, prompt: str, question: Question) -> Foretold:
        """What the plan for ``prompt`` leads to; NeoError when the prompt cannot be read."""
        now = question.now
        if prompt not in self._asked:
            self._asked[prompt] = self._actor(prompt), -1
        actor, seen = self._asked.pop(prompt)
        for look in question.looks:
            if look.number > seen and "vision" in look.row:
                actor.look(look.row, look.T_odom_base, look.number - seen)
                seen = look.number
        self._asked[prompt] = actor, seen
        if len(self._asked) > ASKED:
            self._asked.popitem(last=False)
        actor.stand(question.past, question.led, now.row["proprio"], now.T_odom_base)
        actor.begin()
        plan = actor.plan()
        events = consequences(plan.chances, self._runtime.calibrated)
        follows = Consequences(question.time, STEP * len(plan.chances), events)
        hidden = float(plan.chances[0, EVENTS.index("hidden")])
        said = would(plan.vetoed, prompt) if plan.vetoed else ""
        return Foretold(follows, bool(plan.vetoed), said, beliefs(actor, now, hidden, now.number - seen))

    def _actor(self, prompt: str) -> Actor:
        return Actor(self._runtime, prompt, self._context, self._source, self._search)


def consequences(chances: np.ndarray, calibrated: Collection[str]) -> list[Consequence]:
    """The events of imagined steps: ``chances`` (h, events)."""
    out = []
    for name, row in zip(EVENTS, chances.T, strict=True):
        likely = np.flatnonzero(row > LIKELY)
        after = STEP * (likely[0] + 1) if len(likely) else np.nan
        out.append(Consequence(name, float(row.max()), float(after), name in calibrated))
    return out


def beliefs(actor: Actor, now: Look, hidden: float, steps: int) -> list[Belief]:
    """Where the things are that the actor's prompt names, ``steps`` after they were last looked for.

    In view is what the last look saw, within :data:`NEAR`, in a picture that reaches as far. ``hidden``:
    chance that something hides what the prompt means.
    """
    T_odom_eye = now.T_odom_base @ pose_of(unstack("proprio", now.row["proprio"])["eye"])
    out = []
    for role, memory, known, spread in zip(NAMED, actor.memory, actor.known, actor.spread, strict=True):
        if memory is None or not known:
            continue
        sees = steps == 0 and not memory.off and spread < NEAR and in_picture(T_odom_eye, memory.mean)
        there = memory.still_there(hidden, steps)
        out.append(Belief(role, memory.mean.copy(), memory.std(steps), bool(sees), there))
    return out
