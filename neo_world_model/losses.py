"""What the model is trained for, on windows of ``context + horizon`` steps.

    predict   mean over horizons, ensemble and numbers of (imagined - encoded)²: both sides learn
    own       what a state carries as it is sensed: absolute error of the imagined, and of the guess where
              proprioception is withheld
    follow    the same over that of copying the last state, every horizon alike: the imagination alone learns,
              for states that may answer to it would rather not change
    sigreg    what is learned of encoded states looks Gaussian (:mod:`neo_world_model.sigreg`): no cheating
    senses    -log p(proprioception, force, touch | imagined state), where they were sensed
    inverse   the action taken, from the states before and after, 1 to ``horizon`` steps apart
    tie       the latent action of a robot's step is the code of its real one
    reach     the distance between two states in steps, or that they are of different episodes
    where     where the things stand that another prompt about the scene names
    policy    what the teacher, the operator or the policy itself asked for next, where they succeeded, and
              how far the task is then; from state, prompt and where its things are, give or take a centimetre
    goal      the state they lead to
    paths     where the named things go, from where they are and were, give or take a centimetre; those that
              fall, that move and that stay count alike, for few fall
    consequence  falls, slips, collides, hidden
    doubt, pixel: heads that read states and change none

Everything is masked by what a window has.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from neo_description.tables import SIDES
from neo_world_model.episode import EVENTS
from neo_world_model.heads import DISTANCES, Pixels, Reach, Senses, gaussian_nll
from neo_world_model.modalities import PROVENANCE
from neo_world_model.policy import Told, decided, gripper_error, unlike
from neo_world_model.sigreg import sigreg
from neo_world_model.where import LOG_STD, SCALE, Where, cell_of

if TYPE_CHECKING:
    from neo_world_model.world_model import WorldModel

Batch = dict[str, Tensor]
TAUGHT = tuple(PROVENANCE.index(name) for name in ("policy", "teacher", "teleop"))
TINY = 1e-6
PLACE_NOISE = 0.008  # m: how well a robot knows where things are whose ways it foretells
STEP_NOISE = 0.002  # m: how well it knows how far they went in a step
MOVED, FALLEN = 0.03, 0.1  # m that tell a thing that moves, and further down one that falls
SEARCH_WEIGHT = 0.5  # of the cell that shows a thing, beside where the thing is


def mean_of(values: Tensor, where: Tensor) -> Tensor:
    """Mean of ``values`` where ``where``; 0 when nowhere."""
    where = where.to(values.dtype)
    return (values * where).sum() / where.sum().clamp(min=1.0)


def losses(model: WorldModel, batch: Batch, generator: torch.Generator | None) -> dict[str, Tensor]:
    """Name → scalar; ``loss``: the weighted sum. Where only :mod:`neo_world_model.where` and
    :mod:`neo_world_model.policy` learn, nothing else is worked out; of a batch of :mod:`neo_world_model.kept`
    states the policy's alone.
    """
    s, k = model.settings, model.settings.context
    if "state" in batch:
        alone = _policy(model, batch["state"], batch["words"], batch, 1, generator)
        return {"policy": alone, "loss": s.policy_weight * alone}
    words, other = model.text(torch.cat([batch["text"], batch["other_text"]])).chunk(2)
    learning, out = model.learning, {}
    if model.where is not None and s.where_weight and learning != {"policy"} and "vision" in batch:
        out["where"] = _where(model.where, other, batch)
    if not learning <= {"where", "policy"}:
        out |= _of_states(model, words, other, batch, k, generator)
    elif "policy" in learning:
        out["policy"] = _policy(model, encoded_now(model, batch, generator), words, batch, k, generator)
    weights = {name: getattr(s, f"{name}_weight") for name in out if name != "doubt"} | {"doubt": 0.01}
    out["loss"] = sum(weights[name] * value for name, value in out.items())  # type: ignore[assignment]
    return out


def encoded_now(model: WorldModel, batch: Batch, generator: torch.Generator | None) -> Tensor:
    """(n, state): the state of the context's last step, with senses withheld."""
    now = _part(batch, model.settings.context, model.settings.context - 1)
    return model.encode(now, _withheld(model, now, 1, generator))[:, 0]


def _of_states(
    model: WorldModel, words: Tensor, other: Tensor, batch: Batch, k: int, generator: torch.Generator | None
) -> dict[str, Tensor]:
    """The losses of states, encoded and imagined."""
    s, withheld = model.settings, _withheld(model, batch, k, generator)
    z = model.encode(batch, withheld)
    codes, real, latent = model.actions.codes(batch["action"], batch["has_action"], z)
    imagined = model.foretell(z, codes, batch)
    then = z[:, k:]
    error = (imagined - then).square().mean(dim=-1)  # (ensemble, n, horizon)
    mean = imagined.mean(dim=0)
    out = {
        "predict": error.mean(),
        "follow": _follow(model, z.detach(), batch, k),
        "own": _own(model, z, imagined, withheld, batch, k),
        "sigreg": sigreg(z[..., : s.width].transpose(0, 1), s.sigreg_directions, generator),
        "senses": _senses(model, mean, _part(batch, None, k)),
        "inverse": _inverse(model, z, batch, generator),
        "tie": mean_of((latent - real).square().mean(dim=-1), batch["has_action"][:, :-1]),
        "reach": _reach(model, z, generator),
        "policy": _policy(model, z[:, k - 1], words, batch, k, generator),
        "goal": _goal(model, z, words, batch, k, generator),
        "consequence": _consequence(model, z[:, k - 1 : k], mean, batch, k),
        "paths": _paths(model, z[:, k - 1 : k], mean, other, batch, k, generator),
        "doubt": _doubt(model, z[:, k - 1 : k].detach(), mean.detach(), then.detach()),
    }
    if model.pixels is not None and "vision" in batch:
        out["pixel"] = _pixel(model.pixels, z, batch)
    return out


def _part(batch: Batch, until: int | None, first: int = 0) -> Batch:
    """The same windows from step ``first`` to ``until``."""
    whole = ("source", "text", "other_text", "meant", "named", "failed", "succeeded", "privileged_begun")
    return {name: x if name in whole else x[:, first:until] for name, x in batch.items()}


def _withheld(
    model: WorldModel, batch: Batch, k: int, generator: torch.Generator | None
) -> dict[str, Tensor]:
    """Sense → (n, steps): what the context may not see, whole senses at a time, never all that there is."""
    n, steps = batch["provenance"].shape
    names = model.encoder.senses
    drop = torch.rand(n, len(names), generator=generator) < model.settings.modality_dropout
    drop = drop.to(batch["source"].device)
    here = torch.stack([batch[f"has_{name}"][:, 0] for name in names], dim=1)
    blind = ~(here & ~drop).any(dim=1)
    drop[blind] = False
    context = torch.arange(steps, device=drop.device) < k
    return {name: drop[:, i, None] & context for i, name in enumerate(names)}


def _follow(model: WorldModel, z: Tensor, batch: Batch, k: int) -> Tensor:
    codes, _, _ = model.actions.codes(batch["action"], batch["has_action"], z)
    now, then = z[:, k - 1 : k], z[:, k:]
    error = (model.foretell(z, codes, batch) - then).square().mean(dim=(0, 1, 3))
    return (error / (now - then).square().mean(dim=(0, 2)).clamp(min=TINY)).mean()


def _own(
    model: WorldModel, z: Tensor, imagined: Tensor, withheld: dict[str, Tensor], batch: Batch, k: int
) -> Tensor:
    if "proprio" not in withheld:
        return z.new_zeros(())
    here, width = batch["has_proprio"], model.settings.width
    wrong = (imagined - z[:, k:])[..., width:].abs().mean(dim=(0, 3))
    missed = model.own.missed(z, batch["proprio"])
    return mean_of(wrong, here[:, k:]) + mean_of(missed, here & withheld["proprio"])


def _senses(model: WorldModel, imagined: Tensor, batch: Batch) -> Tensor:
    targets = Senses.targets(batch)
    terms = []
    for name, (mean, log_std) in model.senses(imagined).items():
        terms.append(mean_of(gaussian_nll(mean, log_std, targets[name]), batch[f"has_{name}"]))
    return torch.stack(terms).sum() if terms else imagined.new_zeros(())


def _inverse(model: WorldModel, z: Tensor, batch: Batch, generator: torch.Generator | None) -> Tensor:
    n, steps, _ = z.shape
    k = torch.randint(1, model.settings.horizon + 1, (n,), generator=generator).to(z.device)
    start = (torch.rand(n, generator=generator).to(z.device) * (steps - k)).long()
    row = torch.arange(n, device=z.device)
    found = model.inverse(z[row, start], z[row, start + k], k)
    error = (found - batch["action"][row, start]).abs().mean(dim=-1)
    return mean_of(error, batch["has_action"][row, start])


def _reach(model: WorldModel, z: Tensor, generator: torch.Generator | None) -> Tensor:
    n, steps, _ = z.shape
    a = torch.randint(0, steps - 1, (n,), generator=generator).to(z.device)
    b = a + 1 + (torch.rand(n, generator=generator).to(z.device) * (steps - 1 - a)).long()
    row = torch.arange(n, device=z.device)
    near = cross_entropy(model.reach(z[row, a], z[row, b]), Reach.classes(b - a))
    apart = torch.full((n,), len(DISTANCES), device=z.device)
    far = cross_entropy(model.reach(z[row, a], z[row.roll(1), b]), apart)
    return 0.5 * (near + far)


def _policy(
    model: WorldModel, z: Tensor, words: Tensor, batch: Batch, k: int, generator: torch.Generator | None
) -> Tensor:
    now = k - 1
    noise = model.settings.place_noise
    places, known = _meant(batch, batch["privileged_places"][:, now], noise, generator)
    begun, _ = _meant(batch, batch["privileged_begun"], noise, generator)
    told = model.policy(z, words, places, known, batch["proprio"][:, now], begun)
    far, here = batch["lesson_progress"], taught(batch, k)
    late = (told.progress - far.nan_to_num()).abs()
    wrong = unlike(told, batch["lesson"])
    wrong = wrong * (
        1.0 + model.settings.decision_weight * decided(batch["lesson"], batch["proprio"][:, now])
    )
    return mean_of(wrong, here.expand_as(late)) + mean_of(late, here & far.isfinite())


def _meant(
    batch: Batch, things: Tensor, noise: float, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """Of ``things`` (n, THINGS, 3) m, the prompt's, as well as a robot knows them, and which are known."""
    places, known = places_of(things, batch["meant"])
    off = noise * torch.randn(places.shape, generator=generator).to(places.device)
    return places + off, known


def told_now(model: WorldModel, z: Tensor, text: Tensor, batch: Batch) -> Told:
    """What the policy says to ``text`` in the context's last step, ``z`` (n, state), by true places."""
    now = model.settings.context - 1
    places, known = places_of(batch["privileged_places"][:, now], batch["meant"])
    begun, _ = places_of(batch["privileged_begun"], batch["meant"])
    return model.policy(z, model.text(text), places, known, batch["proprio"][:, now], begun)


def taught_gripper_error(model: WorldModel, z: Tensor, batch: Batch) -> Tensor:
    """(m,) m: how far the policy's gripper targets are from those that were given, where it is taught."""
    k = model.settings.context
    told = told_now(model, z, batch["text"], batch)
    off = []
    for side in SIDES:
        away, moves = gripper_error(told, batch["lesson"], side)
        off.append(away[moves & taught(batch, k)])
    return torch.cat(off)


def places_of(things: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Of things (n, THINGS, 3), those in ``rows`` (n, 2): (n, 2, 3) m, and which of them are known."""
    there = rows.clamp(min=0)[..., None].expand(-1, -1, 3)
    places = things.gather(1, there)
    known = (rows >= 0) & places.isfinite().all(dim=-1)
    return places.nan_to_num(), known


def _where(where: Where, words: Tensor, batch: Batch) -> Tensor:
    """Of a window's first and last step, three parts: the cell of each picture that shows a thing; its place,
    as a Laplace distribution, for a thing on the floor must not outweigh all others; and what of it is out of
    sight comes out wide.
    """

    def ends(name: str) -> Tensor:
        return torch.cat([batch[name][:, 0], batch[name][:, -1]])

    things, here, all_named = (
        ends("privileged_places"),
        ends("has_vision")[:, None],
        batch["named"].repeat(2, 1),
    )
    found = where(ends("vision"), ends("proprio"), words.repeat(2, 1))
    places, known = places_of(things, all_named)
    rows = all_named.clamp(min=0)[..., None, None]
    eyes = found.answers.shape[2]
    pixels = ends("privileged_pixels").gather(1, rows.expand(-1, -1, eyes, 2))
    in_eye = (known & here)[..., None] & pixels.isfinite().all(dim=-1)
    seen = in_eye.any(dim=-1)
    cells = cell_of(pixels.nan_to_num())
    missed = -found.answers.log_softmax(dim=-1).gather(-1, cells[..., None]).squeeze(-1)
    spread = found.log_std - math.log(SCALE)
    wrong = ((found.place - places).abs() / SCALE * torch.exp(-spread) + spread).mean(dim=-1)
    narrow = (LOG_STD[1] - spread).mean(dim=-1)
    named = (all_named >= 0).to(missed.dtype)
    said = binary_cross_entropy_with_logits(found.named, named, reduction="none")
    has_things = things.isfinite().any(dim=-1).any(dim=-1)
    return (
        SEARCH_WEIGHT * mean_of(missed, in_eye)
        + mean_of(wrong, seen)
        + SEARCH_WEIGHT * mean_of(narrow, known & here & ~seen)
        + mean_of(said.mean(dim=-1), has_things)
    )


def _paths(
    model: WorldModel, now: Tensor, then: Tensor, words: Tensor, batch: Batch, k: int,
    generator: torch.Generator | None,
) -> Tensor:  # fmt: skip
    found, went, known = named_paths(model, now, then, words, batch, k, PLACE_NOISE, generator)
    wrong = (found - went).abs().mean(dim=-1) / SCALE
    start, _ = places_of(batch["privileged_places"][:, k - 1], batch["named"])
    falls = start[:, None, :, 2] - went[..., 2] > FALLEN
    moves = ((went - start[:, None]).norm(dim=-1) > MOVED) & ~falls
    groups = (falls, moves, ~(falls | moves))
    return torch.stack([mean_of(wrong, known & these) for these in groups]).sum()


def named_paths(
    model: WorldModel, now: Tensor, then: Tensor, words: Tensor, batch: Batch, k: int,
    noise: float = 0.0, generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Where the things that the other prompt's ``words`` name go, as imagined and as they went, each
    (n, h, 2, 3) m, and (n, h, 2) which are known.
    """
    start, here = places_of(batch["privileged_places"][:, k - 1], batch["named"])
    before, _ = places_of(batch["privileged_places"][:, k - 2], batch["named"])
    off, slip = torch.randn((2, *start.shape), generator=generator).to(start.device)
    moved = start - before + noise * STEP_NOISE / PLACE_NOISE * slip
    found = model.paths(now, then, words, start + noise * off, moved)
    rows = batch["named"].clamp(min=0)[:, None, :, None].expand(-1, then.shape[1], -1, 3)
    went = batch["privileged_places"][:, k:].gather(2, rows)
    return found, went.nan_to_num(), here[:, None] & went.isfinite().all(dim=-1)


def _goal(
    model: WorldModel, z: Tensor, words: Tensor, batch: Batch, k: int, generator: torch.Generator | None
) -> Tensor:
    places = batch["privileged_places"][:, k - 1]
    meant = _meant(batch, places, model.settings.place_noise, generator)
    found = model.goal(z[:, k - 1].detach(), words, *meant)
    error = (found - z[:, -1].detach()).square().mean(dim=-1)
    return mean_of(error, taught(batch, k).all(dim=1))


def taught(batch: Batch, k: int) -> Tensor:
    """(n, 1) bool: whether somebody chose the action of the context's last step on purpose and well."""
    by = batch["provenance"][:, k - 1 : k]
    chosen = torch.isin(by, torch.tensor(TAUGHT, device=by.device, dtype=by.dtype))
    return chosen & ~batch["failed"][:, None] & batch["has_action"][:, k - 1 : k]


def _consequence(model: WorldModel, now: Tensor, then: Tensor, batch: Batch, k: int) -> Tensor:
    logits = model.consequences(now, then)
    labels = torch.stack([batch[f"privileged_{name}"][:, k:] for name in EVENTS], dim=-1)
    known = labels.isfinite()
    each = binary_cross_entropy_with_logits(logits, labels.nan_to_num(), reduction="none")
    return mean_of(each, known)


def _doubt(model: WorldModel, now: Tensor, then: Tensor, truth: Tensor) -> Tensor:
    log_error = (then - truth).square().mean(dim=-1).clamp(min=TINY).log()
    return (model.doubt(now, then) - log_error).square().mean()


def _pixel(pixels: Pixels, z: Tensor, batch: Batch) -> Tensor:
    last = z[:, -1]
    image = batch["vision"][:, -1].to(last.dtype) / 255.0
    error = (pixels(last) - image).square().mean(dim=(1, 2, 3, 4))
    return mean_of(error, batch["has_vision"][:, -1])
