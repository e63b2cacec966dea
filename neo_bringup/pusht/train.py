"""Trains a model for so many CPU-minutes, its windows' reading included.

Every few of them all that training needs is written down, and a run that was cut off goes on from there: its
CPU-minutes are those that led to its weights.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neo_bringup.pusht.data import HORIZON, Episodes, recolour
from neo_bringup.pusht.model import Ours

MODELS = ("ours", "peer")
WARM = 0.05  # share of the run in which the learning rate rises
DECAY, CLIP = 0.01, 1.0
SAID = 60.0  # s between two lines of progress
KEPT = 180.0  # s of CPU time between two checkpoints


def make(name: str, settings: SimpleNamespace | None = None) -> tuple[Any, int]:
    """A model of :data:`MODELS` and the length of the windows it trains on."""
    if name == "ours":
        return (Ours(settings) if settings else Ours()), HORIZON + 1
    from neo_bringup.pusht.peer import HISTORY, Peer

    return (Peer(settings) if settings else Peer()), HISTORY + 1


def train(
    model: Any, length: int, episodes: Episodes, minutes: float, seed: int, say: Callable[[str], None],
    checkpoint: Path | None = None,
) -> dict[str, float]:  # fmt: skip
    """Trains ``model`` in place; steps, frames and CPU-minutes taken, and the last losses.

    ``checkpoint``: a file to go on from where it is there, and to leave for the next one.
    """
    s, began = model.settings, time.process_time()
    optimizer = torch.optim.AdamW(model.parameters(), lr=s.learning_rate, weight_decay=DECAY)
    means: dict[str, float] = {}
    steps, spoken = 0, time.monotonic()
    if checkpoint is not None and checkpoint.exists():
        about = _restored(checkpoint, model, optimizer)
        steps, means, began = about["steps"], about["means"], began - about["seconds"]
        say(f"goes on from step {steps}, after {about['seconds'] / 60.0:.0f} CPU-minutes")
    kept = time.process_time()
    model.train()
    while (done := (time.process_time() - began) / (60.0 * minutes)) < 1.0:
        if checkpoint is not None and time.process_time() - kept > KEPT:
            kept = time.process_time()
            _keep(checkpoint, model, optimizer, {"steps": steps, "means": means, "seconds": kept - began})
        for group in optimizer.param_groups:
            group["lr"] = s.learning_rate * rate(done)
        rng = np.random.default_rng([seed, 3, steps])
        pictures, actions = episodes.windows(s.batch, length, rng)
        shown = recolour(pictures, s.recolour, rng) if s.recolour else pictures
        terms: dict[str, Tensor] = model(*map(torch.from_numpy, (shown, actions, pictures)))
        optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        steps += 1
        for name, term in terms.items():
            value = float(term.detach())
            means[name] = 0.98 * means.get(name, value) + 0.02 * value
        if time.monotonic() - spoken > SAID:
            spoken = time.monotonic()
            losses = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
            say(f"{100 * done:3.0f} %  step {steps}  {losses}")
    model.eval()
    taken = (time.process_time() - began) / 60.0
    return {"steps": steps, "frames": steps * s.batch * length, "cpu_minutes": taken, **means}


def rate(done: float) -> float:
    """Share of the highest learning rate: up within WARM, then along a cosine to a fiftieth."""
    if done < WARM:
        return done / WARM + 1e-3
    return 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * (done - WARM) / (1.0 - WARM)))


def save(model: nn.Module, file: Path) -> None:
    """The weights, whole or not at all."""
    from safetensors.torch import save_file

    save_file(model.state_dict(), _new(file))
    _new(file).replace(file)


def _keep(file: Path, model: nn.Module, optimizer: torch.optim.Optimizer, about: dict[str, Any]) -> None:
    """Weights and what the optimiser knows of each, as safetensors; ``about`` beside them."""
    from safetensors.torch import save_file

    kept = {f"model.{name}": value for name, value in model.state_dict().items()}
    for name, weight in model.named_parameters():
        kept |= {f"{what}.{name}": value for what, value in optimizer.state[weight].items()}
    save_file(kept, _new(file), metadata={"about": json.dumps(about)})
    _new(file).replace(file)


def _restored(file: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What :func:`_keep` kept: into ``model`` and ``optimizer``; the rest is returned."""
    from safetensors import safe_open

    found: dict[str, dict[str, Tensor]] = {}
    with safe_open(file, "pt") as kept:
        for key in kept.keys():  # noqa: SIM118, it is no dictionary
            what, _, name = key.partition(".")
            found.setdefault(what, {})[name] = kept.get_tensor(key)
        about: dict[str, Any] = json.loads(kept.metadata()["about"])
    model.load_state_dict(found.pop("model"))
    for name, weight in model.named_parameters():
        optimizer.state[weight] = {what: rows[name] for what, rows in found.items()}
    return about


def _new(file: Path) -> Path:
    return file.with_suffix(file.suffix + ".new")


def load(name: str, file: Path, settings: SimpleNamespace | None = None) -> Any:
    """A trained model, ready to plan with."""
    from safetensors.torch import load_file

    model, _ = make(name, settings)
    model.load_state_dict(load_file(file))
    return model.eval()
