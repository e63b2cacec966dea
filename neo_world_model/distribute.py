"""Where a process trains: alone, or as one rank of a group that ``torchrun`` made."""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import SimpleNamespace

import torch
import torch.distributed as dist
from torch import nn

from neo_description.errors import NeoError
from neo_world_model.world_model import WorldModel


@dataclass(frozen=True)
class Place:
    """This process: ``rank`` of ``ranks``, on ``device``."""

    rank: int
    ranks: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process speaks and writes for all."""
        return self.rank == 0

    def agreed(self, yes: bool) -> bool:
        """Whether any rank says yes: so all end at the same step."""
        if self.ranks == 1:
            return yes
        flag = torch.tensor(float(yes), device=self.device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag > 0.0)


def find_place(settings: SimpleNamespace) -> Place:
    """Joins the group, if there is one. NeoError when ``device`` or ``sharding`` do not fit what is here."""
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise NeoError("device cuda: PyTorch finds none here; device auto or cpu")
    cuda = settings.device != "cpu" and torch.cuda.is_available()
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if (ranks > 1) != (settings.sharding != "none"):
        raise NeoError(
            f"sharding {settings.sharding} with {ranks} process(es): ddp and fsdp2 run under torchrun with "
            "two or more, none runs alone"
        )
    if cuda:
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    else:
        device = torch.device("cpu")
    if ranks > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo")
    return Place(dist.get_rank() if ranks > 1 else 0, ranks, device)


def share_out(model: WorldModel, sharding: str, place: Place) -> nn.Module:
    """``ddp``: every rank has the whole model; ``fsdp2``: a shard of it; ``none``: the model itself."""
    if sharding == "ddp":
        return nn.parallel.DistributedDataParallel(
            model, [place.device] if place.device.type == "cuda" else None
        )
    if sharding == "fsdp2":
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(place.device.type, (place.ranks,))
        for layers in (model.encoder.mixer, model.predictor.layers):
            fully_shard(layers, mesh=mesh)
        fully_shard(model, mesh=mesh)
    return model
