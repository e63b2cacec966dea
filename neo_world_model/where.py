"""Where the things are that a prompt names: the pictures are searched for its words.

    cells     features of both pictures at half their size
    answers   the words ask for two things, the target and the place; every cell of each picture answers, and
              the mean of the cells is a pixel (spatial soft-argmax, Levine et al. 2016)
    place     the rays of the pixels in both eyes and how sure they are → (3,) m in base_link, as a Gaussian:
              what is hidden or out of the picture is told by its width

Whether a prompt names a target and a place at all is told, too.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from neo_description.skeleton import EYES
from neo_world_model.encoder import mlp
from neo_world_model.modalities import features, part, shapes, view
from neo_world_model.prompts import NAMED

MIDDLE = (0.45, 0.0, 0.02)  # m in base_link: over the table
SCALE = 0.1  # m
LOG_STD = (-3.0, 1.5)  # of SCALE
KIND = 16  # numbers of the words that say how a thing is made
SHARP = 4.0  # at first: how much more a cell that fits answers
DOWN = 0.15  # a ray that sinks less per metre counts as one that sinks so much
BASELINE = 2 * EYES[1]  # m


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
        self.sharp = nn.Parameter(torch.tensor([SHARP]))
        self.names = mlp(width, width, len(NAMED))
        self.kind = nn.Linear(width, len(NAMED) * KIND)  # a bottle's middle is higher than a ball's
        self.out = nn.Sequential(
            nn.Linear(5 * eyes + 9 + KIND, 2 * width), nn.GELU(), mlp(2 * width, width, 6)
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
        column, row = ((share * at).sum(-1) for at in (self.column, self.row))  # (n, q, eyes)
        eye = proprio[:, part("proprio", "eye")] * features("proprio")["eye"][1]
        hit = self._hit(eye, column, row)
        near = (hit - hit.new_tensor(MIDDLE[:2])) / SCALE
        seen = torch.cat([near, torch.stack([column, row, share.amax(dim=-1)], dim=-1)], dim=-1).flatten(2)
        kind = self.kind(words).unflatten(1, (len(NAMED), -1))
        stance = eye[:, None].expand(-1, len(NAMED), -1)
        off, log_std = self.out(torch.cat([seen, stance, kind], dim=-1)).chunk(2, dim=-1)
        flat = torch.cat([hit.mean(dim=2), torch.full_like(hit[:, :, 0, :1], MIDDLE[2])], dim=-1)
        place = flat + SCALE * off
        return Found(place, log_std.clamp(*LOG_STD) + math.log(SCALE), self.names(words), answers)

    def _hit(self, eye: Tensor, column: Tensor, row: Tensor) -> Tensor:
        """(n, q, eyes, 2): m in base_link where the pixels' rays hit the plane that things stand about.

        ``eye`` (n, 9): pose of the left camera there, as ``pose9`` gives it; the right one is beside it.
        """
        right, down = eye[:, None, None, 3:6], eye[:, None, None, 6:9]
        ahead = torch.linalg.cross(right, down)
        wide, high = view()
        x, y = column[..., None] * wide, row[..., None] * high
        ray = ahead + x * right + y * down  # (n, q, eyes, 3)
        beside = torch.arange(column.shape[-1], device=column.device)[:, None] * BASELINE
        start = eye[:, None, None, :3] + beside * right  # (n, 1, eyes, 3)
        return start[..., :2] + (start[..., 2:] - MIDDLE[2]) * ray[..., :2] / (-ray[..., 2:]).clamp(min=DOWN)
