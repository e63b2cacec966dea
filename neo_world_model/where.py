"""Where the things are that a prompt names: the pictures are searched for its words.

    cells     features of both pictures at half their size
    answers   the words ask for two things, the target and the place; every cell of each picture answers, and
              the mean of the cells is a pixel (spatial soft-argmax, Levine et al. 2016)
    place     the pixels in both eyes, how sure they are, and how head and body stand → (3,) m in base_link,
              as a Gaussian: what is hidden or out of the picture is told by its width

Whether a prompt names a target and a place at all is told, too.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from neo_world_model.encoder import FURTHEST, mlp
from neo_world_model.modalities import shapes, size

NAMED = ("target", "place")
MIDDLE = (0.45, 0.0, 0.0)  # m in base_link: over the table
SCALE = 0.1  # m
LOG_STD = (-4.0, 1.5)  # of SCALE
SHARP = 4.0  # at first: how much more a cell that fits answers
CLEAR = 3.0  # pixels are what matters to a place: their scale among the inputs


class Found(NamedTuple):
    """``place`` (n, 2, 3) m, ``log_std`` (n, 2, 3) of metres, ``named`` (n, 2) logits that the words name
    such a thing, ``answers`` (n, 2, eyes, cells) logits.
    """

    place: Tensor
    log_std: Tensor
    named: Tensor
    answers: Tensor


def cell_of(pixels: Tensor) -> Tensor:
    """The cell (…) of pixels (…, 2), column and row in -1 to 1."""
    (_, height, across, _), _ = shapes()["vision"]
    column, row = ((pixels[..., i] + 1) / 2 * n // 2 for i, n in enumerate((across, height)))
    column, row = column.clamp(0, across // 2 - 1), row.clamp(0, height // 2 - 1)
    return (row * (across // 2) + column).long()


class Where(nn.Module):
    """``forward(vision, proprio, words)`` → :class:`Found`."""

    column: Tensor
    row: Tensor

    def __init__(self, settings: SimpleNamespace):
        super().__init__()
        c, width = 3 * settings.channels // 4, settings.width
        (eyes, height, across, _), _ = shapes()["vision"]
        self.convs = nn.Sequential(
            nn.Conv2d(3, c, 4, 2, 1), nn.GELU(), nn.Conv2d(c, 2 * c, 3, 1, 1), nn.GELU(),
            nn.Conv2d(2 * c, 2 * c, 3, 1, 1),
        )  # fmt: skip
        self.asks = nn.Linear(width, len(NAMED) * 2 * c)
        self.sharp = nn.Parameter(torch.tensor(SHARP))
        self.names = mlp(width, width, len(NAMED))
        self.stance = mlp(size("proprio"), width, width)
        self.kind = nn.Linear(width, len(NAMED) * width)  # a bottle's middle is higher than a ball's
        self.out = nn.Sequential(
            nn.Linear(3 * eyes + 2 * width, 2 * width), nn.GELU(), mlp(2 * width, width, 6)
        )
        v, u = torch.meshgrid(
            (torch.arange(height // 2) + 0.5) / (height // 4) - 1,
            (torch.arange(across // 2) + 0.5) / (across // 4) - 1,
            indexing="ij",
        )
        self.register_buffer("column", u.flatten(), persistent=False)
        self.register_buffer("row", v.flatten(), persistent=False)

    def forward(self, vision: Tensor, proprio: Tensor, words: Tensor) -> Found:
        n, eyes = vision.shape[:2]
        image = vision.flatten(0, 1).movedim(-1, 1).to(proprio.dtype) / 127.5 - 1.0
        cells = self.convs(image).flatten(2).movedim(1, 2)
        cells = layer_norm(cells, cells.shape[-1:]).unflatten(0, (n, eyes))  # (n, eyes, cells, 2c)
        asks = self.asks(words).unflatten(1, (len(NAMED), -1))
        asks = layer_norm(asks, asks.shape[-1:]) * self.sharp / math.sqrt(asks.shape[-1])
        answers = torch.einsum("nqc,nexc->nqex", asks, cells)
        share = torch.softmax(answers, dim=-1)
        pixels = [CLEAR * (share * at).sum(-1) for at in (self.column, self.row)]
        seen = torch.stack([*pixels, share.amax(dim=-1)], dim=-1).flatten(2)
        stance = self.stance(proprio.clamp(-FURTHEST, FURTHEST))[:, None].expand(-1, len(NAMED), -1)
        kind = self.kind(words).unflatten(1, (len(NAMED), -1))
        place, log_std = self.out(torch.cat([seen, stance, kind], dim=-1)).chunk(2, dim=-1)
        place = place.new_tensor(MIDDLE) + SCALE * place
        return Found(place, log_std.clamp(*LOG_STD) + math.log(SCALE), self.names(words), answers)
