"""A toy robot for tests of training: a ball that goes where the action says, seen, sensed and felt.

Its place x in the unit square follows x' = x + 0.15 a, bouncing off the border. Pictures show a blob at x,
proprioception holds x among noise, pads feel it near the border. So there is something to learn in seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neo_world_model import config
from neo_world_model.episode import Episode
from neo_world_model.modalities import shapes
from neo_world_model.store import Store
from neo_world_model.train import train


def episode(
    seed: int,
    steps: int = 40,
    source: str = "sim",
    senses: tuple[str, ...] = ("vision", "proprio", "force", "touch"),
) -> Episode:
    """Random walks whose action is held for some steps; ``web_video``: pictures only."""
    rng = np.random.default_rng(seed)
    x, v = rng.uniform(0.2, 0.8, 2), rng.uniform(-1.0, 1.0, 2)
    rows = {name: np.zeros((steps, *shape), dtype) for name, (shape, dtype) in shapes().items()}
    rows["touch_valid"][:] = True
    (_, height, width, _), _ = shapes()["vision"]
    v_px, u_px = np.mgrid[0:height, 0:width]
    for t in range(steps):
        if rng.random() < 0.2:
            v = rng.uniform(-1.0, 1.0, 2)
        blob = np.exp(-((u_px / width - x[0]) ** 2 + (v_px / height - x[1]) ** 2) / 0.01)
        rows["vision"][t] = (60 + 180 * blob[..., None] + rng.integers(0, 8, (height, width, 3))).astype(
            np.uint8
        )
        rows["proprio"][t] = 0.05 * rng.standard_normal(rows["proprio"].shape[1])
        rows["proprio"][t, :20] += np.tile(4.0 * (x - 0.5), 10)
        rows["force"][t, :10] = 4.0 * (x[0] - 0.5)
        rows["touch"][t, :, 0, 0, 0] = 5.0 * (x[0] > 0.9)
        rows["action"][t, :2] = v
        x = x + 0.15 * v
        x, v = np.where(x > 1.0, 2.0 - x, np.abs(x)), np.where((x > 1.0) | (x < 0.0), -v, v)
    if source == "web_video":
        senses = ("vision",)
        del rows["action"]
    for name in ("vision", "proprio", "force", "touch"):
        if name not in senses:
            del rows[name]
    if "touch" not in rows:
        del rows["touch_valid"]
    fell = np.zeros(steps, np.float32)
    return Episode(
        source, rows, np.full(steps, 2, np.int8), prompt="go about", seed=seed, privileged={"falls": fell}
    )


def trained(folder: Path, episodes: int, length: int, **settings: Any) -> Path:
    """A run on so many toy episodes of ``length`` steps."""
    store = Store.create(folder / "store")
    for i in range(episodes):
        store.add(episode(i, length))
    small = {"width": 32, "channels": 8, "heads": 2, "predictor_layers": 1, "pixel_weight": 1.0}
    chosen = config.load("ci", **small, stores=[str(store.folder)], evaluate_every=1000, **settings)
    train(chosen, folder / "run", lambda line: None)
    return folder / "run"
