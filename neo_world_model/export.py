"""A model for ONNX Runtime: graphs beside its weights, equal to PyTorch's within 1e-4.

    encode.onnx    one step's senses (n, …), has_<sense> (n,), source (n,) → z (n, width)
    imagine.onnx   past (n, context, width), action (n, context - 1 + horizon, size) →
                   states (ensemble, n, horizon, width), events (n, horizon, events), error (n, horizon)
    read.onnx      z (n, width) → <sense>_mean and <sense>_log_std (n, …); picture (n, 2, H, W, 3) if trained

``events`` are probabilities, ``error`` the expected squared error.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from neo_description.errors import NeoError
from neo_world_model.modalities import shapes, size
from neo_world_model.world_model import WorldModel

ENCODE, IMAGINE, READ = "encode.onnx", "imagine.onnx", "read.onnx"
OPSET = 20
SHOWN = 3  # steps of the example that is traced: no other dimension is as long


class _Encode(nn.Module):
    def __init__(self, model: WorldModel):
        super().__init__()
        self.encoder = model.encoder

    def forward(self, *inputs: Tensor) -> Tensor:
        given = dict(zip(encode_inputs(self.encoder.senses), inputs, strict=True))
        has = {name: given[f"has_{name}"] for name in self.encoder.senses}
        return self.encoder(given, has)


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
    model = model.eval().cpu()
    s = model.settings
    n = torch.export.Dim("n", min=1, max=4096)
    names = encode_inputs(model.encoder.senses)
    past = torch.zeros(SHOWN, s.context, s.width)
    action = torch.zeros(SHOWN, s.context - 1 + s.horizon, size("action"))
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # its fused operator has no ONNX twin
    try:
        torch.onnx.export(
            _Encode(model).eval(), tuple(example(name, SHOWN) for name in names), folder / ENCODE,
            input_names=names, output_names=["z"], dynamic_shapes=(tuple({0: n} for _ in names),),
            opset_version=OPSET, dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
        torch.onnx.export(
            _Imagine(model).eval(), (past, action), folder / IMAGINE, input_names=["past", "action"],
            output_names=["states", "events", "error"], dynamic_shapes=({0: n}, {0: n}), opset_version=OPSET,
            dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
        torch.onnx.export(
            _Read(model).eval(), (torch.zeros(SHOWN, s.width),), folder / READ, input_names=["z"],
            output_names=read_outputs(model), dynamic_shapes=({0: n},), opset_version=OPSET,
            dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


class Runtime:
    """The graphs in ONNX Runtime; numpy in, numpy out."""

    def __init__(self, folder: Path | str, threads: int = 2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._encode, self._imagine, self._read = (
                onnxruntime.InferenceSession(str(Path(folder) / name), options, ["CPUExecutionProvider"])
                for name in (ENCODE, IMAGINE, READ)
            )
        except Exception as error:  # ONNX Runtime's own have no common root
            raise NeoError(f"no model for ONNX Runtime in {folder}: {str(error)[:200]}") from None
        self.inputs = [i.name for i in self._encode.get_inputs()]
        kinds = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(bool)": "bool"}
        # name, shape of one step and type of every input
        self.wanted = [
            (i.name, tuple(i.shape[1:]), kinds.get(i.type, "int64")) for i in self._encode.get_inputs()
        ]
        self._outputs = [o.name for o in self._read.get_outputs()]

    def encode(self, senses: dict[str, np.ndarray]) -> np.ndarray:
        """z (n, width) of inputs named as in :func:`encode_inputs`."""
        return np.asarray(self._encode.run(None, {name: senses[name] for name in self.inputs})[0])

    def imagine(self, past: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """States, events and expected error, as above."""
        states, events, error = self._imagine.run(None, {"past": past, "action": action})
        return np.asarray(states), np.asarray(events), np.asarray(error)

    def read(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """What states ``z`` (n, width) say of senses, and their picture."""
        return dict(zip(self._outputs, map(np.asarray, self._read.run(None, {"z": z})), strict=True))
