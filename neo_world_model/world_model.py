"""The whole model: senses → states → imagined states → what they mean.

    model = WorldModel(config.load("laptop"))
    z = model.encode(batch)                            # (n, T, state): `width` learned numbers, then its own
    imagined = model.imagine(z[:, :k], actions)        # (ensemble, n, h, state)
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
from neo_world_model.modalities import state_size
from neo_world_model.own import Own
from neo_world_model.policy import Policy
from neo_world_model.predictor import Actions, Predictor
from neo_world_model.where import Where

Batch = dict[str, Tensor]


class WorldModel(nn.Module):
    """``settings``: as :func:`neo_world_model.config.load` gives them."""

    def __init__(self, settings: SimpleNamespace):
        super().__init__()
        self.settings = settings
        width, state = settings.width, state_size(settings)
        self.encoder = StepEncoder(settings)
        self.own = Own(width, settings.senses)
        self.actions = Actions(settings)
        self.predictor = Predictor(settings)
        self.senses = Senses(state, width, settings.senses)
        self.inverse = Inverse(state, width, settings.horizon)
        self.reach = Reach(state, width)
        self.text = Text(width, settings.heads)
        self.where = Where(settings) if "vision" in settings.senses else None
        self.policy = Policy(settings)
        self.goal = Goal(state, width)
        self.consequences = Consequences(state, width)
        self.doubt = Doubt(state, width)
        self.paths = Paths(state, width)
        self.pixels = Pixels(state, settings.channels) if settings.pixel_weight else None

    @property
    def learning(self) -> set[str]:
        """The parts that are trained."""
        return {
            name for name, part in self.named_children() if any(p.requires_grad for p in part.parameters())
        }

    def encode(self, batch: Batch, withheld: dict[str, Tensor] | None = None) -> Tensor:
        """States (n, T, state) of windows; ``withheld``: sense → (n, T) bool, hidden from the encoder."""
        n, steps = batch["has_proprio"].shape
        names = {*self.encoder.senses, "touch_valid", "proprio", "eyes"} & set(batch)
        flat = {name: batch[name].flatten(0, 1) for name in names}
        flat["source"] = batch["source"][:, None].expand(n, steps).flatten()
        has = {}
        for name in self.encoder.senses:
            here = batch[f"has_{name}"]
            has[name] = (here if withheld is None else here & ~withheld[name]).flatten()
        return self.state(flat, has).unflatten(0, (n, steps))

    def state(self, senses: Batch, has: dict[str, Tensor]) -> Tensor:
        """States (n, state) of n steps, as :class:`StepEncoder` takes them."""
        z = self.encoder(senses, has)
        return self.own(z, senses["proprio"], has["proprio"]) if "proprio" in has else z

    def imagine(self, past: Tensor, action: Tensor) -> Tensor:
        """(ensemble, n, h, state) from ``past`` states (n, k, state), k up to the context.

        ``action`` (n, k-1+h, action size): between the past states, then the plan.
        """
        k = past.shape[1]
        return self._unroll(past, self.actions.real(action), self.own.asked(past[:, -1], action[:, k - 1 :]))

    def foretell(self, z: Tensor, codes: Tensor, batch: Batch) -> Tensor:
        """(ensemble, n, horizon, state) that follow the context of the windows in ``batch``, of which ``z``
        (n, T, state) are the states, and ``codes`` (n, T-1, code) what led from one to the next.
        """
        k = self.settings.context
        action, has = (batch[name][:, k - 1 : -1] for name in ("action", "has_action"))
        return self._unroll(z[:, :k], codes, self.own.asked(z[:, k - 1], action) * has[..., None])

    def _unroll(self, past: Tensor, codes: Tensor, asked: Tensor) -> Tensor:
        k = past.shape[1]
        return self.predictor(past, codes[:, : k - 1], codes[:, k - 1 :], asked)

    def forward(self, batch: Batch, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Losses of a batch; ``generator`` (CPU, alike on all ranks) draws what is random."""
        return losses(self, batch, generator)
