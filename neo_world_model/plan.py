"""Acting by imagination: plans are proposed, imagined, bettered until the deadline, and may be vetoed.

1. The prompt's goal is a state: the goal head's, or one that is given.
2. Two proposals: the policy's actions for the prompt, and the inverse dynamics' first action towards the
   goal, held.
3. Cross-entropy method (Rubinstein 1999): plans are drawn about the best so far, smooth in time, imagined in
   one pass, and ranked by

       cost = |z_H - goal|² / width + disagreement of the ensemble + weight * P(an event)

   until iterations or time are used up. What is found is never worse than the proposals.
4. Of the best plan it is asked what it leads to. An event more likely than its bound vetoes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from neo_world_model.episode import EVENTS
from neo_world_model.world_model import WorldModel

AVOIDED = ("falls", "slips", "collides")  # of EVENTS; hidden things are no harm
AVOIDED_AT = [EVENTS.index(name) for name in AVOIDED]


@dataclass(frozen=True)
class Search:
    """``samples`` plans an iteration, ``elite`` of them kept; ``spread`` of actions over their scales."""

    samples: int = 256
    elite: int = 24
    iterations: int = 4
    spread: float = 0.15
    doubt: float = 1.0
    event: float = 2.0
    veto: float = 0.5
    deadline: float = 0.1  # s


@dataclass
class Plan:
    """``action`` (h, action size); ``states`` (h, width) imagined; ``events``: chance of each in the plan.

    ``vetoed``: the event that forbids it, empty when none does. ``iterations`` that there was time for.
    """

    action: Tensor
    states: Tensor
    goal: Tensor
    cost: float
    events: dict[str, float] = field(default_factory=dict)
    vetoed: str = ""
    iterations: int = 0


@torch.no_grad()
def plan(
    model: WorldModel, past: Tensor, led: Tensor, text: Tensor, goal: Tensor | None = None,
    search: Search = Search(), generator: torch.Generator | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Plan:  # fmt: skip
    """The best plan found from ``past`` (k, width) states.

    ``led`` (k-1, action size): the actions between them; ``text`` (LENGTH,): the prompt's bytes; ``goal``
    (width,): a state to reach instead of the prompt's.
    """
    began = clock()
    now, horizon = past[-1], model.settings.horizon
    words = model.text(text[None])
    if goal is None:
        goal = model.goal(now[None], words)[0]
    towards = model.inverse(now[None], goal[None], torch.tensor([horizon], device=now.device))[0]
    proposals = torch.stack([model.policy(now[None], words)[0], towards.expand(horizon, -1)])
    costs = _costs(model, past, led, proposals, goal, search)
    best, least = proposals[costs.argmin()], float(costs.min())
    mean, spread, done = best, torch.full_like(best, search.spread), 0
    for _ in range(search.iterations):
        if clock() - began > search.deadline * (done + 1) / (done + 2) and done:
            break  # another iteration like the last would not be done in time
        plans = mean + spread * _smooth(search.samples, best, generator)
        costs = _costs(model, past, led, plans, goal, search)
        elite = plans[costs.argsort()[: search.elite]]
        mean, spread = elite.mean(dim=0), elite.std(dim=0).clamp(min=0.1 * search.spread)
        if float(costs.min()) < least:
            best, least = plans[costs.argmin()], float(costs.min())
        done += 1
    states = _imagine(model, past, led, best[None]).mean(dim=0)[0]
    events = _events(model, now, states)
    worst = max(AVOIDED, key=lambda name: events[name])
    vetoed = worst if events[worst] > search.veto else ""
    return Plan(best, states, goal, least, events, vetoed, done)


def _imagine(model: WorldModel, past: Tensor, led: Tensor, plans: Tensor) -> Tensor:
    """(ensemble, n, h, width)."""
    n = len(plans)
    actions = torch.cat([led.expand(n, -1, -1), plans], dim=1)
    return model.imagine(past.expand(n, -1, -1), actions)


def _costs(
    model: WorldModel, past: Tensor, led: Tensor, plans: Tensor, goal: Tensor, search: Search
) -> Tensor:
    """(n,) of ``plans`` (n, h, action size)."""
    imagined = _imagine(model, past, led, plans)
    mean = imagined.mean(dim=0)
    away = (mean[:, -1] - goal).square().mean(dim=-1)
    apart = imagined.var(dim=0, correction=0).mean(dim=(1, 2))
    chance = _chances(model, past[-1], mean)[..., AVOIDED_AT].amax(dim=(1, 2))
    return away + search.doubt * apart + search.event * chance


def _chances(model: WorldModel, now: Tensor, then: Tensor) -> Tensor:
    """(…, events) probability of each event at each imagined step."""
    return torch.sigmoid(model.consequences(now, then))


def _events(model: WorldModel, now: Tensor, states: Tensor) -> dict[str, float]:
    chance = _chances(model, now, states).amax(dim=0)
    return {name: float(chance[i]) for i, name in enumerate(EVENTS)}


def _smooth(samples: int, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """(samples, h, size) standard normal, 0.8 of each step from the one before: hands do not jitter."""
    drawn = torch.randn(samples, *like.shape, generator=generator).to(like.device)
    for t in range(1, drawn.shape[1]):
        drawn[:, t] = 0.8 * drawn[:, t - 1] + 0.6 * drawn[:, t]
    return drawn
