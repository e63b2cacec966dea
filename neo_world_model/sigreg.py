"""SIGReg: states look like a standard Gaussian along every direction, so they cannot collapse.

Along random unit directions the empirical characteristic function of the states is compared with that of a
normal distribution (Epps and Pulley 1983), integrated over t in [0, 3] (LeJEPA, Balestriero and LeCun 2025):

    T = n ∫ |mean exp(i t x) - exp(-t²/2)|² exp(-t²/2) dt

Under torchrun the mean is over all ranks, so the test is of the global batch.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor

KNOTS, FURTHEST = 17, 3.0


def sigreg(z: Tensor, directions: int, generator: torch.Generator | None = None) -> Tensor:
    """Scalar; ``z`` (groups, n, width): each group of n states is tested by itself.

    ``generator``: on the CPU and alike on all ranks, so that all look along the same directions.
    """
    z = z.float()
    along = torch.randn(z.shape[-1], directions, generator=generator).to(z.device)
    along = along / along.norm(dim=0)
    t = torch.linspace(0.0, FURTHEST, KNOTS, device=z.device)
    normal = torch.exp(-0.5 * t * t)
    weight = torch.full_like(t, 2.0 * FURTHEST / (KNOTS - 1))
    weight[[0, -1]] *= 0.5
    angle = (z @ along)[..., None] * t  # (groups, n, directions, knots)
    real, imaginary = _mean(angle.cos().mean(dim=1)), _mean(angle.sin().mean(dim=1))
    error = (real - normal).square() + imaginary.square()
    return (error @ (weight * normal)).mean() * (z.shape[1] * _ranks())


def _ranks() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _mean(x: Tensor) -> Tensor:
    """Over all ranks, with gradients."""
    if _ranks() == 1:
        return x
    from torch.distributed.nn.functional import all_reduce

    return all_reduce(x) / _ranks()
