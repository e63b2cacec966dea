"""Trains a model for so many CPU-minutes of this process, its windows' reading included."""

from __future__ import annotations

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


def make(name: str, settings: SimpleNamespace | None = None) -> tuple[Any, int]:
    """A model of :data:`MODELS` and the length of the windows it trains on."""
    if name == "ours":
        return (Ours(settings) if settings else Ours()), HORIZON + 1
    from neo_bringup.pusht.peer import HISTORY, Peer

    return (Peer(settings) if settings else Peer()), HISTORY + 1


def train(
    model: Any, length: int, episodes: Episodes, minutes: float, seed: int, say: Callable[[str], None]
) -> dict[str, float]:
    """Trains ``model`` in place; steps, frames and CPU-minutes taken, and the last losses."""
    s, rng, began = model.settings, np.random.default_rng([seed, 3]), time.process_time()
    optimizer = torch.optim.AdamW(model.parameters(), lr=s.learning_rate, weight_decay=DECAY)
    means: dict[str, float] = {}
    steps, spoken = 0, time.monotonic()
    model.train()
    while (done := (time.process_time() - began) / (60.0 * minutes)) < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = s.learning_rate * rate(done)
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

    partial = file.with_suffix(".new")
    save_file(model.state_dict(), partial)
    partial.replace(file)


def load(name: str, file: Path, settings: SimpleNamespace | None = None) -> Any:
    """A trained model, ready to plan with."""
    from safetensors.torch import load_file

    model, _ = make(name, settings)
    model.load_state_dict(load_file(file))
    return model.eval()
