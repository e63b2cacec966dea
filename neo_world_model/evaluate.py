"""Held-out figures of a model, and the calibration of its doubt.

    error_ratio_h    mean |imagined - encoded|² over mean |last seen - encoded|², h steps ahead; copying is 1
    spread           mean standard deviation over the windows of the numbers of a state that are learned
    rank             exp of the entropy of their covariance's eigenvalues: how many directions they use
    coverage_<source> share of errors within the 90 % bound, on the half of the windows that did not set it
    auc_<event>      that a step with the event is ranked over one without it, 0.1 to 0.8 s ahead
    auc_<event>_next the same, 0.1 s ahead alone
    where_cm         median distance of things from where the model sees them, when a prompt names them
    gripper_cm       median distance of the policy's gripper targets from the teacher's
    sides_cm         how much farther to the other side of a thing the policy sends hands that are to go
                     elsewhere when left and right change places in the prompt, mean; 0: it does not listen
    hands_cm         mean distance of hands that move from where the state of the same step tells they are
    hands_ahead_cm   the same of imagined states 0.8 s on; hands_stay_cm: of the last place they were seen at
    hands_follow     share of 10 cm that imagined hands go further to the left 0.8 s on when all their targets
                     lie 10 cm further to the left from now on; 0: imagination does not listen to actions
    landing_cm       mean distance of named things that fall, within 2 m of a robot that stands, from where
                     they are foretold to be 0.8 s on
    landing_ratio    the same over that of going on as fast as in the last step

Chances of events are calibrated on the first half of the windows by Platt's two numbers (Platt 1999), and
ranked on the other half. ``usual``: what the highest chance within the horizon stays below in all but one in
a hundred of the windows in which a task was done well: a bottle that is put down slips a little, too. The
bound is split conformal: the 0.9 quantile, source by source and horizon by horizon, of the squared error over
what :class:`neo_world_model.heads.Doubt` expected (Vovk et al. 2005).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from neo_description.tables import SIDES
from neo_world_model.episode import EVENTS
from neo_world_model.losses import named_paths, places_of, taught, taught_gripper_error, told_now
from neo_world_model.mirror import mirrored_prompt
from neo_world_model.mixture import Mixture
from neo_world_model.modalities import SOURCES, features, part
from neo_world_model.policy import decided, gripper_targets
from neo_world_model.text import decode, encode
from neo_world_model.world_model import WorldModel

LEVEL, USUAL = 0.9, 0.99
FALLEN = 0.3  # m lower at the horizon than now
ROOM = 2.0  # m from the robot: what is farther away is no concern of its
STAYED = 0.1  # m that at most half of all things may go, or it is the robot that fell
SEEN = 10  # steps with and without an event that are needed to judge it
MOVED, SHIFT = 0.02, 0.1  # m: hands that come so far within the horizon; what their targets are shifted by
SIZE = 64


def tensors(batch: dict[str, np.ndarray], device: torch.device) -> dict[str, Tensor]:
    """A batch as tensors on ``device``."""
    return {name: torch.from_numpy(values).to(device, non_blocking=True) for name, values in batch.items()}


@torch.no_grad()
def evaluate(
    model: WorldModel, held: Mixture, batches: int, size: int = SIZE,
    bounds: Mapping[str, list[float]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Figures; ``bounds``: source → (horizon,) of error over expected error at :data:`LEVEL`; ``quantiles``:
    source → (101,) of the same ratio one step ahead, for surprise. ``bounds`` given: coverage is of those, on
    all windows, instead of half of the windows' own on the others.
    """
    device = next(model.parameters()).device
    k, horizon = model.settings.context, model.settings.horizon
    error, copied, scores, sources, states = [], [], [], [], []
    logits, labels, well, missed, off, sides, landed, hands = [], [], [], [], [], [], [], []
    was = model.training
    model.eval()
    for number in range(batches):
        batch = tensors(held.batch(size, number), device)
        z = model.encode(batch)
        codes, _, _ = model.actions.codes(batch["action"], batch["has_action"], z)
        imagined = model.foretell(z, codes, batch).mean(dim=0)
        now, then = z[:, k - 1 : k], z[:, k:]
        squared = (imagined - then).square().mean(dim=-1)
        error.append(squared.cpu())
        copied.append((now - then).square().mean(dim=-1).cpu())
        scores.append((squared / model.doubt(now, imagined).exp()).cpu())
        sources.append(batch["source"].cpu())
        states.append(z.flatten(0, 1).float().cpu())
        logits.append(model.consequences(now, imagined).float().cpu())
        labels.append(torch.stack([batch[f"privileged_{name}"][:, k:] for name in EVENTS], dim=-1).cpu())
        well.append(batch["succeeded"].cpu())
        missed.append(_missed(model, batch, k).cpu())
        off.append(taught_gripper_error(model, z[:, k - 1], batch).cpu())
        sides.append(_sides(model, z[:, k - 1], batch, k).cpu())
        hands.append(_hands(model, z, imagined, batch, k).cpu())
        landed.append(_landed(model, now, imagined, batch, k).cpu())
    model.train(was)
    errors, copies = torch.cat(error).numpy(), torch.cat(copied).numpy()
    figures: dict[str, Any] = {
        f"error_ratio_{h}": float(errors[:, h - 1].mean() / copies[:, h - 1].mean())
        for h in sorted({1, horizon})
    }
    figures |= _shape(torch.cat(states)[:, : model.settings.width])
    figures |= _events(torch.cat(logits), torch.cat(labels), torch.cat(well))
    away = torch.cat(missed)
    if len(away):
        figures["where_cm"] = 100.0 * float(away.median())
    grippers = torch.cat(off)
    if len(grippers):
        figures["gripper_cm"] = 100.0 * float(grippers.median())
    listening = torch.cat(sides)
    if len(listening) >= SEEN:
        figures["sides_cm"] = 100.0 * float(listening.mean())
    moving = torch.cat(hands)
    if len(moving) >= SEEN:
        told, ahead, stay, follow = moving.mean(dim=0).tolist()
        figures |= {"hands_cm": 100.0 * told, "hands_ahead_cm": 100.0 * ahead, "hands_stay_cm": 100.0 * stay}
        figures["hands_follow"] = follow / SHIFT
    fallen = torch.cat(landed)
    if len(fallen) >= SEEN:
        ours, onwards = fallen.mean(dim=0).tolist()
        figures |= {"landing_cm": 100.0 * ours, "landing_ratio": ours / onwards}
    source, score = torch.cat(sources).numpy(), torch.cat(scores).numpy()
    figures["bounds"], figures["quantiles"] = {}, {}
    for name in held.sources:
        mine = score[source == SOURCES.index(name)]
        if len(mine) >= 20:
            given = (bounds or {}).get(name)
            bound = np.quantile(mine[::2], LEVEL, axis=0) if given is None else np.asarray(given)
            figures["quantiles"][name] = np.quantile(mine[:, 0], np.linspace(0.0, 1.0, 101)).tolist()
            figures["bounds"][name] = bound.tolist()
            rest = mine[1::2] if given is None else mine
            figures[f"coverage_{name}"] = float((rest <= bound).mean())
    return figures


def _missed(model: WorldModel, batch: dict[str, Tensor], k: int) -> Tensor:
    """(m,) m: how far off a named thing is seen, where both are known."""
    if model.where is None:
        return torch.zeros(0)
    words = model.text(batch["other_text"])
    found = model.where(batch["vision"][:, k], batch["proprio"][:, k], words).place[:, 0]
    truth, known = places_of(batch["privileged_places"][:, k], batch["named"])
    return (found - truth[:, 0]).norm(dim=-1)[known[:, 0] & batch["has_vision"][:, k]]


def _sides(model: WorldModel, z: Tensor, batch: dict[str, Tensor], k: int) -> Tensor:
    """(m,) m: of hands that are to go elsewhere, for a prompt that names the left or right of a thing: how
    much farther to the other side the policy sends them where the prompt names that one.
    """
    prompts = decode(batch["text"].cpu().numpy())
    other = torch.from_numpy(encode([mirrored_prompt(prompt) for prompt in prompts])).to(z.device)
    ways = [told_now(model, z, text, batch) for text in (batch["text"], other)]
    _, known = places_of(batch["privileged_places"][:, k - 1], batch["meant"])
    sent = taught(batch, k) & known.all(dim=1, keepdim=True)
    left, right = (
        torch.tensor([word in prompt for prompt in prompts], device=z.device)
        for word in (" left ", " right ")
    )
    counts = sent[:, 0] & (left ^ right)
    sign = torch.where(left, 1.0, -1.0)
    rows = []
    for side in SIDES:
        apart = gripper_targets(ways[0], side)[:, -1, 1] - gripper_targets(ways[1], side)[:, -1, 1]
        rows.append(
            (sign * apart)[counts & decided(batch["lesson"], batch["proprio"][:, k - 1], [side])[:, -1]]
        )
    return torch.cat(rows)


def _hands(model: WorldModel, z: Tensor, imagined: Tensor, batch: dict[str, Tensor], k: int) -> Tensor:
    """(m, 4) m, of hands that move: how far off the last step's state tells them, and the ``imagined`` one;
    how far they came; how far to the left the imagined hand goes with its targets.
    """
    if "proprio" not in model.senses.out:
        return torch.zeros(0, 4)
    action = batch["action"].clone()
    for side in SIDES:
        left = part("action", f"{side}_gripper").start + 1
        action[:, k - 1 :, left] += SHIFT / features("action")[f"{side}_gripper"][1]
    other = batch | {"action": action}
    others, _, _ = model.actions.codes(action, batch["has_action"], z)
    elsewhere = model.foretell(z, others, other).mean(dim=0)
    now, ahead, shifted = (model.senses(way[:, -1])["proprio"][0] for way in (z, imagined, elsewhere))
    first, last = batch["proprio"][:, k - 1], batch["proprio"][:, -1]
    rows = []
    for side in SIDES:
        begin, scale = part("proprio", f"{side}_gripper").start, features("proprio")[f"{side}_gripper"][1]
        there = slice(begin, begin + 3)
        stay = scale * (first - last)[:, there].norm(dim=-1)
        sent = batch["action"][:, k - 1 : -1, part("action", f"{side}_moves")][..., 0] > 0.5
        counts = (stay > MOVED) & sent.all(dim=1) & batch["has_action"][:, k - 1 : -1].all(dim=1)
        counts &= batch["has_proprio"].all(dim=1)
        off = [scale * (found - last)[:, there].norm(dim=-1) for found in (now, ahead)]
        rows.append(torch.stack([*off, stay, scale * (shifted - ahead)[:, begin + 1]], dim=-1)[counts])
    return torch.cat(rows)


def _landed(model: WorldModel, now: Tensor, then: Tensor, batch: dict[str, Tensor], k: int) -> Tensor:
    """(m, 2) m: of things that fall, how far off they end as foretold, and going on as in the last step."""
    found, went, known = named_paths(model, now, then, model.text(batch["other_text"]), batch, k)
    start, before = (places_of(batch["privileged_places"][:, t], batch["named"])[0] for t in (k - 1, k - 2))
    onwards = start + then.shape[1] * (start - before)
    moved = (batch["privileged_places"][:, -1] - batch["privileged_places"][:, k - 1]).norm(dim=-1)
    stands = moved.nanmedian(dim=1, keepdim=True).values < STAYED
    falls = (
        known.all(dim=1) & stands & (start.norm(dim=-1) < ROOM) & (start[..., 2] - went[:, -1, :, 2] > FALLEN)
    )
    ends = [(end - went[:, -1]).norm(dim=-1)[falls] for end in (found[:, -1], onwards)]
    return torch.stack(ends, dim=-1)


def _events(logits: Tensor, labels: Tensor, well: Tensor) -> dict[str, Any]:
    """``logits``, ``labels`` (n, horizon, events), NaN: unknown; ``well`` (n,): of a task that was done.
    Events that hardly happen are left out.
    """
    out: dict[str, Any] = {"calibration": {}, "usual": {}}
    half = len(logits) // 2
    for i, name in enumerate(EVENTS):
        rows = [(x[..., i][y[..., i].isfinite()], y[..., i][y[..., i].isfinite()])
                for x, y in ((logits[:half], labels[:half]), (logits[half:], labels[half:]))]  # fmt: skip
        if any(not SEEN <= int(y.sum()) <= len(y) - SEEN for _, y in rows):
            continue
        a, b = out["calibration"][name] = platt(*rows[0])
        if int(well.sum()) >= SEEN:
            highest = torch.sigmoid(a * logits[well][..., i] + b).amax(dim=1)
            out["usual"][name] = float(highest.quantile(USUAL))
        out[f"auc_{name}"] = auc(*rows[1])
        first = logits[half:, 0, i], labels[half:, 0, i]
        seen = first[1].isfinite()
        if SEEN <= int(first[1][seen].sum()) <= int(seen.sum()) - SEEN:
            out[f"auc_{name}_next"] = auc(first[0][seen], first[1][seen])
    return out


def auc(score: Tensor, label: Tensor) -> float:
    """Chance that a score with label 1 is higher than one with label 0; ties count half (Mann-Whitney)."""
    _, place, count = torch.unique(score, return_inverse=True, return_counts=True)
    rank = (count.cumsum(0) - 0.5 * (count - 1))[place].double()
    ones = float(label.sum())
    above = float(rank[label > 0.5].sum()) - ones * (ones + 1) / 2
    return above / (ones * (len(label) - ones))


@torch.enable_grad()
def platt(logit: Tensor, label: Tensor) -> list[float]:
    """a, b of σ(a·logit + b) that make ``label`` most likely."""
    numbers = torch.tensor([1.0, 0.0], requires_grad=True)
    fit = torch.optim.LBFGS([numbers], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        fit.zero_grad()
        value = binary_cross_entropy_with_logits(numbers[0] * logit + numbers[1], label)
        value.backward()
        return value

    fit.step(loss)
    return numbers.detach().tolist()


def _shape(states: Tensor) -> dict[str, float]:
    values = torch.linalg.eigvalsh(torch.cov(states.T)).clamp(min=1e-12)
    share = values / values.sum()
    return {
        "spread": float(states.std(dim=0).mean()),
        "rank": float(torch.exp(-(share * share.log()).sum())),
    }
