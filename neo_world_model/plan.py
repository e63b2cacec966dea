"""Acting by imagination: plans are proposed, imagined, bettered until the deadline, and may be vetoed.

1. The prompt's goal is a state, a horizon on.
2. Two proposals: the policy's actions for the prompt, and the inverse dynamics' first action towards the
   goal, held.
3. Cross-entropy method (Rubinstein 1999): the grippers' ways are drawn about the best so far, smooth in time,
   imagined in one pass, and ranked by

       cost = |z_H - goal|² / its size + disagreement of the ensemble + weight * P(an event), above the usual

   until iterations or time are used up. What is found is never worse than the proposals.
4. Of the best plan it is asked what it leads to. An event more likely than ``veto``, and than it is where
   tasks are done well, vetoes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neo_description.tables import SIDES
from neo_world_model.episode import EVENTS
from neo_world_model.modalities import features, part, size
from neo_world_model.runtime import Runtime
from neo_world_model.would import WOULD

AVOIDED = tuple(WOULD)
AVOIDED_AT = [EVENTS.index(name) for name in AVOIDED]


@dataclass(frozen=True)
class Search:
    """``samples`` plans an iteration, ``elite`` of them kept; ``spread`` m of the grippers' targets."""

    samples: int = 128
    elite: int = 12
    iterations: int = 2
    spread: float = 0.01
    doubt: float = 1.0
    event: float = 2.0
    veto: float = 0.5
    deadline: float = 0.1  # s


DEFAULT = Search()


@dataclass
class Known:
    """What a plan starts from: ``past`` (context, state) states, ``led`` (context - 1, action size) between
    them, ``text`` (LENGTH,), ``places`` (2, 3) m, which of them are ``known`` (2,), ``proprio`` (n,), the
    places when the task had ``begun`` (2, 3); None: it begins now.
    """

    past: np.ndarray
    led: np.ndarray
    text: np.ndarray
    places: np.ndarray
    known: np.ndarray
    proprio: np.ndarray
    begun: np.ndarray | None = None


@dataclass
class Plan:
    """``action`` (h, action size); ``states`` (h, state) imagined; ``chances`` (h, events) in each step.

    ``progress`` (h,) as the policy sees it; ``towards`` (action size,): the inverse dynamics' action, should
    the plan come too late. ``vetoed``: the event that forbids it, empty when none does. ``iterations`` that
    there was time for.
    """

    action: np.ndarray
    states: np.ndarray
    progress: np.ndarray
    towards: np.ndarray
    cost: float
    chances: np.ndarray
    vetoed: str = ""
    iterations: int = 0

    @property
    def events(self) -> dict[str, float]:
        """Chance of each event in the plan."""
        return dict(zip(EVENTS, self.chances.max(axis=0).tolist(), strict=True))


def plan(
    runtime: Runtime, given: Known, search: Search = DEFAULT, rng: np.random.Generator | None = None,
    clock: Callable[[], float] = time.monotonic, goal: np.ndarray | None = None,
) -> Plan:  # fmt: skip
    """The best plan found; ``goal`` (state,): a state to reach instead of the prompt's."""
    began = clock()
    rng = rng or np.random.default_rng(0)
    begun = given.places if given.begun is None else given.begun
    places, begun = (x.astype(np.float32) for x in (given.places, begun))
    asked = (given.text, places, given.known, given.proprio, begun)
    action, progress, aim, towards = (
        x[0] for x in runtime.act(given.past[-1][None], *(x[None] for x in asked))
    )
    goal = aim if goal is None else goal
    proposals = np.stack([action, np.broadcast_to(towards, action.shape)])
    costs, states, chances = _imagined(runtime, given, proposals, goal, search)
    best = int(costs.argmin()) if search.iterations else 0
    found = (float(costs[best]), proposals[best], states[best], chances[best])
    widest = _spread(search.spread)
    mean, spread, done = found[1], widest, 0
    for _ in range(search.iterations):
        if clock() - began > search.deadline * (done + 1) / (done + 2) and done:
            break  # another iteration like the last would not be done in time
        plans = mean + spread * _smooth(search.samples, action.shape, rng)
        costs, states, chances = _imagined(runtime, given, plans, goal, search)
        elite = plans[costs.argsort()[: search.elite]]
        mean, spread = elite.mean(axis=0), np.maximum(elite.std(axis=0), 0.1 * widest)
        first = int(costs.argmin())
        if costs[first] < found[0]:
            found = (float(costs[first]), plans[first], states[first], chances[first])
        done += 1
    out = Plan(found[1].astype(np.float32), found[2], progress, towards, found[0], found[3], "", done)
    events = out.events
    over = {name: events[name] - max(search.veto, runtime.usual[EVENTS.index(name)]) for name in AVOIDED}
    worst = max(over, key=lambda name: over[name])
    out.vetoed = worst if over[worst] > 0.0 else ""
    return out


def _imagined(
    runtime: Runtime, given: Known, plans: np.ndarray, goal: np.ndarray, search: Search
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Costs (n,), states (n, h, state) and chances (n, h, events) of ``plans`` (n, h, action size)."""
    n = len(plans)
    past = np.broadcast_to(given.past, (n, *given.past.shape)).astype(np.float32)
    led = np.broadcast_to(given.led, (n, *given.led.shape))
    states, chances, _ = runtime.imagine(past, np.concatenate([led, plans], axis=1).astype(np.float32))
    mean = states.mean(axis=0)
    away = np.square(mean[:, -1] - goal).mean(axis=-1)
    apart = states.var(axis=0).mean(axis=(1, 2))
    unusual = (chances.max(axis=1) - runtime.usual)[:, AVOIDED_AT].max(axis=1)
    return away + search.doubt * apart + search.event * np.maximum(unusual, 0.0), mean, chances


def _spread(metres: float) -> np.ndarray:
    """(action size,) of an action over its scales: only where grippers go is searched."""
    out = np.zeros(size("action"))
    for side in SIDES:
        at = part("action", f"{side}_gripper")
        out[at.start : at.start + 3] = metres / features("action")[f"{side}_gripper"][1]
    return out


def _smooth(samples: int, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """(samples, h, size) standard normal, 0.8 of each step from the one before: hands do not jitter."""
    drawn = rng.standard_normal((samples, *shape))
    for t in range(1, shape[0]):
        drawn[:, t] = 0.8 * drawn[:, t - 1] + 0.6 * drawn[:, t]
    return drawn
