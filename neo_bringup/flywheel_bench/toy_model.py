"""Models of a few kilobytes that a robot could run: every graph a matrix. For updates, not for acting."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from neo_world_model.episode import EVENTS
from neo_world_model.modalities import shapes, size
from neo_world_model.text import LENGTH

WIDTH, CONTEXT, HORIZON, ENSEMBLE = 16, 4, 8, 2
_KINDS = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8, "bool": TensorProto.BOOL,
          "int64": TensorProto.INT64}  # fmt: skip
Inputs = dict[str, tuple[tuple[int, ...], str]]
Outputs = dict[str, tuple[int, ...]]


def write(folder: Path, seed: int, actions: int | None = None, ballast: int = 0, hangs: bool = False) -> Path:
    """A model folder. ``actions``: numbers an action, when not the robot's; ``ballast``: more bytes of
    weights; ``hangs``: the act graph never ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    n = actions or size("action")
    senses: Inputs = {name: shapes()[name] for name in ("vision", "proprio", "force", "touch", "touch_valid")}
    has: Inputs = {f"has_{name}": ((), "bool") for name in ("vision", "proprio", "force", "touch")}
    z, proprio = ((WIDTH,), "float32"), shapes()["proprio"]
    steps = (CONTEXT - 1 + HORIZON, size("action"))
    graphs: dict[str, tuple[Inputs, str, Outputs]] = {
        "encode": ({**senses, **has, "source": ((), "int64")}, "proprio", {"z": (WIDTH,)}),
        "imagine": (
            {"past": ((CONTEXT, WIDTH), "float32"), "action": (steps, "float32")},
            "past",
            {"states": (ENSEMBLE, HORIZON, WIDTH), "events": (HORIZON, len(EVENTS)), "error": (HORIZON,)},
        ),
        "read": ({"z": z}, "z", {"proprio_mean": proprio[0], "proprio_log_std": proprio[0]}),
        "act": (
            {"z": z, "text": ((LENGTH,), "int64"), "places": ((2, 3), "float32"), "known": ((2,), "bool"),
             "proprio": proprio},
            "z",
            {"action": (HORIZON, n), "progress": (HORIZON,), "goal": (WIDTH,), "towards": (n,)},
        ),
    }  # fmt: skip
    for name, (given, of, outputs) in graphs.items():
        graph = _graph(name, given, of, outputs, rng)
        if hangs and name == "act":
            graph.graph.node.extend(_endless())
            graph.graph.output.append(helper.make_tensor_value_info("counted", TensorProto.INT64, []))
        onnx.checker.check_model(graph)
        (folder / f"{name}.onnx").write_bytes(graph.SerializeToString())
    weights = rng.integers(0, 256, ballast, dtype=np.uint8) if ballast else np.zeros(1, np.uint8)
    save_file({"weights": weights}, folder / "model.safetensors")
    settings = {"width": WIDTH, "context": CONTEXT, "horizon": HORIZON, "ensemble": ENSEMBLE}
    card = {"settings": settings, "figures": {}, "seed": seed}
    (folder / "model.json").write_text(json.dumps(card, indent=2))
    (folder / "README.md").write_text(f"# toy {seed}\n")
    return folder


def _graph(name: str, given: Inputs, of: str, outputs: Outputs, rng: np.random.Generator) -> onnx.ModelProto:
    """Every output is input ``of``, flat, times a matrix of its own."""
    inputs = [
        helper.make_tensor_value_info(k, _KINDS[kind], ["n", *shape]) for k, (shape, kind) in given.items()
    ]
    length = int(np.prod(given[of][0]))
    nodes = [helper.make_node("Flatten", [of], ["flat"], axis=1)]
    held, told = [], []
    for out, shape in outputs.items():
        matrix = (rng.standard_normal((length, int(np.prod(shape)))) / np.sqrt(length)).astype(np.float32)
        held.append(numpy_helper.from_array(matrix, f"{out}_matrix"))
        held.append(numpy_helper.from_array(np.array([-1, *shape], np.int64), f"{out}_shape"))
        nodes.append(helper.make_node("MatMul", ["flat", f"{out}_matrix"], [f"{out}_flat"]))
        nodes.append(helper.make_node("Reshape", [f"{out}_flat", f"{out}_shape"], [out]))
        told.append(helper.make_tensor_value_info(out, TensorProto.FLOAT, ["n", *shape]))
    return helper.make_model(
        helper.make_graph(nodes, name, inputs, told, held),
        opset_imports=[helper.make_opsetid("", 20)], ir_version=10,
    )  # fmt: skip


def _endless() -> list[onnx.NodeProto]:
    """Counts to 2⁶²."""
    scalar = TensorProto.INT64
    body = helper.make_graph(
        [
            helper.make_node("Add", ["count", "i"], ["more"]),
            helper.make_node("Identity", ["on"], ["still"]),
        ],
        "counting",
        [
            helper.make_tensor_value_info("i", scalar, []),
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("count", scalar, []),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("more", scalar, []),
        ],
    )
    const = [helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(value), name))
             for name, value in (("times", 2**62), ("start", 0), ("true", True))]  # fmt: skip
    return [*const, helper.make_node("Loop", ["times", "true", "start"], ["counted"], body=body)]


def broken(file: Path) -> None:
    """Makes ``file`` a graph that ONNX reads and ONNX Runtime refuses: of an operator that there is not."""
    node = helper.make_node("NoSuchOperator", ["z"], ["action"])
    told = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", WIDTH]) for name in ("z", "action")]
    made = helper.make_graph([node], "act", told[:1], told[1:])
    file.write_bytes(helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)]).SerializeToString())
