"""A canned replay: inputs of every graph and what it answered where it was released.

    GRAPH.in.NAME, GRAPH.out.NAME    in one safetensors file

A robot's processor and runtime are not the publisher's: answers may differ by TOLERANCE, as ONNX Runtime's
own kernels do, and no more.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import load_file, save_file

from neo_description.errors import NeoError
from neo_flywheel.update.manifest import REPLAY
from neo_world_model import text
from neo_world_model.modalities import SOURCES

ROWS = 3
SEED = 20
TOLERANCE = 1e-3  # absolute, and relative to what was stored
PROMPTS = ["pick up the red bottle", "put the cup on the tray", "give me the ball"]
_TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(bool)": np.bool_}


def session(file: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """``file`` in ONNX Runtime on the processor; NeoError when it does not load."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(file), options, ["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own have no common root
        raise NeoError(f"{file.name} does not load in ONNX Runtime: {str(error)[:200]}") from None


def made_up(graph: onnxruntime.InferenceSession, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Inputs (ROWS, …) of the right shapes and types: noise, real prompts, every source."""
    given = {}
    for wanted in graph.get_inputs():
        shape = (ROWS, *(n if isinstance(n, int) else 1 for n in wanted.shape[1:]))
        if wanted.name == "text":
            given[wanted.name] = text.encode(PROMPTS)
        elif wanted.name == "source":
            given[wanted.name] = rng.integers(0, len(SOURCES), ROWS)
        elif wanted.type == "tensor(uint8)":
            given[wanted.name] = rng.integers(0, 256, shape).astype(np.uint8)
        elif wanted.type == "tensor(bool)":
            given[wanted.name] = rng.random(shape) < 0.8
        else:
            given[wanted.name] = rng.standard_normal(shape).astype(_TYPES.get(wanted.type, np.int64))
    return given


def record(folder: Path, file: Path) -> Path:
    """Runs every graph in ``folder`` once and stores it in ``file``; NeoError when one is not finite."""
    rng, rows = np.random.default_rng(SEED), {}
    for path in sorted(folder.glob("*.onnx")):
        graph = session(path)
        given = made_up(graph, rng)
        for name, value in given.items():
            rows[f"{path.stem}.in.{name}"] = value
        for name, value in _answers(graph, given).items():
            if not np.isfinite(value).all():
                raise NeoError(f"{path.name}: {name} is not finite for a plain input")
            rows[f"{path.stem}.out.{name}"] = value
    save_file({name: np.ascontiguousarray(value) for name, value in rows.items()}, file)
    return file


def _answers(graph: onnxruntime.InferenceSession, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    names = [output.name for output in graph.get_outputs()]
    return dict(zip(names, map(np.asarray, graph.run(None, given)), strict=True))


def differences(folder: Path) -> list[str]:
    """What the graphs in ``folder`` answer otherwise than stored, in words; empty when all is as it was.

    NeoError: there is no replay, or it leaves a graph out.
    """
    file = folder / REPLAY
    if not file.is_file():
        raise NeoError(f"no {REPLAY} in the release")
    rows, found = load_file(file), []
    for path in sorted(folder.glob("*.onnx")):
        given = _part(rows, f"{path.stem}.in.")
        stored = _part(rows, f"{path.stem}.out.")
        if not given or not stored:
            raise NeoError(f"{REPLAY} has nothing of {path.name}")
        answers = _answers(session(path), given)
        for name, value in stored.items():
            answer = answers.get(name)
            if answer is None or answer.shape != value.shape:
                found.append(f"{path.name}: {name} has another shape")
            elif not np.allclose(answer, value, rtol=TOLERANCE, atol=TOLERANCE):
                off = float(np.max(np.abs(answer.astype(float) - value.astype(float))))
                found.append(f"{path.name}: {name} is off by {off:.3g}")
    return found


def _part(rows: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): row for name, row in rows.items() if name.startswith(prefix)}
