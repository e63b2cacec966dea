"""The whole model: senses → states → imagined states → what they mean.

    model = WorldModel(config.load("laptop"))
    z = model.encode(batch)                            # (n, T, width)
    imagined = model.imagine(z[:, :k], actions)        # (ensemble, n, h, width)
    losses = model(batch)                              # name → scalar, "loss" their weighted sum

A batch holds windows as :class:`neo_world_model.mixture.Mixture` draws them, as tensors.
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn

from neo_world_model.encoder import StepEncoder
from neo_world_model.heads import Consequences, Doubt, Goal, Inverse, Paths, Pixels, Reach, Senses, Text
from neo_world_model.losses import losses
from neo_world_model.policy import Policy
from neo_world_model.predictor import Actions, Predictor
from neo_world_model.where import Where

Batch = dict[str, Tensor]


class WorldModel(nn.Module):
    """``settings``: as :func:`neo_world_model.config.load` gives them."""

    def __init__(self, settings: SimpleNamespace):
        super().__init__()
        self.settings = settings
        width = settings.width
        self.encoder = StepEncoder(settings)
        self.actions = Actions(settings)
        self.predictor = Predictor(settings)
        self.senses = Senses(width, settings.senses)
        self.inverse = Inverse(width, settings.horizon)
        self.reach = Reach(width)
        self.text = Text(width, settings.heads)
        self.where = Where(settings) if "vision" in settings.senses else None
        self.policy = Policy(settings)
        self.goal = Goal(width)
        self.consequences = Consequences(width)
        self.doubt = Doubt(width)
        self.paths = Paths(width)
        self.pixels = Pixels(width, settings.channels) if settings.pixel_weight else None

    @property
    def learning(self) -> set[str]:
        """The parts that are trained."""
        return {
            name for name, part in self.named_children() if any(p.requires_grad for p in part.parameters())
        }

    def encode(self, batch: Batch, withheld: dict[str, Tensor] | None = None) -> Tensor:
        """States (n, T, width) of windows; ``withheld``: sense → (n, T) bool, hidden from the encoder."""
        n, steps = batch["has_proprio"].shape
        names = {*self.encoder.senses, "touch_valid", "proprio", "eyes"} & set(batch)
        flat = {name: batch[name].flatten(0, 1) for name in names}
        flat["source"] = batch["source"][:, None].expand(n, steps).flatten()
        has = {}
        for name in self.encoder.senses:
            here = batch[f"has_{name}"]
            has[name] = (here if withheld is None else here & ~withheld[name]).flatten()
        return self.encoder(flat, has).unflatten(0, (n, steps))

    def imagine(self, past: Tensor, action: Tensor) -> Tensor:
        """(ensemble, n, h, width) from ``past`` states (n, k, width), k up to the context.

        ``action`` (n, k-1+h, action size): between the past states, then the plan.
        """
        return self.unroll(past, self.actions.real(action))

    def unroll(self, past: Tensor, codes: Tensor) -> Tensor:
        """:meth:`imagine` with codes (n, k-1+h, code) of the actions."""
        k = past.shape[1]
        return self.predictor(past, codes[:, : k - 1], codes[:, k - 1 :])

    def forward(self, batch: Batch, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Losses of a batch; ``generator`` (CPU, alike on all ranks) draws what is random."""
        return losses(self, batch, generator)
