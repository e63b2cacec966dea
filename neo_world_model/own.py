"""What a robot knows of itself: the part of a state that is not learned.

    state = own(z, proprio, has)      # z (n, width), what was learned, then how joints, hands and eyes stand

A robot senses where its hands are; learned states lost it (docs/explanation/world-model.md). So a state
carries it as it is, as in DINO-WM (Zhou et al. 2024), and the imagination foretells it like the rest. Where
proprioception is missing it is guessed from what was learned.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from neo_description.tables import SIDES
from neo_world_model.encoder import FURTHEST, mlp
from neo_world_model.modalities import own, part, size

POSE = 9  # numbers of a gripper's pose, in proprioception and in an action alike
ASKED = POSE * len(SIDES)


class Own(nn.Module):
    """``width``: of what is learned; ``senses``: without proprioception nothing is carried."""

    at: Tensor
    grippers: Tensor

    def __init__(self, width: int, senses: Collection[str]):
        super().__init__()
        self.width, carried = width, own() if "proprio" in senses else ()
        numbers = range(size("proprio"))
        poses = [i for side in SIDES for i in numbers[part("proprio", f"{side}_gripper")]]
        grippers = [width + carried.index(i) for i in poses] if carried else []
        self.register_buffer("at", torch.tensor(carried, dtype=torch.int64), persistent=False)
        self.register_buffer("grippers", torch.tensor(grippers, dtype=torch.int64), persistent=False)
        self.guess = mlp(width, 2 * width, len(carried)) if carried else None

    def forward(self, z: Tensor, proprio: Tensor, has: Tensor) -> Tensor:
        """(…, state) of ``z`` (…, width), ``proprio`` (…, n) and whether it is sensed, ``has`` (…)."""
        if self.guess is None:
            return z
        guessed = self.guess(z).detach()  # it learns by :meth:`missed` alone
        return torch.cat([z, torch.where(has[..., None], self._sensed(proprio), guessed)], dim=-1)

    def missed(self, state: Tensor, proprio: Tensor) -> Tensor:
        """(…): mean absolute error of the guess from the learned part of ``state`` (…, state)."""
        if self.guess is None:
            return state.new_zeros(state.shape[:-1])
        return (self.guess(state[..., : self.width]) - self._sensed(proprio)).abs().mean(dim=-1)

    def asked(self, state: Tensor, action: Tensor) -> Tensor:
        """(n, h, ASKED) over its scale: how far the grippers of ``state`` (n, state) are from where each step
        of ``action`` (n, h, action size) asks them to be; 0 where they are free.

        It is told to the imagination, which took thousands of steps to find a difference of its inputs.
        """
        if self.guess is None:
            return action.new_zeros((*action.shape[:-1], ASKED))
        targets = torch.cat([action[..., part("action", f"{side}_gripper")] for side in SIDES], dim=-1)
        moves = torch.cat([action[..., part("action", f"{side}_moves")] for side in SIDES], dim=-1)
        busy = (moves > 0.5).repeat_interleave(POSE, dim=-1)
        return (targets - state[:, None, self.grippers]) * busy

    def _sensed(self, proprio: Tensor) -> Tensor:
        return proprio[..., self.at].clamp(-FURTHEST, FURTHEST)
