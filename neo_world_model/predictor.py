"""Imagination: from a few past states and a plan of actions to all the states that follow, in one pass.

    tokens   z_0 … z_{K-1} (each with the action that led to it), u_{K-1} … u_{K+H-2} (each with how far off
             the grippers now are from where it asks them to be)
    output   at u_{K-1+h}: z_{K+h}, h = 0 … H-1; attention looks back only, so each prediction knows the
             actions up to its own step and no later ones

So a plan of any length up to H is imagined by its prefix. States are predicted as what changes from the last
one seen, by an ensemble of output layers whose disagreement says what the data did not. The further ahead,
the more has changed: every step has a gain, h / H at first, so that the errors of far steps do not drown what
little the next one changes.
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn

from neo_world_model.encoder import mlp, transformer
from neo_world_model.modalities import size, state_size
from neo_world_model.own import ASKED


class Actions(nn.Module):
    """Actions as codes u (…, action_code): of real ones, and of what lies between two states of a video."""

    def __init__(self, settings: SimpleNamespace):
        super().__init__()
        width, code = settings.width, settings.action_code
        state = state_size(settings)
        self.real = nn.Sequential(mlp(size("action"), width, code), nn.LayerNorm(code))
        self.latent = nn.Sequential(mlp(2 * state, width, code), nn.LayerNorm(code))

    def between(self, z: Tensor, z_next: Tensor) -> Tensor:
        """The latent action that leads from one state to the next."""
        return self.latent(torch.cat([z, z_next], dim=-1))

    def codes(self, action: Tensor, has: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Codes of a window, each (n, T-1, code): what led from step to step (the real action where there is
        one, else the latent one), the real ones, the latent ones.
        """
        real, latent = self.real(action[:, :-1]), self.between(z[:, :-1], z[:, 1:])
        return torch.where(has[:, :-1, None], real, latent), real, latent


class Predictor(nn.Module):
    """``forward(past, led, plan, asked)`` → (ensemble, n, H, state)."""

    mask: Tensor

    def __init__(self, settings: SimpleNamespace):
        super().__init__()
        width, length = settings.width, settings.context + settings.horizon
        self.context, self.ensemble = settings.context, settings.ensemble
        state = state_size(settings)
        self.state = nn.Linear(state, width)
        self.action = nn.Linear(settings.action_code, width)
        self.asked = nn.Linear(ASKED, width, bias=False) if "proprio" in settings.senses else None
        if self.asked is not None:
            nn.init.zeros_(self.asked.weight)  # what is asked for means nothing yet
        self.place = nn.Parameter(0.02 * torch.randn(length, width))
        self.layers = transformer(width, settings.predictor_layers, settings.heads)
        self.change = nn.Linear(width, settings.ensemble * state)
        nn.init.normal_(self.change.weight, std=0.002)  # at first nothing changes
        nn.init.zeros_(self.change.bias)
        self.gain = nn.Parameter(torch.arange(1.0, settings.horizon + 1) / settings.horizon)
        mask = torch.full((length, length), float("-inf")).triu(1)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, past: Tensor, led: Tensor, plan: Tensor, asked: Tensor | None = None) -> Tensor:
        """``past`` (n, k ≤ context, state); ``led`` (n, k-1, code) between them; ``plan`` (n, h, code) and
        ``asked`` (n, h, ASKED), see :meth:`neo_world_model.own.Own.asked`; it counts where there is
        proprioception.
        """
        _n, k, numbers = past.shape
        states = self.state(past)
        states = torch.cat([states[:, :1], states[:, 1:] + self.action(led)], dim=1)
        asks = self.action(plan)
        if self.asked is not None and asked is not None:
            asks = asks + self.asked(asked)
        tokens = torch.cat([states, asks], dim=1)
        first = self.context - k  # the last state always stands at the same place
        tokens = tokens + self.place[first : first + tokens.shape[1]]
        length = tokens.shape[1]
        out = self.layers(tokens, mask=self.mask[:length, :length].to(tokens.dtype), is_causal=True)
        change = self.change(out[:, k:]).unflatten(2, (self.ensemble, numbers)).movedim(2, 0)
        return past[:, -1:] + self.gain[: change.shape[2], None] * change
