"""Trains a world model: one process, or many under ``torchrun``.

    card = train(settings, folder, say=print)

Goes on where the folder's last checkpoint stands. bf16 on a GPU, never on a CPU (86 times slower there).
"""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict

from neo_description.errors import NeoError
from neo_world_model import checkpoint, heap
from neo_world_model.config import weights
from neo_world_model.distribute import find_place, share_out
from neo_world_model.evaluate import evaluate, tensors
from neo_world_model.kept import Kept
from neo_world_model.looked import Looked
from neo_world_model.made import made
from neo_world_model.mixture import Mixture
from neo_world_model.runtime import card
from neo_world_model.store import Store
from neo_world_model.world_model import WorldModel

WARM_UP = 0.05  # share of the run
LEAST_RATE = 0.1  # of the highest, at the end
SPOKEN = 2.0  # s between two lines of progress
SAID = ("loss", "predict", "sigreg", "policy", "where")
# as PyTorch says it; the last one's cause is that ``linecache`` takes no memory for no source
NO_MEMORY = ("can't allocate memory", "out of memory", "bad_alloc", "could not get source code")
WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def train(settings: SimpleNamespace, folder: Path, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Train to the end; the card of the model: step, seconds, figures. Empty on all ranks but the first."""
    try:
        with heap.kept():
            return _trained(Trainer(settings, folder, say))
    except (MemoryError, RuntimeError, OSError) as error:
        if not lacks_memory(error):
            raise
        raise NeoError(
            f"out of memory at batch {settings.batch}; {folder} is as at its last checkpoint, and the same "
            "command goes on from there. Less is needed with --set batch=N or --set channels=N (a new --out)"
        ) from error


def lacks_memory(error: Exception) -> bool:
    """Whether memory was short, as Python, PyTorch or the system (a file that is mapped) say it."""
    mapped = isinstance(error, OSError) and error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or mapped or any(word in str(error) for word in NO_MEMORY)


def _trained(trainer: Trainer) -> dict[str, Any]:
    trainer.resume()
    while not trainer.done:
        trainer.step()
        if trainer.done or trainer.steps % trainer.settings.evaluate_every == 0:
            trainer.pause()
    trainer.close()
    return trainer.card


def rate(progress: float) -> float:
    """Learning rate over the highest at ``progress`` 0..1: linear warm-up, then half a cosine."""
    if progress < WARM_UP:
        return max(progress / WARM_UP, 0.01)
    fallen = (progress - WARM_UP) / (1.0 - WARM_UP)
    return LEAST_RATE + (1.0 - LEAST_RATE) * 0.5 * (1.0 + math.cos(math.pi * min(fallen, 1.0)))


class Trainer:
    """``steps`` done, ``done``, and the ``card`` of the last :meth:`pause`."""

    def __init__(self, settings: SimpleNamespace, folder: Path, say: Callable[[str], None]):
        self.settings, self.folder, self._say = settings, folder, say
        self.place = place = find_place(settings)
        torch.manual_seed(settings.seed)
        stores, mix = [Store(store) for store in settings.stores], weights(settings)
        self._made = made(settings, stores)
        self._length = settings.context + settings.horizon
        own = settings.seed + 1000 * place.rank  # each rank draws its own windows
        each, k = settings.held_out, settings.context
        self.model = _begun(settings).to(place.device)
        looked = Looked(self.model.encoder, stores, say) if settings.looked else None
        self.drawn = Mixture(
            stores,
            mix,
            self._length,
            own,
            each,
            context=k,
            mirror=settings.mirror,
            light=settings.light,
            reword=settings.reword,
            looked=looked,
        )
        self._held = Mixture(stores, mix, self._length, settings.seed, each, held=True, context=k)
        self._kept = self._keep(own) if settings.kept else None
        self._wrapped = share_out(self.model, settings.sharding, place)
        self._optimizer = torch.optim.AdamW(
            _decayed(self._wrapped, settings.weight_decay), lr=settings.learning_rate, betas=(0.9, 0.95)
        )
        self._board: Any = None
        self._half = place.device.type == "cuda"
        self._started, self._before = time.monotonic(), 0.0
        self._spoken, self._seen = 0.0, 0
        self.steps = 0
        self.done = False
        self.card: dict[str, Any] = {}

    def _keep(self, seed: int) -> Kept:
        if self.model.learning != {"policy"}:
            raise NeoError(f"kept: {self.settings.kept} states; it needs trained: [policy], and nothing else")
        kept = Kept(self.model, self.drawn, self.settings.kept, seed, self._say)
        if not len(kept):
            raise NeoError(f"of {self.settings.kept} windows none teaches the policy anything")
        self.model.policy.hear_evenly(kept.words.to(self.place.device))
        return kept

    def resume(self) -> None:
        """Open the run's folder and go on from its checkpoint, if there is one."""
        first = self.place.first
        state = checkpoint.begin(self.folder, self.settings) if first else checkpoint.resumable(self.folder)
        if state is not None:
            set_state_dict(
                self._wrapped, self._optimizer, model_state_dict=state["model"],
                optim_state_dict=state["optimizer"], options=StateDictOptions(full_state_dict=True),
            )  # fmt: skip
            self.steps, self._before = state["step"], state["seconds"]
            self.done = self.progress >= 1.0
            if first:
                self.card = card(self.folder)
                self._say(f"resumed at step {self.steps}")
        if first:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(self.folder))

    @property
    def seconds(self) -> float:
        """That the run has taken, over all its resumptions."""
        return self._before + time.monotonic() - self._started

    @property
    def progress(self) -> float:
        """Share of the run that is done, by time or by steps."""
        if self.settings.minutes > 0.0:
            return self.seconds / (60.0 * self.settings.minutes)
        return self.steps / self.settings.steps

    def step(self) -> None:
        """One step of the optimiser."""
        s = self.settings
        for group in self._optimizer.param_groups:
            first, last = s.schedule
            group["lr"] = s.learning_rate * rate(first + (last - first) * self.progress)
        drawn = self.drawn if self._kept is None else self._kept
        batch = tensors(drawn.batch(s.batch, self.steps), self.place.device)
        drawn_by = s.seed * 1_000_003 + self.steps
        torch.manual_seed(drawn_by)  # of dropout, so that a resumed run draws as one that was not cut off
        generator = torch.Generator().manual_seed(drawn_by)
        with torch.autocast("cuda", torch.bfloat16) if self._half else nullcontext():
            terms = self._wrapped(batch, generator)
        self._optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        norm = nn.utils.clip_grad_norm_(self._wrapped.parameters(), s.clip)
        if not math.isfinite(float(norm)):
            raise NeoError(f"gradients are not finite at step {self.steps}; lower learning_rate")
        self._optimizer.step()
        self.steps += 1
        self._seen += s.batch * self._length * self.place.ranks
        self.done = self.place.agreed(self.progress >= 1.0)
        self._tell(terms, float(norm))

    def pause(self) -> None:
        """Held-out figures and a checkpoint. All ranks gather the weights, the first writes."""
        weights_now, optimizer_now = get_state_dict(self._wrapped, self._optimizer, options=WHOLE)
        if not self.place.first:
            return
        whole = WorldModel(self.settings)
        whole.load_state_dict(weights_now)
        figures = evaluate(whole.to(self.place.device), self._held, self.settings.evaluate_batches)
        self.card = {"step": self.steps, "seconds": self.seconds, "figures": figures, "made": self._made}
        state = {
            "model": weights_now,
            "optimizer": optimizer_now,
            "step": self.steps,
            "seconds": self.seconds,
        }
        checkpoint.save(self.folder, state, self.settings, self.card)
        numbers = {name: value for name, value in figures.items() if isinstance(value, float)}
        for name, value in numbers.items():
            self._board.add_scalar(f"held_out/{name}", value, self.steps)
        self._say("held out: " + "  ".join(f"{name} {value:.3f}" for name, value in numbers.items()))

    def close(self) -> None:
        """Write out the curves."""
        if self._board is not None:
            self._board.close()

    def _tell(self, terms: dict[str, Tensor], norm: float) -> None:
        if self._board is None or (time.monotonic() - self._spoken < SPOKEN and not self.done):
            return
        self._spoken = time.monotonic()
        speed = self._seen / (self._spoken - self._started)
        values = {name: float(value.detach()) for name, value in terms.items()}
        for name, value in {**values, "gradient": norm, "frames_per_s": speed}.items():
            self._board.add_scalar(f"train/{name}", value, self.steps)
        parts = "  ".join(f"{name} {values[name]:.3f}" for name in SAID if name in values)
        self._say(f"{100 * min(self.progress, 1.0):3.0f} %  step {self.steps}  {parts}  {speed:.0f} frames/s")


def _begun(settings: SimpleNamespace) -> WorldModel:
    """The model before its first step."""
    model = WorldModel(settings)
    parts = dict(model.named_children())
    unknown = {*settings.frozen, *settings.trained, *settings.anew} - set(parts)
    if unknown:
        raise NeoError(f"no part {', '.join(sorted(unknown))}; a model's parts are {', '.join(parts)}")
    if settings.start:
        checkpoint.fill(model, settings.start, but=settings.anew)
    for name in parts if settings.trained else ():
        parts[name].requires_grad_(name in settings.trained)
    for name in settings.frozen:
        parts[name].requires_grad_(False)
    if settings.looked:
        if not settings.start or "vision" not in settings.senses or settings.kept:
            raise NeoError("looked: it needs `start`, vision among the senses, and no `kept`")
        for part in (model.encoder.makers["vision"], model.text, model.where, model.pixels):
            if part is not None:
                part.requires_grad_(False)
    return model


def _decayed(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Matrices decay; what is added or scales does not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.ndim >= 2]
    others = [p for p in trained if p.ndim < 2]
    return [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
