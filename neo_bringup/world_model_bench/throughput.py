"""How fast a model trains, against what the machine's matrix multiplication would allow.

    share = frames a second / (multiplications a second / multiplications a frame)

Multiplications of a frame are counted by PyTorch, forward and backward; those a second are the best of a few
products of large matrices in fp32 with as many threads. Drawing batches and the optimiser count as time only.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from neo_world_model import config, heap
from neo_world_model.evaluate import tensors
from neo_world_model.train import Trainer

SIZE = 2048  # of the matrices
TRIES, WARM, STEPS = 8, 3, 25


def throughput(store: Path, recipe: str = "laptop") -> dict[str, float]:
    """``frames_per_s``, ``limit_frames_per_s`` and their ``share``, training ``recipe`` on ``store``."""
    settings = config.load(
        recipe, stores=[str(store)], minutes=0.0, steps=WARM + STEPS, device="cpu", held_out=2
    )
    with tempfile.TemporaryDirectory() as folder, heap.kept():
        trainer = Trainer(settings, Path(folder), lambda line: None)
        frames = settings.batch * (settings.context + settings.horizon)
        batch = tensors(trainer.drawn.batch(settings.batch, 0), torch.device("cpu"))
        with FlopCounterMode(display=False) as counted:
            trainer.model(batch, torch.Generator().manual_seed(0))["loss"].backward()
        each = counted.get_total_flops() / frames
        for _ in range(WARM):
            trainer.step()
        began = time.perf_counter()
        for _ in range(STEPS):
            trainer.step()
        speed = STEPS * frames / (time.perf_counter() - began)
    limit = _multiplied() / each
    return {"frames_per_s": speed, "limit_frames_per_s": limit, "share": speed / limit}


def _multiplied() -> float:
    """Floating point operations a second of the best of some products."""
    a, b = torch.randn(SIZE, SIZE), torch.randn(SIZE, SIZE)
    best = float("inf")
    for _ in range(TRIES):
        began = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - began)
    return 2.0 * SIZE**3 / best
