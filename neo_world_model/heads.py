"""What is read off a state: senses, actions, distance, consequences, doubt.

Each head is a small MLP and takes a state of the encoder or of the imagination alike.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neo_world_model.encoder import mlp, transformer
from neo_world_model.episode import EVENTS
from neo_world_model.modalities import own, shapes, size
from neo_world_model.text import CODES, LENGTH, PAD
from neo_world_model.where import MIDDLE, SCALE

DISTANCES = (1, 2, 4, 8, 16)  # steps: upper ends of the classes of reachability; beyond: out of reach
LOG_STD = (-4.0, 3.0)
STEP = 0.03  # m that a thing which moves goes in a step
BYTES = 4  # of a prompt that make a token


class Senses(nn.Module):
    """Proprioception, force and touch as Gaussians: (mean, log std), each (…, size).

    What of proprioception a state carries is its mean but for what the head adds.
    """

    at: Tensor

    def __init__(self, state: int, width: int, senses: list[str]):
        super().__init__()
        self.register_buffer("at", torch.tensor(own()), persistent=False)
        (_, hands, pads, axes), _ = shapes()["touch"]
        sizes = {"proprio": size("proprio"), "force": size("force"), "touch": hands * pads * axes}
        self.out = nn.ModuleDict(
            {name: mlp(state, 2 * width, 2 * n) for name, n in sizes.items() if name in senses}
        )

    def forward(self, z: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        out = {}
        for name, head in self.out.items():
            mean, log_std = head(z).chunk(2, dim=-1)
            if name == "proprio":
                mean = mean.index_add(-1, self.at, z[..., -len(self.at) :])
            out[name] = mean, log_std.clamp(*LOG_STD)
        return out

    @staticmethod
    def targets(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """What the Gaussians are of: scaled senses; touch as asinh of its mean over the step."""
        touch = torch.asinh(batch["touch"].mean(dim=-4)).flatten(-3)
        return {"proprio": batch["proprio"], "force": batch["force"], "touch": touch}


def gaussian_nll(mean: Tensor, log_std: Tensor, target: Tensor) -> Tensor:
    """(…): mean over the last axis, without the constant."""
    return (0.5 * ((target - mean) * torch.exp(-log_std)).square() + log_std).mean(dim=-1)


class Inverse(nn.Module):
    """The action to take now so that ``k`` steps later the state is ``goal``: (…, action size)."""

    def __init__(self, state: int, width: int, horizon: int):
        super().__init__()
        self.when = nn.Embedding(horizon + 1, width)
        self.out = mlp(2 * state + width, 2 * width, size("action"))

    def forward(self, z: Tensor, goal: Tensor, k: Tensor) -> Tensor:
        return self.out(torch.cat([z, goal, self.when(k)], dim=-1))


class Reach(nn.Module):
    """Logits (…, classes) of how many steps lie between two states; the last: out of reach."""

    def __init__(self, state: int, width: int):
        super().__init__()
        self.out = mlp(2 * state, width, len(DISTANCES) + 1)

    def forward(self, z: Tensor, goal: Tensor) -> Tensor:
        return self.out(torch.cat([z, goal], dim=-1))

    @staticmethod
    def classes(steps: Tensor) -> Tensor:
        """The class of a distance in steps."""
        return torch.bucketize(steps, torch.tensor(DISTANCES, device=steps.device))


class Text(nn.Module):
    """Prompts (n, LENGTH) of bytes → (n, width); from scratch. A few bytes at a time are a token."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.code = nn.Embedding(CODES, width, padding_idx=PAD)
        self.near = nn.Conv1d(width, width, 8, stride=BYTES, padding=2)
        self.place = nn.Parameter(0.02 * torch.randn(LENGTH // BYTES, width))
        self.layers = transformer(width, 2, heads)

    def forward(self, text: Tensor) -> Tensor:
        said = (text != PAD).unflatten(1, (-1, BYTES)).any(dim=-1)
        # an empty prompt is one pad, so that attention has something to look at
        seen = said | (torch.arange(said.shape[1], device=text.device) == 0)
        near = self.near(self.code(text).movedim(1, 2)).movedim(1, 2)
        out = self.layers(near + self.place, src_key_padding_mask=~seen)
        return (out * seen[..., None]).sum(dim=1) / seen.sum(dim=1, keepdim=True)


class Goal(nn.Module):
    """Where a prompt leads: the state ``horizon`` steps on, as a teacher would get there. (n, state).

    ``places`` (n, 2, 3) m and ``known`` (n, 2): of the prompt's target and place, as the policy takes them.
    """

    def __init__(self, state: int, width: int):
        super().__init__()
        self.out = mlp(state + width + 8, 2 * width, state)

    def forward(self, z: Tensor, words: Tensor, places: Tensor, known: Tensor) -> Tensor:
        here = known.to(z.dtype)
        near = (places - places.new_tensor(MIDDLE)) / SCALE * here[..., None]
        return z + self.out(torch.cat([z, words, near.flatten(1), here], dim=-1))


class Consequences(nn.Module):
    """Logits (…, events) that an imagined state falls, slips, collides, hides; see :data:`EVENTS`."""

    def __init__(self, state: int, width: int):
        super().__init__()
        self.out = mlp(2 * state, width, len(EVENTS))

    def forward(self, now: Tensor, then: Tensor) -> Tensor:
        return self.out(torch.cat([now.expand_as(then), then], dim=-1))


class Paths(nn.Module):
    """Where the things that a prompt names are in imagined states: (n, h, 2, 3) m in base_link.

    ``now`` (n, 1, state), ``then`` (n, h, state), ``words`` (n, width), ``places`` (n, 2, 3) m now, and
    ``moved`` (n, 2, 3) m, how far they came in the last step. Said as a share of going on like that, and what
    is beside it.
    """

    def __init__(self, state: int, width: int):
        super().__init__()
        self.mix = nn.Sequential(nn.Linear(2 * state + width + 13, 2 * width), nn.GELU())
        self.out = nn.Linear(2 * width, 8)
        nn.init.zeros_(self.out.weight)  # at first nothing moves
        nn.init.zeros_(self.out.bias)

    def forward(self, now: Tensor, then: Tensor, words: Tensor, places: Tensor, moved: Tensor) -> Tensor:
        steps = torch.arange(1, then.shape[1] + 1, device=then.device, dtype=then.dtype)[:, None]
        near = ((places - places.new_tensor(MIDDLE)) / SCALE).flatten(1)
        known = torch.cat([words, near, moved.flatten(1) / STEP], dim=-1)
        known = known[:, None].expand(-1, then.shape[1], -1)
        when = (steps / then.shape[1]).expand(len(then), -1, -1)
        out = self.out(self.mix(torch.cat([now.expand_as(then), then, known, when], dim=-1)))
        away, goes_on = out.unflatten(-1, (2, 4)).split((3, 1), dim=-1)
        return places[:, None] + goes_on * steps[..., None] * moved[:, None] + SCALE * away


class Doubt(nn.Module):
    """Log of the expected squared error of an imagined state, from the state before and the imagined one."""

    def __init__(self, state: int, width: int):
        super().__init__()
        self.out = mlp(2 * state, width, 1)

    def forward(self, now: Tensor, then: Tensor) -> Tensor:
        return self.out(torch.cat([now.expand_as(then), then], dim=-1)).squeeze(-1)


class Pixels(nn.Module):
    """A picture of a state, to look at: trained on states it may not change. (…, state) → (…, 2, H, W, 3)."""

    def __init__(self, state: int, channels: int):
        super().__init__()
        (eyes, height, across, rgb), _ = shapes()["vision"]
        self.shape = (eyes, height, across, rgb)
        self.grid = (4 * channels, height // 16, across // 16)
        c = channels
        self.start = mlp(state, 2 * c, 4 * c * (height // 16) * (across // 16))
        self.out = nn.Sequential(
            nn.ConvTranspose2d(4 * c, 4 * c, 4, 2, 1), nn.GELU(), nn.ConvTranspose2d(4 * c, 2 * c, 4, 2, 1),
            nn.GELU(), nn.ConvTranspose2d(2 * c, c, 4, 2, 1), nn.GELU(),
            nn.ConvTranspose2d(c, eyes * rgb, 4, 2, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, z: Tensor) -> Tensor:
        flat = z.detach().reshape(-1, z.shape[-1])
        image = self.out(nn.functional.gelu(self.start(flat)).unflatten(1, self.grid))
        eyes, height, across, rgb = self.shape
        image = image.view(-1, eyes, rgb, height, across).movedim(2, -1)
        return image.view(*z.shape[:-1], *self.shape)
