"""Pictures looked at once, for runs in which the eyes stay as they are: the tokens that they make of each.

    looked = Looked(model.encoder, stores)
    looked.window(0, 120, 12, flipped=False)         # (12, tokens, width), in the place of (12, 2, 48, 64, 3)

Convolutions are two thirds of what a window costs to learn from. With the eyes of a model that was trained
before, everything behind them learns from several times as many windows in the same time. Pictures are kept
as they are and as a mirror shows them, under the lamp that they were taken by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import torch

from neo_world_model.encoder import TOKENS, Eyes, StepEncoder
from neo_world_model.mirror import mirrored
from neo_world_model.store import Store

EACH = 128  # steps that are looked at at a time
SPOKEN = 10  # times that progress is told


class Looked:
    """Of all pictures in ``stores``, in their order."""

    def __init__(
        self, encoder: StepEncoder, stores: list[Store], say: Callable[[str], None] = lambda _: None
    ):
        eyes = cast(Eyes, encoder.makers["vision"])
        self.shape = TOKENS["vision"], eyes.out.out_features // TOKENS["vision"]  # of a step
        place = next(eyes.parameters()).device
        self._tokens = []
        total, done = sum(store.rows("vision") for store in stores), 0
        for store in stores:
            rows = store.rows("vision")
            tokens = np.zeros((rows, 2, *self.shape), np.float16)
            for first in range(0, rows, EACH):
                seen = store.column("vision", first, min(first + EACH, rows))
                both = (seen, mirrored({"vision": seen})["vision"])
                for way, pictures in enumerate(both):
                    given = torch.from_numpy(np.ascontiguousarray(pictures)).to(place)
                    with torch.no_grad():
                        tokens[first : first + EACH, way] = eyes(given).cpu().numpy()
                if done * SPOKEN // total != (done + EACH) * SPOKEN // total:
                    say(f"looking at every picture once: {done / total:3.0%}")
                done += EACH
            self._tokens.append(tokens)

    def window(self, store: int, row: int, steps: int, flipped: bool) -> np.ndarray:
        """(steps, tokens, width) of the pictures from ``row`` of a store on; ``flipped``: in the mirror."""
        return self._tokens[store][row : row + steps, int(flipped)].astype(np.float32)
