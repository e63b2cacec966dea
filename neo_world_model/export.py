"""Writes the graphs of :mod:`neo_world_model.runtime`, equal to PyTorch's within 1e-4."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from neo_world_model.modalities import shapes, size, state_size
from neo_world_model.runtime import ACT, ENCODE, IMAGINE, READ, WHERE
from neo_world_model.text import LENGTH
from neo_world_model.world_model import WorldModel

OPSET = 20
SHOWN = 3  # steps of the example that is traced: no other dimension is as long


class _Encode(nn.Module):
    def __init__(self, model: WorldModel):
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> Tensor:
        senses = self.model.encoder.senses
        given = dict(zip(encode_inputs(senses), inputs, strict=True))
        return self.model.state(given, {name: given[f"has_{name}"] for name in senses})


class _Imagine(nn.Module):
    def __init__(self, model: WorldModel):
        super().__init__()
        self.model = model

    def forward(self, past: Tensor, action: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        states = self.model.imagine(past, action)
        now, mean = past[:, -1:], states.mean(dim=0)
        events = torch.sigmoid(self.model.consequences(now, mean))
        return states, events, self.model.doubt(now, mean).exp()


class _Read(nn.Module):
    def __init__(self, model: WorldModel):
        super().__init__()
        self.senses, self.pixels = model.senses, model.pixels

    def forward(self, z: Tensor) -> tuple[Tensor, ...]:
        out = [value for pair in self.senses(z).values() for value in pair]
        return tuple(out) if self.pixels is None else (*out, self.pixels(z))


class _Where(nn.Module):
    def __init__(self, model: WorldModel):
        super().__init__()
        assert model.where is not None
        self.where, self.text = model.where, model.text

    def forward(self, vision: Tensor, proprio: Tensor, text: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        found = self.where(vision, proprio, self.text(text))
        return found.place, found.log_std.exp(), torch.sigmoid(found.named)


class _Act(nn.Module):
    def __init__(self, model: WorldModel):
        super().__init__()
        self.text, self.policy, self.goal, self.inverse = model.text, model.policy, model.goal, model.inverse
        self.horizon = model.settings.horizon

    def forward(
        self, z: Tensor, text: Tensor, places: Tensor, known: Tensor, proprio: Tensor, begun: Tensor
    ) -> tuple[Tensor, ...]:
        words = self.text(text)
        told = self.policy(z, words, places, known, proprio, begun)
        goal = self.goal(z, words, places, known)
        far = torch.full_like(text[:, 0], self.horizon)
        return told.action(), told.progress, goal, self.inverse(z, goal, far)


def read_outputs(model: WorldModel) -> list[str]:
    """Names of the outputs of ``read.onnx``."""
    names = [f"{name}_{part}" for name in model.senses.out for part in ("mean", "log_std")]
    return names if model.pixels is None else [*names, "picture"]


def encode_inputs(senses: tuple[str, ...]) -> list[str]:
    """Names of the inputs of ``encode.onnx``."""
    values = [*senses, *(["touch_valid"] if "touch" in senses else [])]
    return [*values, *(f"has_{name}" for name in senses), "source"]


def example(name: str, n: int) -> Tensor:
    """An input of the right shape and type."""
    if name == "source":
        return torch.zeros(n, dtype=torch.int64)
    if name.startswith("has_"):
        return torch.ones(n, dtype=torch.bool)
    shape, dtype = shapes()[name]
    return torch.zeros((n, *shape), dtype=getattr(torch, dtype))


def export(model: WorldModel, folder: Path) -> None:
    """Write the graphs into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    model = model.eval().cpu()
    s = model.settings
    names = encode_inputs(model.encoder.senses)
    state = state_size(s)
    z, text = torch.zeros(SHOWN, state), torch.ones(SHOWN, LENGTH, dtype=torch.int64)
    past = torch.zeros(SHOWN, s.context, state)
    action = torch.zeros(SHOWN, s.context - 1 + s.horizon, size("action"))
    places, known = torch.zeros(SHOWN, 2, 3), torch.ones(SHOWN, 2, dtype=torch.bool)
    proprio = example("proprio", SHOWN)
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # its fused operator has no ONNX twin
    try:
        _write(_Encode(model), {name: example(name, SHOWN) for name in names}, ["z"], folder / ENCODE)
        given = {"past": past, "action": action}
        _write(_Imagine(model), given, ["states", "events", "error"], folder / IMAGINE)
        _write(_Read(model), {"z": z}, read_outputs(model), folder / READ)
        if model.where is not None:
            seen = {"vision": example("vision", SHOWN), "proprio": proprio, "text": text}
            _write(_Where(model), seen, ["places", "spread", "named"], folder / WHERE)
        else:
            (folder / WHERE).unlink(missing_ok=True)  # of another model that was here
        told = {
            "z": z,
            "text": text,
            "places": places,
            "known": known,
            "proprio": proprio,
            "begun": places.clone(),
        }
        _write(_Act(model), told, ["action", "progress", "goal", "towards"], folder / ACT)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _write(graph: nn.Module, given: dict[str, Tensor], outputs: Sequence[str], file: Path) -> None:
    """``given``: an example of every input, by its name; all grow along their first dimension."""
    n = torch.export.Dim("n", min=1, max=4096)
    grow: Any = tuple({0: n} for _ in given)
    takes_any_number = isinstance(graph, _Encode)  # its forward is (*inputs)
    torch.onnx.export(
        graph.eval(), tuple(given.values()), file, input_names=list(given), output_names=list(outputs),
        dynamic_shapes=(grow,) if takes_any_number else grow, opset_version=OPSET, dynamo=True,
        external_data=False, verbose=False,
    )  # fmt: skip
    _forget_where(file)


def _forget_where(file: Path) -> None:
    """Take out of every node how PyTorch made it: that names folders of the machine."""
    made = onnx.load(file)
    for node in made.graph.node:
        del node.metadata_props[:]
    onnx.save(made, file)
