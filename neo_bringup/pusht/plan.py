"""Cross-entropy search (Rubinstein 1999) for actions that lead to a state, in any model's imagination.

    cost = |imagined last state - goal|² / width

The same search, with the same numbers, plans for ours and for the peer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Model(Protocol):
    """What can be planned with; shapes as in :class:`neo_bringup.pusht.model.Ours`."""

    def encode(self, pictures: Tensor) -> Tensor: ...

    def imagine(self, z: Tensor, plan: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Search:
    """``samples`` plans an iteration, ``elite`` of them kept; ``spread`` of an action, first and least."""

    samples: int = 128
    elite: int = 16
    iterations: int = 8
    spread: float = 0.5
    least: float = 0.05


@torch.no_grad()
def plan(
    model: Model, z: Tensor, goal: Tensor, first: Tensor, search: Search, generator: torch.Generator
) -> Tensor:
    """The best plans found (n, h, size), of actions within ±1.

    ``z``, ``goal`` (n, width); ``first`` (n, h, size): where the search begins.
    """
    n, (h, size) = len(z), first.shape[1:]
    rows = torch.arange(n)[:, None]
    mean, spread = first, torch.full_like(first, search.spread)
    best, least = first, torch.full((n,), float("inf"))
    many = z.repeat_interleave(search.samples, dim=0)
    for _ in range(search.iterations):
        drawn = torch.randn(n, search.samples, h, size, generator=generator)
        plans = (mean[:, None] + spread[:, None] * drawn).clamp(-1.0, 1.0)
        plans[:, 0] = mean
        last = model.imagine(many, plans.flatten(0, 1))[:, -1].unflatten(0, (n, search.samples))
        cost = (last - goal[:, None]).square().mean(dim=-1)
        order = cost.argsort(dim=1)[:, : search.elite]
        elite = plans[rows, order]
        mean, spread = elite.mean(dim=1), elite.std(dim=1).clamp(min=search.least)
        found = cost.gather(1, order[:, :1])[:, 0]
        better = found < least
        best = torch.where(better[:, None, None], elite[:, 0], best)
        least = torch.where(better, found, least)
    return best
