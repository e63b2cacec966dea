"""Ours: what the humanoid's world model is made of, with one eye and a disc's actions.

    eye        patches, then convs → a state z (n, width); one picture makes one state
    actions    SKIP moves of the disc as one code
    predictor  :class:`neo_world_model.predictor.Predictor`: from one state and a plan to all that follow
    inverse    the mean action between two states, one step apart
    coarse     the picture, COARSE px wide, that a state is of

Losses on windows of HORIZON + 1 steps; every step but the last is the start of a prediction:

    predict    mean over starts and how far ahead of (imagined - seen)²: both sides learn
    sigreg     states look Gaussian, so they cannot collapse
    inverse    (mean action found from neighbouring states - that taken)²: a state tells where the disc is
    picture    (coarse - the picture in its plain colours)²: a state tells where the T is, whatever its colour
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pixel_unshuffle

from neo_bringup.pusht.data import HORIZON, SKIP
from neo_world_model.encoder import mlp
from neo_world_model.predictor import Predictor
from neo_world_model.sigreg import sigreg

SIZE = 64  # px of a picture
PATCH = 4  # px that the eye takes together
COARSE = 16  # px of a coarse picture
LIGHT = 0.1  # of 0..1, that is one in a coarse picture
SPREAD = 0.25  # of the mean of a step's actions
ACTION = 2 * SKIP  # numbers of one step's actions
DEFAULT = SimpleNamespace(
    width=128, channels=24, predictor_layers=2, heads=4, action_code=32, ensemble=1, context=1,
    horizon=HORIZON, senses=("vision",),
    directions=256, sigreg_weight=0.02, inverse_weight=1.0, picture_weight=0.3,
    learning_rate=1e-3, batch=64, recolour=0.3,
)  # fmt: skip


class Eye(nn.Module):
    """(n, SIZE, SIZE, 3) of 0..255 → (n, width)."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        c, side = channels, SIZE // PATCH
        self.convs = nn.Sequential(
            nn.Conv2d(3 * PATCH**2, c, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(c, 2 * c, 4, 2, 1), nn.ReLU(), nn.Conv2d(2 * c, 4 * c, 4, 2, 1), nn.ReLU(),
        )  # fmt: skip
        self.out = nn.Sequential(
            mlp(4 * c * (side // 4) ** 2, 2 * width, width),
            nn.BatchNorm1d(width, affine=False),  # else pictures that are nearly alike begin as one state
        )

    def forward(self, pictures: Tensor) -> Tensor:
        patches = pixel_unshuffle(channels_first(pictures), PATCH)
        return self.out(self.convs(patches.contiguous(memory_format=torch.channels_last)).flatten(1))


def channels_first(pictures: Tensor) -> Tensor:
    """(n, 3, SIZE, SIZE) about zero."""
    return (pictures.to(torch.float32) / 255.0 - 0.5).movedim(-1, 1)


def _moves(actions: Tensor) -> Tensor:
    """(…, 2): the mean of a step's actions over its spread. Two pictures do not tell their order."""
    return actions.unflatten(-1, (SKIP, 2)).mean(dim=-2) / SPREAD


class Ours(nn.Module):
    """``settings``: as :data:`DEFAULT`."""

    def __init__(self, settings: SimpleNamespace = DEFAULT):
        super().__init__()
        self.settings = settings
        width, code = settings.width, settings.action_code
        self.eye = Eye(settings.channels, width)
        self.actions = nn.Sequential(mlp(ACTION, width, code), nn.LayerNorm(code))
        self.predictor = Predictor(settings)
        self.inverse = mlp(2 * width, 2 * width, 2)
        self.coarse = mlp(width, 2 * width, 3 * COARSE**2)

    def encode(self, pictures: Tensor) -> Tensor:
        """States (n, width) of pictures (n, SIZE, SIZE, 3)."""
        return self.eye(pictures)

    def imagine(self, z: Tensor, plan: Tensor) -> Tensor:
        """States (n, h, width) that follow ``z`` (n, width) under ``plan`` (n, h ≤ HORIZON, ACTION)."""
        nothing_led = z.new_zeros(len(z), 0, self.settings.action_code)
        return self.predictor(z[:, None], nothing_led, self.actions(plan))[0]

    def forward(self, pictures: Tensor, actions: Tensor, plain: Tensor | None = None) -> dict[str, Tensor]:
        """Losses of windows (n, T, SIZE, SIZE, 3) and the actions between (n, T-1, ACTION).

        ``plain``: the windows in their own colours where ``pictures`` have others.
        """
        s, (n, length) = self.settings, pictures.shape[:2]
        z = self.encode(pictures.flatten(0, 1)).unflatten(0, (n, length))
        found = self.inverse(torch.cat([z[:, :-1], z[:, 1:]], dim=-1))
        out = {
            "predict": self._predict(z, actions),
            "sigreg": sigreg(z.transpose(0, 1), s.directions),
            "inverse": (found - _moves(actions)).square().mean(),
            "picture": self._picture(z, pictures if plain is None else plain),
        }
        out["loss"] = (
            out["predict"] + s.sigreg_weight * out["sigreg"] + s.inverse_weight * out["inverse"]
            + s.picture_weight * out["picture"]
        )  # fmt: skip
        return out

    def _picture(self, z: Tensor, pictures: Tensor) -> Tensor:
        """How far the coarse picture is from the one that was seen; white is 0, for most of it is white."""
        seen = avg_pool2d(channels_first(pictures.flatten(0, 1)) - 0.5, SIZE // COARSE).flatten(1)
        return (self.coarse(z.flatten(0, 1)) - seen / LIGHT).square().mean()

    def _predict(self, z: Tensor, actions: Tensor) -> Tensor:
        """All starts at once: what lies past the window's end is imagined, too, and not counted."""
        n, length, _ = z.shape
        ahead = torch.arange(length - 1)[:, None] + torch.arange(length - 1)  # (start, how far)
        inside = ahead < length - 1
        ahead = ahead.clamp(max=length - 2)
        plans, then = actions[:, ahead], z[:, 1:][:, ahead]  # (n, start, how far, …)
        imagined = self.imagine(z[:, :-1].flatten(0, 1), plans.flatten(0, 1)).unflatten(0, (n, length - 1))
        error = (imagined - then).square().mean(dim=-1)
        return error[:, inside].mean()
