"""What states know of grip: a linear reader (Alain and Bengio 2016) of how hard each hand will press.

The reader sees nothing but the state imagined 0.1 s ahead, so models with and without touch are judged alike:
things that look the same differ in mass and friction, and only force and touch tell.
"""

from __future__ import annotations

import torch
from torch import Tensor

from neo_world_model.evaluate import tensors
from neo_world_model.mixture import Mixture
from neo_world_model.world_model import WorldModel

RIDGE = 1e-3  # of the mean square of the states
PRESSED = 0.5  # N of a hand: less is no grip


@torch.no_grad()
def grip_rmse(model: WorldModel, drawn: Mixture, held: Mixture, batches: int, size: int = 64) -> float:
    """N, of hands that press something in ``held``, by a reader fitted on ``drawn``; NaN when none does."""
    states, force = _pairs(model, drawn, batches, size)
    square = states.T @ states
    ridge = RIDGE * square.diagonal().mean() * torch.eye(len(square))
    reader = torch.linalg.solve(square + ridge, states.T @ force)
    states, force = _pairs(model, held, batches, size)
    wrong, pressed = (states @ reader - force).square(), force > PRESSED
    return float(wrong[pressed].mean().sqrt()) if bool(pressed.any()) else float("nan")


def _pairs(model: WorldModel, windows: Mixture, batches: int, size: int) -> tuple[Tensor, Tensor]:
    """States (m, state + 1) imagined one step ahead, the last number 1, and normal force (m, hands) then."""
    k = model.settings.context
    states, forces = [], []
    device = next(model.parameters()).device
    for number in range(batches):
        batch = tensors(windows.batch(size, number), device)
        here = batch["has_touch"][:, k] & batch["has_action"][:, k]
        then = model.imagine(model.encode(batch)[:, :k], batch["action"][:, :k]).mean(dim=0)[:, 0]
        force = batch["touch"][:, k, :, :, :, 0].mean(dim=1).sum(dim=-1)
        states.append(torch.nn.functional.pad(then, (0, 1), value=1.0)[here].cpu())
        forces.append(force[here].cpu())
    return torch.cat(states).double(), torch.cat(forces).double()
