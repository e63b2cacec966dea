"""Held-out figures of a model, and the calibration of its doubt.

    error_ratio_h    mean |imagined - encoded|² over mean |last seen - encoded|², h steps ahead; copying is 1
    spread           mean standard deviation of a state's numbers over the windows
    rank             exp of the entropy of the covariance's eigenvalues: how many directions states use
    coverage_<source> share of errors within the 90 % bound, on the half of the windows that did not set it

The bound is split conformal: the 0.9 quantile, source by source and horizon by horizon, of the squared error
over what :class:`neo_world_model.heads.Doubt` expected (Vovk et al. 2005).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from neo_world_model.mixture import Mixture
from neo_world_model.modalities import SOURCES
from neo_world_model.world_model import WorldModel

LEVEL = 0.9
SIZE = 64


def tensors(batch: dict[str, np.ndarray], device: torch.device) -> dict[str, Tensor]:
    """A batch as tensors on ``device``."""
    return {name: torch.from_numpy(values).to(device, non_blocking=True) for name, values in batch.items()}


@torch.no_grad()
def evaluate(model: WorldModel, held: Mixture, batches: int, size: int = SIZE) -> dict[str, Any]:
    """Figures; ``bounds``: source → (horizon,) of error over expected error at :data:`LEVEL`; ``quantiles``:
    source → (101,) of the same ratio one step ahead, for surprise.
    """
    device = next(model.parameters()).device
    k, horizon = model.settings.context, model.settings.horizon
    error, copied, scores, sources, states = [], [], [], [], []
    was = model.training
    model.eval()
    for number in range(batches):
        batch = tensors(held.batch(size, number), device)
        z = model.encode(batch)
        codes, _, _ = model.actions.codes(batch["action"], batch["has_action"], z)
        imagined = model.unroll(z[:, :k], codes).mean(dim=0)
        now, then = z[:, k - 1 : k], z[:, k:]
        squared = (imagined - then).square().mean(dim=-1)
        error.append(squared.cpu())
        copied.append((now - then).square().mean(dim=-1).cpu())
        scores.append((squared / model.doubt(now, imagined).exp()).cpu())
        sources.append(batch["source"].cpu())
        states.append(z.flatten(0, 1).float().cpu())
    model.train(was)
    errors, copies = torch.cat(error).numpy(), torch.cat(copied).numpy()
    figures: dict[str, Any] = {
        f"error_ratio_{h}": float(errors[:, h - 1].mean() / copies[:, h - 1].mean())
        for h in sorted({1, horizon})
    }
    figures |= _shape(torch.cat(states))
    source, score = torch.cat(sources).numpy(), torch.cat(scores).numpy()
    figures["bounds"], figures["quantiles"] = {}, {}
    for name in held.sources:
        mine = score[source == SOURCES.index(name)]
        if len(mine) >= 20:
            bound = np.quantile(mine[::2], LEVEL, axis=0)
            figures["quantiles"][name] = np.quantile(mine[:, 0], np.linspace(0.0, 1.0, 101)).tolist()
            figures["bounds"][name] = bound.tolist()
            figures[f"coverage_{name}"] = float((mine[1::2] <= bound).mean())
    return figures


def _shape(states: Tensor) -> dict[str, float]:
    values = torch.linalg.eigvalsh(torch.cov(states.T)).clamp(min=1e-12)
    share = values / values.sum()
    return {
        "spread": float(states.std(dim=0).mean()),
        "rank": float(torch.exp(-(share * share.log()).sum())),
    }
