"""Windows as states, for runs in which the policy alone learns: encoded once, drawn again and again.

    kept = Kept(model, mixture, windows=200_000)
    batch = kept.batch(512, 0)         # as a mixture's, of one step, with "state" and "words"

While everything but the policy stays as it is, so do the state of a step and the words of its prompt, and the
policy is a small part of what a batch costs. Windows are drawn as ever: in a mirror, under other lamps, with
senses withheld. Those that teach a policy nothing are left out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from neo_world_model.evaluate import tensors
from neo_world_model.losses import encoded_now, taught
from neo_world_model.mixture import Mixture
from neo_world_model.world_model import WorldModel

EACH = 128  # windows that are encoded at a time
AS_THEY_ARE = ("meant", "failed", "lesson", "lesson_progress", "privileged_begun")  # one for a window
NOW = ("proprio", "privileged_places", "provenance", "has_action")  # of the last step of the context
SPOKEN = 20  # times that progress is told


class Kept:
    """``windows`` of ``drawn``, on the CPU; ``seed`` draws from them."""

    def __init__(
        self, model: WorldModel, drawn: Mixture, windows: int, seed: int = 0,
        say: Callable[[str], None] = lambda _: None,
    ):  # fmt: skip
        self._seed = seed
        k, place = model.settings.context, next(model.parameters()).device
        generator = torch.Generator().manual_seed(seed)
        found: dict[str, list[Tensor]] = {}
        batches = -(-windows // EACH)
        for number in range(batches):
            if number % max(1, batches // SPOKEN) == 0:
                say(f"encoding what the policy learns from: {number / batches:3.0%}")
            batch = tensors(drawn.batch(EACH, number), torch.device("cpu"))
            teaches = taught(batch, k)[:, 0]
            if not teaches.any():
                continue
            rows = {name: batch[name][teaches] for name in AS_THEY_ARE}
            rows |= {name: batch[name][teaches, k - 1 : k] for name in NOW}
            there = {name: x[teaches].to(place) for name, x in batch.items()}
            with torch.no_grad():
                rows["state"] = encoded_now(model, there, generator).cpu()
                rows["words"] = model.text(there["text"]).cpu()
            for name, values in rows.items():
                found.setdefault(name, []).append(values)
        self._rows = {name: torch.cat(parts) for name, parts in found.items()}

    def __len__(self) -> int:
        return len(self._rows["state"]) if self._rows else 0

    @property
    def words(self) -> Tensor:
        """(n, width): what their prompts say."""
        return self._rows["words"]

    def batch(self, count: int, number: int) -> dict[str, np.ndarray]:
        """``count`` windows, each of its last step of context; the same number gives the same."""
        drawn = np.random.default_rng([self._seed, number]).integers(len(self), size=count)
        return {name: rows[drawn].numpy() for name, rows in self._rows.items()}
