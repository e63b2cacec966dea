"""A model in ONNX Runtime, as a robot runs it: numpy in, numpy out, no PyTorch.

    encode.onnx    one step's senses (n, …), has_<sense> (n,), source (n,) → z (n, state)
    imagine.onnx   past (n, context, state), action (n, context - 1 + horizon, size) →
                   states (ensemble, n, horizon, state), events (n, horizon, events), error (n, horizon)
    read.onnx      z (n, state) → <sense>_mean and <sense>_log_std (n, …); picture (n, 2, H, W, 3) if trained
    where.onnx     vision (n, …), proprio (n, …), text (n, LENGTH) →
                   places (n, 2, 3) m, spread (n, 2, 3) m, named (n, 2): chance that the prompt names it
    act.onnx       z, text, places, known (n, 2), proprio → action (n, horizon, size), progress (n, horizon),
                   goal (n, state), towards (n, size): the inverse dynamics' first action to the goal

``events`` are probabilities, calibrated as the card says, ``error`` the expected squared error.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime

from neo_description.errors import NeoError
from neo_world_model import config
from neo_world_model.episode import EVENTS
from neo_world_model.modalities import SOURCES

ENCODE, IMAGINE, READ, WHERE, ACT = (f"{name}.onnx" for name in ("encode", "imagine", "read", "where", "act"))
CARD = "model.json"
TINY = 1e-6
KINDS = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(bool)": "bool"}


def card(folder: Path | str) -> dict[str, Any]:
    """What ``model.json`` says; NeoError when there is none."""
    try:
        return json.loads((Path(folder) / CARD).read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise NeoError(f"no model in {folder}: {error}") from None


def settings(folder: Path | str) -> SimpleNamespace:
    """The settings that the model in ``folder`` was trained with."""
    return config.load(**card(folder)["settings"])


def _of_events(folder: Path, what: str) -> dict[str, Any]:
    """Event → its figure ``what`` in the card; of those with enough held-out steps."""
    try:
        return card(folder)["figures"].get(what, {})
    except NeoError:
        return {}


class Runtime:
    """The graphs in ``folder``; ``wanted``: name, shape of one step and type of every input of ``encode``.

    ``calibrated``: the events whose chances are; ``usual`` (events,): the chance of each that tasks done well
    hardly ever exceed.
    """

    def __init__(self, folder: Path | str, threads: int = 2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3

        def open_(name: str) -> onnxruntime.InferenceSession:
            return onnxruntime.InferenceSession(str(Path(folder) / name), options, ["CPUExecutionProvider"])

        try:
            self._encode, self._imagine, self._read = open_(ENCODE), open_(IMAGINE), open_(READ)
            self._where = open_(WHERE) if (Path(folder) / WHERE).exists() else None
            self._act = open_(ACT)
            self._minds_begun = any(i.name == "begun" for i in self._act.get_inputs())
        except Exception as error:  # ONNX Runtime's own have no common root
            raise NeoError(f"no model for ONNX Runtime in {folder}: {str(error)[:200]}") from None
        self.wanted = [
            (i.name, tuple(i.shape[1:]), KINDS.get(i.type, "int64")) for i in self._encode.get_inputs()
        ]
        self._folder = Path(folder)
        known, usual = (_of_events(self._folder, what) for what in ("calibration", "usual"))
        self.calibrated = frozenset(known)
        self._platt = np.array([known.get(name, (1.0, 0.0)) for name in EVENTS], np.float32)
        self.usual = np.array([usual.get(name, 0.0) for name in EVENTS], np.float32)
        self._outputs = [o.name for o in self._read.get_outputs()]

    @property
    def settings(self) -> SimpleNamespace:
        """That the model was trained with."""
        return settings(self._folder)

    @property
    def sees(self) -> bool:
        """Whether the model has eyes."""
        return self._where is not None

    def encode(self, senses: dict[str, np.ndarray]) -> np.ndarray:
        """z (n, state) of the inputs ``wanted``."""
        return np.asarray(self._encode.run(None, {name: senses[name] for name, _, _ in self.wanted})[0])

    def state(self, row: dict[str, np.ndarray], source: str) -> np.ndarray:
        """z (state,) of one step's senses; those missing from ``row`` are masked."""
        given = {"source": np.array([SOURCES.index(source)])}
        for name, shape, kind in self.wanted:
            if name.startswith("has_"):
                given[name] = np.array([name.removeprefix("has_") in row])
            elif name != "source":
                given[name] = row[name][None] if name in row else np.zeros((1, *shape), kind)
        return self.encode(given)[0]

    def imagine(self, past: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """States, events and expected error."""
        states, events, error = self._imagine.run(None, {"past": past, "action": action})
        chance = np.clip(np.asarray(events), TINY, 1.0 - TINY)
        logit = self._platt[:, 0] * np.log(chance / (1.0 - chance)) + self._platt[:, 1]
        return np.asarray(states), (1.0 / (1.0 + np.exp(-logit))).astype(np.float32), np.asarray(error)

    def read(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """What states ``z`` (n, state) say of senses, and their picture."""
        return dict(zip(self._outputs, map(np.asarray, self._read.run(None, {"z": z})), strict=True))

    def where(
        self, vision: np.ndarray, proprio: np.ndarray, text: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places, their spread, and whether they are named."""
        if self._where is None:
            raise NeoError("the model was trained without vision: it cannot say where things are")
        given = {"vision": vision, "proprio": proprio, "text": text}
        places, spread, named = map(np.asarray, self._where.run(None, given))
        return places, spread, named

    def act(
        self, z: np.ndarray, text: np.ndarray, places: np.ndarray, known: np.ndarray, proprio: np.ndarray,
        begun: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
        """Action, progress, goal, towards; ``begun``: the places when the task began, None: it begins now."""
        given = {"z": z, "text": text, "places": places, "known": known, "proprio": proprio}
        if self._minds_begun:
            given["begun"] = places if begun is None else begun
        action, progress, goal, towards = map(np.asarray, self._act.run(None, given))
        return action, progress, goal, towards
