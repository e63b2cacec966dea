"""What to do for a prompt: the next ``horizon`` actions, and how much of the task is done after each.

    told = policy(z, words, places, known, proprio, begun)
    told.action()          # (n, horizon, action size): what is likeliest of what is chosen, all else as it is

A hand's way of closing, its grasp, and whether an arm moves at all are choices: the mean of two of them is
none. How far its things have come since the task began tells a thing that was pushed from one that is yet to
be. Where a gripper goes is said from what matters for it: a mixture of the target, the place and what the
words say beside it, where the gripper is now and a fixed point, and a way from there, in the robot's axes and
in the gripper's own, so that a thing elsewhere is reached for elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize, one_hot

from neo_description.tables import SIDES
from neo_world_model.modalities import features, part, size, table
from neo_world_model.where import MIDDLE, SCALE

CLOSINGS, APART = 4, 0.5  # of `closing` in modalities.yaml: so many values, so far apart
GRASPS = len(table()["grasps"])  # and one more choice: none of them
ANCHORS = 4
FINE = 0.02  # m: what is so near to a hand is told finely
SAME = 1e-8  # mean variance of words that do not differ
LEAST = 1e-3  # of their mean: no direction of words is widened to more than that
DECIDED = 0.08  # m along the table: a gripper that is sent farther than that has just been decided about
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

    # what models that were trained before do not have; as it begins it changes nothing
    ADDED = ("usual_words", "even_words", "along.weight", "along.bias", "beside.weight", "beside.bias")
    usual_words: Tensor
    even_words: Tensor

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
        self.register_buffer("usual_words", torch.zeros(width))
        self.register_buffer("even_words", torch.eye(width))
        self.along = nn.Linear(4 * width, self.horizon * len(SIDES) * 3)
        self.beside = nn.Linear(width, len(SIDES) * 3)
        for layer in (self.along, self.beside):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    @torch.no_grad()
    def hear_evenly(self, words: Tensor) -> None:
        """Be told all by which ``words`` (n, width) of prompts differ alike (whitening); what it says stays.

        They differ by colours and classes most, for things are found by them; "left" or "right" is a
        hundredth of it, which a policy does not hear beside a hand that is on its way.
        """
        usual = words.double().mean(dim=0)
        apart, along = torch.linalg.eigh(torch.cov((words.double() - usual).T))
        if float(apart.mean()) < SAME:
            return  # all prompts say the same
        wide = (apart.clamp(min=0.0) + LEAST * apart.mean()).sqrt()
        even, uneven = (along @ torch.diag(scale) @ along.T for scale in (1.0 / wide, wide))
        first = self.out[0]
        assert isinstance(first, nn.Linear)
        for layer, at in ((first, slice(self.width, 2 * self.width)), (self.beside, slice(None))):
            heard = layer.weight[:, at].double() @ self.even_words.double().T
            layer.bias.add_((heard @ (usual - self.usual_words.double())).to(layer.bias))
            layer.weight[:, at] = (heard @ uneven.T).to(layer.weight)
        self.usual_words.copy_(usual)
        self.even_words.copy_(even)

    def forward(
        self, z: Tensor, words: Tensor, places: Tensor, known: Tensor, proprio: Tensor,
        begun: Tensor | None = None,
    ) -> Told:  # fmt: skip
        z = z[..., : self.width]  # proprioception it is told besides
        words = (words - self.usual_words) @ self.even_words
        here, middle = known.to(z.dtype), places.new_tensor(MIDDLE)
        at = torch.stack([_place(proprio, "proprio", side) for side in SIDES], dim=1)  # (n, hands, 3)
        near = (places - middle) / SCALE * here[..., None]
        away = (places[:, :, None] - at[:, None]) * here[..., None, None]
        close = torch.tanh(away / FINE)
        moved = (places - (places if begun is None else begun)) * here[..., None]
        far, some = (moved / SCALE).clamp(-FARTHEST, FARTHEST), torch.tanh(moved / MOVED)
        given = [z, words, near.flatten(1), away.flatten(1) / SCALE, close.flatten(1), here, proprio,
                 far.flatten(1), some.flatten(1)]  # fmt: skip
        hidden = self.out[:-1](torch.cat(given, dim=-1))
        out = self.out[-1](hidden).unflatten(-1, (self.horizon, -1))
        numbers, closing, grasp, moves, anchor, progress = out.split(self.sizes, dim=-1)
        share = anchor.unflatten(-1, (len(SIDES), ANCHORS))
        # the last two are always known
        there = torch.cat([here, torch.ones_like(here)], dim=-1)[:, None, None]
        share = share.masked_fill(there < 0.5, -1e4).softmax(dim=-1)
        target, place = (x[:, None].expand_as(at) for x in places.unbind(dim=1))
        beside = place + SCALE * self.beside(words).unflatten(-1, (len(SIDES), 3))
        anchors = torch.stack([target, beside, at, middle.expand_as(at)], dim=2)
        starts = torch.einsum("nhsa,nsac->nhsc", share, anchors)
        along = self.along(hidden).unflatten(-1, (self.horizon, len(SIDES), 3))
        starts = starts + torch.einsum("nhsij,nhsj->nhsi", _attitudes(numbers), SCALE * along)
        return Told(
            _started(numbers, starts), closing.unflatten(-1, (len(SIDES), -1)),
            grasp.unflatten(-1, (len(SIDES), -1)), moves, torch.sigmoid(progress.squeeze(-1)),
        )  # fmt: skip


def _place(values: Tensor, modality: str, side: str) -> Tensor:
    """(…, 3) m: where a gripper is, or shall be."""
    first, scale = part(modality, f"{side}_gripper").start, features(modality)[f"{side}_gripper"][1]
    return values[..., first : first + 3] * scale


def _attitudes(numbers: Tensor) -> Tensor:
    """(…, hands, 3, 3): how grippers stand by ``numbers`` (…, action size), which learn nothing from it."""
    out = []
    for side in SIDES:
        x, y = numbers.detach()[..., part("action", f"{side}_gripper")][..., 3:].split(3, dim=-1)
        x = normalize(x, dim=-1)
        y = normalize(y - (x * y).sum(dim=-1, keepdim=True) * x, dim=-1)
        out.append(torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1))
    return torch.stack(out, dim=-3)


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


def decided(lesson: Tensor, proprio: Tensor, sides: Sequence[str] = SIDES) -> Tensor:
    """(n, horizon) bool: whether a gripper of ``sides`` is sent to where it is not nearly yet."""
    found = []
    for side in sides:
        away = _place(lesson, "action", side) - _place(proprio, "proprio", side)[:, None]
        moves = lesson[..., part("action", f"{side}_moves")][..., 0] > 0.5
        found.append(moves & (away[..., :2].norm(dim=-1) > DECIDED))
    return torch.stack(found).any(dim=0)


def gripper_targets(told: Told, side: str) -> Tensor:
    """(n, horizon, 3) m: where a gripper shall be, should it move."""
    return _place(told.numbers, "action", side)


def gripper_error(told: Told, lesson: Tensor, side: str) -> tuple[Tensor, Tensor]:
    """(n, horizon) m: how far the gripper's target is from the lesson's, and whether it has one."""
    away = (gripper_targets(told, side) - _place(lesson, "action", side)).norm(dim=-1)
    return away, lesson[..., part("action", f"{side}_moves")][..., 0] > 0.5
