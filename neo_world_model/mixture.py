"""Batches of windows from several stores, mixed by source.

    mixture = Mixture([Store("runs/data/sim")], {"sim": 1.0}, steps=12, seed=0)
    batch = mixture.batch(64, 0)  # modality → (64, 12, …), "has_<modality>" → (64, 12) bool, "source" → (64,)

``text`` is the prompt, ``meant`` (n, 2) its target and place among the scene's things, -1 for none;
``other_text`` and ``named`` are of another prompt about the same scene. ``failed`` and ``succeeded`` (n,): it
did not work, it did; what a policy did before somebody took over failed.
``privileged_begun`` (n, THINGS, 3): where the things were when the episode began.
``lesson`` (n, horizon, action size) and ``lesson_progress`` (n, horizon) are what the last step of the
context teaches, see :mod:`neo_world_model.teaching`.

A source's weight is its share of the windows, whatever its size; sources without data are left out and the
others share what is left. Batches are numbered: the same seed and number give the same batch, so a run that
is resumed sees what it would have seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neo_description.errors import NeoError
from neo_world_model.episode import THINGS
from neo_world_model.mirror import mirrored, mirrored_prompt
from neo_world_model.modalities import PROVENANCE, SOURCES, shapes, size
from neo_world_model.prompts import Asked, draw, reworded
from neo_world_model.store import Store, columns
from neo_world_model.teaching import lesson, taught
from neo_world_model.text import encode

if TYPE_CHECKING:
    from neo_world_model.looked import Looked

Batch = dict[str, np.ndarray]
LEARNT_FROM = ("action", "proprio", "progress", "provenance")
POLICY = PROVENANCE.index("policy")
OTHERS = 0.7  # chance that another prompt is drawn for a window, to find things by


class Mixture:
    """``held_out``: every so-manieth episode is kept for evaluation, and only those when ``held`` is True.

    ``context``: how many of the ``steps`` are past; ``mirror``: share of windows drawn as in a mirror;
    ``light``: how much brighter or darker a window's pictures become, see :func:`lit`; ``reword``: share of
    prompts said in other words (:func:`neo_world_model.prompts.reworded`). ``looked``: batches have "eyes" in
    the place of "vision", what those of :class:`neo_world_model.looked.Looked` made of it.
    """

    def __init__(
        self,
        stores: list[Store],
        weights: dict[str, float],
        steps: int,
        seed: int = 0,
        held_out: int = 10,
        held: bool = False,
        context: int = 1,
        mirror: float = 0.0,
        light: float = 0.0,
        reword: float = 0.0,
        looked: Looked | None = None,
    ):
        unknown = set(weights) - set(SOURCES)
        if unknown:
            raise NeoError(f"no source {', '.join(sorted(unknown))}; one of {', '.join(SOURCES)}")
        self.steps = steps
        self._stores = stores
        self._seed = (seed, int(held))
        self._context, self._mirror, self._light, self._reword = context, mirror, light, reword
        self._looked = looked
        self._columns = {name: kind for name, kind in columns().items() if looked is None or name != "vision"}
        self._names = sorted({name for store in stores for e in store.episodes for name in e["things"]})
        self._taught: dict[tuple[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        of: dict[str, list[tuple[int, int, int]]] = {}
        for s, store in enumerate(stores):
            for e, about in enumerate(store.episodes):
                long_enough = about["steps"] >= steps
                if long_enough and ((e % held_out == held_out - 1) is held):
                    of.setdefault(about["source"], []).append((s, e, about["steps"] - steps + 1))
        self._episodes = {name: rows for name, rows in of.items() if weights.get(name, 0.0) > 0.0}
        if not self._episodes:
            there = ", ".join(sorted(of)) or "none"
            count = sum(len(store.episodes) for store in stores)
            kept = f"; every {held_out}th is held out, and there are {count}" if held else ""
            raise NeoError(f"no episode of {steps} steps to draw from; sources with data: {there}{kept}")
        self.sources = tuple(sorted(self._episodes))
        share = np.array([weights[name] for name in self.sources])
        self._share = share / share.sum()
        self._starts = {
            name: np.cumsum([starts for _, _, starts in rows]) for name, rows in self._episodes.items()
        }

    @property
    def windows(self) -> int:
        """How many different windows there are."""
        return int(sum(ends[-1] for ends in self._starts.values()))

    def batch(self, count: int, number: int) -> Batch:
        """``count`` windows; what is missing is zero, its ``has_`` False; labels that are missing are NaN."""
        rng = np.random.default_rng([*self._seed, number])
        out: Batch = {}
        for name, (shape, dtype) in self._columns.items():
            unknown = np.nan if name.startswith("privileged") or name == "progress" else 0
            out[name] = np.full((count, self.steps, *shape), unknown, dtype)
        for name in shapes():
            out[f"has_{name}"] = np.zeros((count, self.steps), bool)
        if self._looked is not None:
            out["eyes"] = np.zeros((count, self.steps, *self._looked.shape), np.float32)
        horizon = self.steps - self._context
        out["lesson"] = np.zeros((count, horizon, size("action")), np.float32)
        out["lesson_progress"] = np.full((count, horizon), np.nan, np.float32)
        out["privileged_begun"] = np.full((count, THINGS, 3), np.nan, np.float32)
        out["source"] = np.zeros(count, np.int64)
        out["failed"], out["succeeded"] = np.zeros((2, count), bool)
        out["meant"], out["named"] = np.full((2, count, 2), -1, np.int64)
        texts, others = [], []
        for i, k in enumerate(rng.choice(len(self.sources), count, p=self._share)):
            source = self.sources[k]
            out["source"][i] = SOURCES.index(source)
            about, flipped = self._draw(source, out, i, rng)
            in_words = mirrored_prompt if flipped else str
            said, things = about["prompt"], about["things"]
            if self._reword and said and things and rng.random() < self._reword:
                said = reworded(rng, said, things, self._names)
            texts.append(in_words(said))
            out["failed"][i] |= about["success"] is False
            out["succeeded"][i] = about["success"] is True and not out["failed"][i]
            out["meant"][i] = _rows(about["things"], about["target"], about["place"])
            asked = Asked(in_words(about["prompt"]), about["target"], about["place"])
            if len(about["things"]) >= 3 and rng.random() < OTHERS:
                asked = draw(
                    rng, about["things"]
                )  # true either way: nothing in it is left or right of the robot
            others.append(asked.prompt)
            out["named"][i] = _rows(about["things"], asked.target, asked.place)
        out["text"], out["other_text"] = encode(texts), encode(others)
        return out

    def _draw(self, source: str, out: Batch, i: int, rng: np.random.Generator) -> tuple[dict[str, Any], bool]:
        ends = self._starts[source]
        drawn = int(rng.integers(ends[-1]))
        k = int(np.searchsorted(ends, drawn, side="right"))
        s, e, starts = self._episodes[source][k]
        store, start = self._stores[s], drawn - (int(ends[k]) - starts)
        window = store.window(e, start, self.steps, self._columns)
        if "action" in window and "proprio" in window:
            lesson, out["failed"][i] = self._lesson(s, e, start + self._context - 1)
            window |= lesson
        if "privileged_places" in window:
            first = store.window(e, 0, 1, ("privileged_places",))["privileged_places"]
            window["privileged_begun"] = first[0]
        if "vision" in window and self._light > 0.0:
            window["vision"] = lit(window["vision"], self._light, rng)
        flipped = bool(rng.random() < self._mirror)
        if self._looked is not None and (row := store.episodes[e]["rows"].get("vision")) is not None:
            out["eyes"][i] = self._looked.window(s, row + start, self.steps, flipped)
            out["has_vision"][i] = True
        for name, values in (mirrored(window) if flipped else window).items():
            out[name][i] = values
            if name in shapes():
                out[f"has_{name}"][i] = True
        return store.episodes[e], flipped

    def _lesson(self, s: int, e: int, now: int) -> tuple[Batch, bool]:
        """What step ``now`` of episode ``e`` of store ``s`` teaches, and whether somebody took over later."""
        whole = self._stores[s].window(e, 0, self._stores[s].episodes[e]["steps"], LEARNT_FROM)
        if (s, e) not in self._taught:
            by = whole["provenance"]
            self._taught[s, e] = (
                *taught(whole["action"], whole["proprio"]),
                (by == POLICY) & (by[-1] != POLICY),
            )
        rows, done, helped = self._taught[s, e]
        horizon = self.steps - self._context
        action, far = lesson(whole["action"], whole.get("progress"), rows, done, now, horizon)
        return {"lesson": action, "lesson_progress": far}, bool(helped[now])


def lit(vision: np.ndarray, light: float, rng: np.random.Generator) -> np.ndarray:
    """Pictures (…, 3) uint8 as under another lamp: all brighter or darker by a factor of up to e^±``light``,
    each colour by a quarter of that besides, so that colours keep their names."""
    gain = np.exp(rng.uniform(-light, light) + rng.uniform(-0.25 * light, 0.25 * light, 3))
    seen = np.clip(np.arange(256)[:, None] * gain, 0.0, 255.0).astype(np.uint8)
    out = np.empty_like(vision)
    for colour in range(3):
        out[..., colour] = np.take(seen[:, colour], vision[..., colour])
    return out


def _rows(things: list[str], *names: str) -> list[int]:
    """Where ``names`` stand among ``things``; -1: nowhere."""
    return [things.index(name) if name in things else -1 for name in names]
