"""One step's senses as tokens, and the tokens as one state.

    eyes     both pictures as one of six channels, conv (stride 2, four times) → two tokens
    proprio  MLP → one token          force  MLP → one token
    touch    asinh of the forces and the pads' validity, MLP → one token a hand
    state    a learned token that attends to them; its output, projected, is z (width,)

Every token is told what it is of, and every state which source it comes from. What is missing is a learned
mask token that nobody attends to.
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn

from neo_world_model.modalities import SOURCES, shapes, size

FURTHEST = 10.0  # times its scale that a number counts at most
TOKENS = {"vision": 2, "proprio": 1, "force": 1, "touch": 2}  # how many each sense makes


def mlp(inputs: int, width: int, outputs: int) -> nn.Sequential:
    """Two layers with a GELU between. Inputs are not normalised: how hard a hand presses is their size."""
    return nn.Sequential(nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, outputs))


def transformer(width: int, layers: int, heads: int) -> nn.TransformerEncoder:
    """Pre-norm layers without dropout."""
    layer = nn.TransformerEncoderLayer(
        width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)


class Eyes(nn.Module):
    """(n, eyes, H, W, 3) of 0..255 → (n, TOKENS, width)."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        c = channels
        (eyes, height, across, rgb), _ = shapes()["vision"]
        self.convs = nn.Sequential(
            nn.Conv2d(eyes * rgb, c, 4, 2, 1), nn.GELU(), nn.Conv2d(c, 2 * c, 4, 2, 1), nn.GELU(),
            nn.Conv2d(2 * c, 4 * c, 4, 2, 1), nn.GELU(), nn.Conv2d(4 * c, 4 * c, 4, 2, 1), nn.GELU(),
        )  # fmt: skip
        self.out = nn.Linear(4 * c * (height // 16) * (across // 16), TOKENS["vision"] * width)

    def forward(self, pictures: Tensor) -> Tensor:
        both = torch.cat(pictures.unbind(1), dim=-1).to(self.out.weight.dtype)  # (n, H, W, 6)
        seen = self.convs(both.div_(255.0).sub_(0.5).movedim(-1, 1))  # channels last: a third faster on a CPU
        return self.out(seen.flatten(1)).unflatten(1, (TOKENS["vision"], -1))


class StepEncoder(nn.Module):
    """Senses of n steps → states (n, width)."""

    def __init__(self, settings: SimpleNamespace):
        super().__init__()
        width = settings.width
        (samples, _, pads, _), _ = shapes()["touch"]
        self.senses = tuple(name for name in TOKENS if name in settings.senses)
        makers: dict[str, nn.Module] = {
            "vision": Eyes(settings.channels, width),
            "proprio": mlp(size("proprio"), 2 * width, width),
            "force": mlp(size("force"), 2 * width, width),
            "touch": mlp(samples * pads * 3 + pads, 2 * width, width),
        }
        self.makers = nn.ModuleDict({name: makers[name] for name in self.senses})
        count = sum(TOKENS[name] for name in self.senses)
        self.kind = nn.Parameter(0.02 * torch.randn(count + 1, width))  # what a token is of; the state's last
        self.mask = nn.Parameter(0.02 * torch.randn(count, width))
        self.source = nn.Embedding(len(SOURCES), width)
        self.mixer = transformer(width, settings.encoder_layers, settings.heads)
        self.project = nn.Linear(width, width)

    def forward(self, batch: dict[str, Tensor], has: dict[str, Tensor]) -> Tensor:
        """(n, width); ``batch`` modality → (n, …), ``has`` modality → (n,) bool, ``source`` (n,) in batch."""
        tokens = torch.cat([self._tokens(name, batch) for name in self.senses], dim=1)
        here = torch.cat([has[name][:, None].expand(-1, TOKENS[name]) for name in self.senses], dim=1)
        tokens = torch.where(here[..., None], tokens, self.mask) + self.kind[:-1]
        state = (self.kind[-1] + self.source(batch["source"]))[:, None]
        seen = torch.cat([here, torch.ones_like(here[:, :1])], dim=1)
        mixed = self.mixer(torch.cat([tokens, state], dim=1), src_key_padding_mask=~seen)
        return self.project(mixed[:, -1])

    def _tokens(self, name: str, batch: dict[str, Tensor]) -> Tensor:
        """(n, TOKENS, width) of one sense; "eyes" in ``batch``: the pictures were looked at before."""
        if name == "vision" and "eyes" in batch:
            return batch["eyes"]
        x, maker = batch[name], self.makers[name]
        if name == "vision":
            return maker(x)
        if name == "touch":
            valid = batch["touch_valid"].to(x.dtype)  # (n, hands, pads)
            felt = torch.asinh(x) * valid[:, None, :, :, None]
            return maker(torch.cat([felt.movedim(1, 2).flatten(2), valid], dim=2))
        return maker(x.clamp(-FURTHEST, FURTHEST))[:, None]
