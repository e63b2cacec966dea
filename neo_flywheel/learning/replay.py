"""Recorded episodes through a model, on the runtime of a robot: how wrong it is in each.

    rows = replayed(Path("models/neo"), [Store("runs/held-out")])     # figure → (episodes,), NaN: not known

Figures as in ``gate.yaml``. The policy is asked as on a robot: what it sees with its own eyes says where
things are. Its lessons are what was done in episodes that worked (:mod:`neo_world_model.teaching`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neo_description.errors import NeoError
from neo_description.tables import SIDES
from neo_world_model import text
from neo_world_model.episode import EVENTS
from neo_world_model.losses import TAUGHT
from neo_world_model.modalities import SOURCES, unstack
from neo_world_model.policy import APART
from neo_world_model.runtime import Runtime, card
from neo_world_model.store import Store
from neo_world_model.teaching import lesson, taught

FIGURES = (
    "imagined_next",
    "imagined_far",
    "sensed",
    "surprise",
    "chances",
    "seen_cm",
    "gripper_cm",
    "choices",
)
NAMED = 0.5
FIRST_LOOKS = 4  # whose mean is where a task began
LEAST = 10  # steps that a figure of an episode is the mean of, at least
TINY = 1e-9
Rows = dict[str, np.ndarray]


def replayed(folder: Path, stores: Sequence[Store]) -> Rows:
    """Figure → one number an episode, in order. NeoError when the model cannot run or lacks a calibration."""
    runtime, known = Runtime(folder, threads=1), card(folder)["figures"].get("quantiles", {})
    found = []
    for store in stores:
        for number, about in enumerate(store.episodes):
            if about["source"] not in known:
                there = ", ".join(known) or "nothing"
                raise NeoError(f"surprise is not calibrated for {about['source']}, but for {there}")
            rows = store.window(number, 0, about["steps"])
            found.append(_Episode(runtime, rows, about, np.array(known[about["source"]])).figures())
    return {name: np.array([row.get(name, np.nan) for row in found]) for name in FIGURES}


class _Episode:
    """One episode through one model; every array has a row a step ``t`` that a plan could be made in."""

    def __init__(self, runtime: Runtime, rows: Rows, about: dict[str, Any], quantiles: np.ndarray):
        self._runtime, self._rows, self._about, self._quantiles = runtime, rows, about, quantiles
        settings = runtime.settings
        self._context, self._horizon = settings.context, settings.horizon
        self._steps = about["steps"]
        self._z = runtime.encode(self._senses())

    def figures(self) -> dict[str, float]:
        """Those that the episode is long enough and has labels for."""
        out, rows = dict[str, float](), self._rows
        if self._steps - self._context - self._horizon >= LEAST and "action" in rows:
            out |= self._imagined()
        if self._runtime.sees and {"vision", "proprio"} <= set(rows) and self._about["prompt"]:
            out |= self._looked()
        return out

    def _senses(self) -> Rows:
        n = self._steps
        out: Rows = {"source": np.full(n, SOURCES.index(self._about["source"]))}
        for name, shape, kind in self._runtime.wanted:
            if name.startswith("has_"):
                out[name] = np.full(n, name.removeprefix("has_") in self._rows)
            elif name != "source":
                out[name] = self._rows.get(name, np.zeros((n, *shape), kind))
        return out

    def _imagined(self) -> dict[str, float]:
        k, h, z, action = self._context, self._horizon, self._z, self._rows["action"]
        now = np.arange(k - 1, self._steps - h)
        past = z[now[:, None] + np.arange(1 - k, 1)]
        led = action[now[:, None] + np.arange(1 - k, h)]
        states, events, expected = self._runtime.imagine(past, led)
        states, then = states.mean(axis=0), z[now[:, None] + np.arange(1, h + 1)]
        error, copied = np.square(states - then).mean(-1), np.square(z[now][:, None] - then).mean(-1)
        share = np.searchsorted(self._quantiles, error[:, 0] / expected[:, 0]) / len(self._quantiles)
        out = {
            "imagined_next": error[:, 0].mean() / max(copied[:, 0].mean(), TINY),
            "imagined_far": error[:, -1].mean() / max(copied[:, -1].mean(), TINY),
            "sensed": self._sensed(states[:, -1], now, h),
            "surprise": abs(share.mean() - 0.5),
        }
        labels = [self._rows.get(f"privileged_{name}") for name in EVENTS]
        wrong = [
            np.square(events[..., i] - label[now[:, None] + np.arange(1, h + 1)])
            for i, label in enumerate(labels)
            if label is not None and np.isfinite(label).all()
        ]
        return out | ({"chances": np.mean(wrong)} if wrong else {})

    def _sensed(self, imagined: np.ndarray, now: np.ndarray, h: int) -> float:
        """Mean over senses of squared error over that of copying, ``h`` steps ahead."""
        told, ratios = self._runtime.read(imagined), []
        for name in ("proprio", "force"):
            if name in self._rows and f"{name}_mean" in told:
                was, then = self._rows[name][now], self._rows[name][now + h]
                copied = np.square(was - then).mean()
                ratios.append(np.square(told[f"{name}_mean"] - then).mean() / max(copied, TINY))
        return float(np.mean(ratios)) if ratios else np.nan

    def _looked(self) -> dict[str, float]:
        """What the eyes find, and what the policy does about it."""
        rows, n = self._rows, self._steps
        words = np.repeat(text.encode([self._about["prompt"]]), n, axis=0)
        places, _, named = self._runtime.where(rows["vision"], rows["proprio"], words)
        out: dict[str, float] = {}
        things, target = self._about["things"], self._about["target"]
        if target in things and "privileged_places" in rows:
            away = np.linalg.norm(places[:, 0] - rows["privileged_places"][:, things.index(target)], axis=-1)
            out["seen_cm"] = 100.0 * _median(away[np.isfinite(away)])
        if "action" in rows and self._about["success"] is not False:
            out |= self._acted(words, places, named > NAMED)
        return out

    def _acted(self, words: np.ndarray, places: np.ndarray, known: np.ndarray) -> dict[str, float]:
        rows, by = self._rows, self._rows["provenance"]
        at, done = taught(rows["action"], rows["proprio"])
        own = TAUGHT[0]
        steps = np.flatnonzero(np.isin(by, TAUGHT) & ~((by == own) & (by[-1] != own)))
        if len(steps) < LEAST:
            return {}
        lessons = np.stack([lesson(rows["action"], None, at, done, int(t), self._horizon)[0] for t in steps])
        begun = np.repeat(places[:FIRST_LOOKS].mean(axis=0, keepdims=True), len(places), axis=0)
        given = (self._z, words, places, known, rows["proprio"], begun)
        told = self._runtime.act(*(value[steps] for value in given))[0]
        return _compared(unstack("action", told), unstack("action", lessons))


def _compared(told: Rows, lessons: Rows) -> dict[str, float]:
    """Features of actions (steps, horizon, …) in SI units."""
    away, wrong = [], []
    for side in SIDES:
        moves = lessons[f"{side}_moves"][..., 0] > 0.5
        off = told[f"{side}_gripper"][..., :3] - lessons[f"{side}_gripper"][..., :3]
        away.append(np.linalg.norm(off, axis=-1)[moves])
        wrong += [
            (told[f"{side}_moves"][..., 0] > 0.5) != moves,
            np.round(told[f"{side}_closing"] / APART) != np.round(lessons[f"{side}_closing"] / APART),
            np.abs(told[f"{side}_grasp"] - lessons[f"{side}_grasp"]).max(axis=-1) > 0.5,
        ]
    share = float(np.mean([part.mean() for part in wrong]))
    return {"gripper_cm": 100.0 * _median(np.concatenate(away)), "choices": share}


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) >= LEAST else np.nan
