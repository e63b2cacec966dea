"""What to do for a prompt: the next ``horizon`` actions, and how much of the task is done after each.

    told = policy(z, words, places, known, proprio, begun)
    told.action()          # (n, horizon, action size): what is likeliest of what is chosen, all else as it is

A hand's way of closing, its grasp, and whether an arm moves at all are choices: the mean of two of them is
none. How far its things have come since the task began tells a thing that was pushed from one that is yet to
be. Where a gripper goes is said from what matters for it: a mixture of the target, the place, where it is
now and a fixed point, and a way from there, so that a thing elsewhere is reached for elsewhere.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

from neo_description.tables import SIDES
from neo_world_model.modalities import features, part, size, table
from neo_world_model.where import MIDDLE, SCALE

CLOSINGS, APART = 4, 0.5  # of `closing` in modalities.yaml: so many values, so far apart
GRASPS = len(table()["grasps"])  # and one more choice: none of them
ANCHORS = 4
FINE = 0.02  # m: what is so near to a hand is told finely
MOVED, FARTHEST = 0.03, 5.0  # m that tell a thing that was moved; of SCALE: farther is as far
POSITION_WEIGHT = 5.0  # of a gripper's position, beside its attitude
CHOICE_WEIGHT = 0.6


class Told(NamedTuple):
    """``numbers`` (n, horizon, action size) over their scales; logits ``closing`` (n, horizon, hands,
    CLOSINGS), ``grasp`` (…, hands, GRASPS + 1), ``moves`` (…, hands); ``progress`` (n, horizon) in 0..1.
    """

    numbers: Tensor
    closing: Tensor
    grasp: Tensor
    moves: Tensor
    progress: Tensor

    def action(self) -> Tensor:
        """(n, horizon, action size)."""
        closing = APART * self.closing.argmax(dim=-1, keepdim=True).to(self.numbers.dtype)
        grasp = one_hot(self.grasp.argmax(dim=-1), GRASPS + 1)[..., :GRASPS].to(self.numbers.dtype)
        moves = (self.moves > 0.0)[..., None].to(self.numbers.dtype)
        out = {name: self.numbers[..., part("action", name)] for name in features("action")}
        for i, side in enumerate(SIDES):
            chosen = {"moves": moves, "closing": closing, "grasp": grasp}
            out |= {f"{side}_{name}": value[:, :, i] for name, value in chosen.items()}
        return torch.cat(list(out.values()), dim=-1)


class Policy(nn.Module):
    """``places`` (n, 2, 3) m in base_link: target and place (see :mod:`neo_world_model.where`); ``known``
    (n, 2): which of them the prompt names; ``proprio`` (n, size): where the hands are, and how they stand;
    ``begun`` (n, 2, 3) m: the places when the task began, in base_link as it was then; None: it begins now.
    """

    def __init__(self, settings: SimpleNamespace):
        super().__init__()
        width = self.width = settings.width
        self.horizon = settings.horizon
        self.sizes = [size("action"), *(len(SIDES) * n for n in (CLOSINGS, GRASPS + 1, 1, ANCHORS)), 1]
        inputs = 2 * width + 6 + 2 + 12 * len(SIDES) + size("proprio") + 12

        def bend() -> nn.Module:
            return nn.Sequential(nn.GELU(), nn.Dropout(settings.policy_dropout))

        self.out = nn.Sequential(
            nn.Linear(inputs, 4 * width), bend(), nn.Linear(4 * width, 4 * width), bend(),
            nn.Linear(4 * width, self.horizon * sum(self.sizes)),
        )  # fmt: skip

    def forward(
        self, z: Tensor, words: Tensor, places: Tensor, known: Tensor, proprio: Tensor,
        begun: Tensor | None = None,
    ) -> Told:  # fmt: skip
        z = z[..., : self.width]  # proprioception it is told besides
        here, middle = known.to(z.dtype), places.new_tensor(MIDDLE)
        at = torch.stack([_place(proprio, "proprio", side) for side in SIDES], dim=1)  # (n, hands, 3)
        near = (places - middle) / SCALE * here[..., None]
        away = (places[:, :, None] - at[:, None]) * here[..., None, None]
        close = torch.tanh(away / FINE)
        moved = (places - (places if begun is None else begun)) * here[..., None]
        far, some = (moved / SCALE).clamp(-FARTHEST, FARTHEST), torch.tanh(moved / MOVED)
        given = [z, words, near.flatten(1), away.flatten(1) / SCALE, close.flatten(1), here, proprio,
                 far.flatten(1), some.flatten(1)]  # fmt: skip
        out = self.out(torch.cat(given, dim=-1)).unflatten(-1, (self.horizon, -1))
        numbers, closing, grasp, moves, anchor, progress = out.split(self.sizes, dim=-1)
        share = anchor.unflatten(-1, (len(SIDES), ANCHORS))
        # the last two are always known
        there = torch.cat([here, torch.ones_like(here)], dim=-1)[:, None, None]
        share = share.masked_fill(there < 0.5, -1e4).softmax(dim=-1)
        anchors = torch.cat([places[:, None].expand(-1, len(SIDES), -1, -1), at[:, :, None],
                             middle.expand_as(at)[:, :, None]], dim=2)  # fmt: skip
        starts = torch.einsum("nhsa,nsac->nhsc", share, anchors)
        return Told(
            _started(numbers, starts), closing.unflatten(-1, (len(SIDES), -1)),
            grasp.unflatten(-1, (len(SIDES), -1)), moves, torch.sigmoid(progress.squeeze(-1)),
        )  # fmt: skip


def _place(values: Tensor, modality: str, side: str) -> Tensor:
    """(…, 3) m: where a gripper is, or shall be."""
    first, scale = part(modality, f"{side}_gripper").start, features(modality)[f"{side}_gripper"][1]
    return values[..., first : first + 3] * scale


def _started(numbers: Tensor, starts: Tensor) -> Tensor:
    """``numbers`` with the grippers' positions counted from ``starts`` (n, horizon, hands, 3) m."""
    shift = []
    for name, (n, scale) in features("action").items():
        side, _, what = name.partition("_")
        if what == "gripper":
            shift.append(torch.nn.functional.pad(starts[:, :, SIDES.index(side)] / scale, (0, n - 3)))
        else:
            shift.append(numbers.new_zeros((*numbers.shape[:2], n)))
    return numbers + torch.cat(shift, dim=-1)


def unlike(told: Told, lesson: Tensor) -> Tensor:
    """(n, horizon): how much what was told differs from the ``lesson`` (n, horizon, action size)."""
    wrong = (told.numbers - lesson).abs()
    terms = (
        0.2 * wrong[..., part("action", "gaze")].mean(dim=-1)
        + 0.2 * wrong[..., part("action", "speed")][..., 0]
    )
    for i, side in enumerate(SIDES):

        def of(name: str, side: str = side) -> slice:
            return part("action", f"{side}_{name}")

        moves, closing = lesson[..., of("moves")][..., 0], lesson[..., of("closing")][..., 0]
        pose = wrong[..., of("gripper")]
        pose = (POSITION_WEIGHT * pose[..., :3].sum(dim=-1) + pose[..., 3:].sum(dim=-1)) / pose.shape[-1]
        grasp = lesson[..., of("grasp")]
        named = torch.where(grasp.amax(dim=-1) > 0.5, grasp.argmax(dim=-1), GRASPS)
        way = (closing / APART).round().long().clamp(0, CLOSINGS - 1)
        choice = (
            cross_entropy(told.closing[:, :, i].movedim(-1, 1), way, reduction="none")
            + 0.3 * cross_entropy(told.grasp[:, :, i].movedim(-1, 1), named, reduction="none")
            + binary_cross_entropy_with_logits(told.moves[:, :, i], moves, reduction="none")
        )
        terms = terms + moves * pose + 0.3 * moves * wrong[..., of("width")][..., 0]
        terms = terms + CHOICE_WEIGHT / len(SIDES) * choice
    return terms


def gripper_error(told: Told, lesson: Tensor, side: str) -> tuple[Tensor, Tensor]:
    """(n, horizon) m: how far the gripper's target is from the lesson's, and whether it has one."""
    away = (_place(told.numbers, "action", side) - _place(lesson, "action", side)).norm(dim=-1)
    return away, lesson[..., part("action", f"{side}_moves")][..., 0] > 0.5
