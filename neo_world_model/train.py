"""Trains a world model: one process, or many under ``torchrun``.

    train(settings, folder, say=print)

Resumes where the folder's last checkpoint stands. bf16 on a GPU, never on a CPU (86 times slower there).
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_state_dict,
    set_state_dict,
)

from neo_description.errors import NeoError
from neo_world_model import checkpoint
from neo_world_model.config import weights
from neo_world_model.evaluate import evaluate, tensors
from neo_world_model.mixture import Mixture
from neo_world_model.store import Store
from neo_world_model.world_model import WorldModel

WARM_UP = 0.05  # share of the run
LEAST_RATE = 0.1  # of the highest, at the end
SPOKEN = 2.0  # s between two lines of progress
WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def train(settings: SimpleNamespace, folder: Path, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Train to the end; the card of the model: figures and how it was made."""
    rank, ranks, device = _place(settings)
    torch.manual_seed(settings.seed)
    stores = [Store(store) for store in settings.stores]
    length = settings.context + settings.horizon
    drawn = Mixture(stores, weights(settings), length, settings.seed + 1000 * rank, settings.held_out)
    held = Mixture(stores, weights(settings), length, settings.seed, settings.held_out, held=True)
    model = WorldModel(settings).to(device)
    wrapped = _share_out(model, settings.sharding, device)
    optimizer = torch.optim.AdamW(
        _decayed(wrapped, settings.weight_decay), lr=settings.learning_rate, betas=(0.9, 0.95)
    )
    begun = checkpoint.begin(folder, settings) if rank == 0 else checkpoint.resumable(folder)
    step, before = 0, 0.0
    if begun is not None:
        set_state_dict(
            wrapped, optimizer, model_state_dict=begun["model"], optim_state_dict=begun["optimizer"],
            options=StateDictOptions(full_state_dict=True),
        )  # fmt: skip
        step, before = begun["step"], begun["seconds"]
        say(f"resumed at step {step}") if rank == 0 else None
    board = _board(folder) if rank == 0 else None
    half = torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()
    started, spoken, card = time.monotonic(), 0.0, {}
    seen = 0
    done = False
    while not done:
        seconds = before + time.monotonic() - started
        progress = _progress(settings, step, seconds)
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * rate(progress)
        batch = tensors(drawn.batch(settings.batch, step), device)
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
        with half:
            terms = wrapped(batch, generator)
        optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        norm = nn.utils.clip_grad_norm_(wrapped.parameters(), settings.clip)
        optimizer.step()
        step, seen = step + 1, seen + settings.batch * length * ranks
        done = _agreed(_progress(settings, step, before + time.monotonic() - started) >= 1.0, device)
        if not math.isfinite(float(terms["loss"].detach())):
            raise NeoError(f"the loss is not finite at step {step}; lower learning_rate")
        if board is not None and time.monotonic() - spoken > SPOKEN:
            spoken = time.monotonic()
            speed = seen / (spoken - started)
            _tell(board, say, step, progress, terms, float(norm), speed)
        if done or step % settings.evaluate_every == 0:
            card = _pause(wrapped, model, optimizer, held, settings, folder, step,
                          before + time.monotonic() - started, rank)  # fmt: skip
            if board is not None:
                _note(board, say, step, card["figures"])
    if board is not None:
        board.close()
    return card


def rate(progress: float) -> float:
    """Learning rate over the highest at ``progress`` 0..1: linear warm-up, then half a cosine."""
    if progress < WARM_UP:
        return max(progress / WARM_UP, 0.01)
    fallen = (progress - WARM_UP) / (1.0 - WARM_UP)
    return LEAST_RATE + (1.0 - LEAST_RATE) * 0.5 * (1.0 + math.cos(math.pi * min(fallen, 1.0)))


def _progress(settings: SimpleNamespace, step: int, seconds: float) -> float:
    if settings.minutes > 0.0:
        return seconds / (60.0 * settings.minutes)
    return step / settings.steps


def _place(settings: SimpleNamespace) -> tuple[int, int, torch.device]:
    """Rank, number of ranks, device; joins the group that ``torchrun`` made."""
    cuda = settings.device == "cuda" or (settings.device == "auto" and torch.cuda.is_available())
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise NeoError("device cuda: PyTorch finds none here; device auto or cpu")
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if (ranks > 1) != (settings.sharding != "none"):
        raise NeoError(
            f"sharding {settings.sharding} with {ranks} process(es): ddp and fsdp2 run under torchrun with "
            "two or more, none runs alone"
        )
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if ranks > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo")
    return (dist.get_rank() if ranks > 1 else 0), ranks, device


def _share_out(model: WorldModel, sharding: str, device: torch.device) -> nn.Module:
    if sharding == "ddp":
        return nn.parallel.DistributedDataParallel(model, [device] if device.type == "cuda" else None)
    if sharding == "fsdp2":
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(device.type, (dist.get_world_size(),))
        for layers in (model.encoder.mixer, model.predictor.layers):
            fully_shard(layers, mesh=mesh)
        fully_shard(model, mesh=mesh)
    return model


def _decayed(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Matrices decay; what is added or scales does not."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    return [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _agreed(done: bool, device: torch.device) -> bool:
    """Whether any rank is done: all end at the same step."""
    if not dist.is_initialized():
        return done
    flag = torch.tensor(float(done), device=device)
    dist.all_reduce(flag, dist.ReduceOp.MAX)
    return bool(flag > 0.0)


def _pause(
    wrapped: nn.Module, model: WorldModel, optimizer: torch.optim.Optimizer, held: Mixture,
    settings: SimpleNamespace, folder: Path, step: int, seconds: float, rank: int,
) -> dict[str, Any]:  # fmt: skip
    """Held-out figures and a checkpoint. All ranks gather the weights, the first writes."""
    weights_now, optimizer_now = get_state_dict(wrapped, optimizer, options=WHOLE)
    if rank != 0:
        return {}
    whole = WorldModel(settings)
    whole.load_state_dict(weights_now)
    figures = evaluate(whole.to(next(model.parameters()).device), held, settings.evaluate_batches)
    card = {"step": step, "seconds": seconds, "figures": figures}
    state = {"model": weights_now, "optimizer": optimizer_now, "step": step, "seconds": seconds}
    checkpoint.save(folder, state, settings, card)
    return card


def _board(folder: Path) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))


def _tell(
    board: Any,
    say: Callable[[str], None],
    step: int,
    progress: float,
    terms: dict[str, Any],
    norm: float,
    speed: float,
) -> None:
    values = {name: float(value.detach()) for name, value in terms.items()}
    for name, value in {**values, "gradient": norm, "frames_per_s": speed}.items():
        board.add_scalar(f"train/{name}", value, step)
    say(
        f"{100 * min(progress, 1.0):3.0f} %  step {step}  loss {values['loss']:.3f}  "
        f"predict {values['predict']:.4f}  sigreg {values['sigreg']:.2f}  {speed:.0f} frames/s"
    )


def _note(board: Any, say: Callable[[str], None], step: int, figures: dict[str, Any]) -> None:
    numbers = {name: value for name, value in figures.items() if isinstance(value, float)}
    for name, value in numbers.items():
        board.add_scalar(f"held_out/{name}", value, step)
    say("held out: " + "  ".join(f"{name} {value:.3f}" for name, value in numbers.items()))
