"""What a robot does with its model all the time: one state a step, how surprising it is, what comes next.

    watcher = Watcher("models/first")
    seen = watcher.step(row)            # senses of a step, as Stepper.sense gives them
    watcher.passed(action)              # what was asked for while it passed, as Stepper.action gives it

Surprise compares a state with what was imagined for it one step before, knowing the action:

    nll = (e / E + log E) / 2     e: mean squared error, E: the error expected of it (nats, no constant)

Its ``value`` is the share of held-out steps of the same source whose e / E was smaller.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from neo_description.errors import NeoError
from neo_description.signals import Consequence
from neo_world_model.foretell import consequences
from neo_world_model.runtime import Runtime, card, settings


@dataclass
class Surprise:
    """Of one step; ``shares``: sense → its part of how wrong the senses were foretold, summing to 1."""

    value: float
    nll: float
    disagreement: float
    shares: dict[str, float] = field(default_factory=dict)


@dataclass
class Seen:
    """``surprise`` is None until there are enough steps to imagine from; so is ``picture``, the last imagined
    one, (2, H, W, 3) uint8. ``events`` within the horizon if nothing else is asked for.
    """

    z: np.ndarray
    surprise: Surprise | None = None
    events: list[Consequence] = field(default_factory=list)
    picture: np.ndarray | None = None


class Watcher:
    """The model in ``folder``, stepped once every 0.1 s; ``source``: whose errors calibrate surprise."""

    def __init__(self, folder: Path | str, source: str = "sim", threads: int = 1):
        about = settings(folder)
        self.runtime = Runtime(folder, threads)
        self.context, self.horizon = about.context, about.horizon
        self._source = source
        known = card(folder)["figures"]["quantiles"]
        if source not in known:
            raise NeoError(
                f"the model in {folder} has seen no {source}; it is calibrated for {', '.join(known)}"
            )
        self._quantiles = np.array(known[source])
        self.forget()

    def forget(self) -> None:
        """A new beginning: what was before does not lead here."""
        self._states = deque[np.ndarray](maxlen=self.context)
        self._actions = deque[np.ndarray](maxlen=self.context)

    def step(self, row: dict[str, np.ndarray]) -> Seen:
        """Take in one step's senses; those missing from ``row`` are masked."""
        z = self.runtime.state(row, self._source)
        seen = Seen(z)
        if len(self._states) == self.context and len(self._actions) == self.context:
            seen.surprise = self._surprise(z, row)
        self._states.append(z)
        if len(self._states) == self.context and len(self._actions) >= self.context - 1:
            self._look_ahead(seen)
        return seen

    def passed(self, action: np.ndarray) -> None:
        """The action (n,) of the step that is over."""
        self._actions.append(action)

    def past(self) -> tuple[np.ndarray, np.ndarray]:
        """The last states (up to context, state), and the actions (up to context - 1, n) between them."""
        return np.array(self._states), np.array(self._led())

    def _led(self) -> list[np.ndarray]:
        return list(self._actions)[-(self.context - 1) :] if self.context > 1 else []

    def _imagine(self, led: list[np.ndarray], plan: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """States (ensemble, horizon, state), events and expected errors of each step; ``plan`` held on."""
        actions = np.stack([*led, *[plan] * (self.horizon + self.context - 1 - len(led))])
        states, events, error = self.runtime.imagine(np.stack(self._states)[None], actions[None])
        return states[:, 0], events[0], error[0]

    def _surprise(self, z: np.ndarray, row: dict[str, np.ndarray]) -> Surprise:
        states, _, expected = self._imagine(list(self._actions), self._actions[-1])
        foretold = states[:, 0].mean(axis=0)
        error, expects = float(np.square(foretold - z).mean()), float(expected[0])
        value = float(np.searchsorted(self._quantiles, error / expects) / len(self._quantiles))
        nll = 0.5 * (error / expects + np.log(expects))
        return Surprise(value, nll, float(states[:, 0].var(axis=0).mean()), self._shares(foretold, row))

    def _shares(self, foretold: np.ndarray, row: dict[str, np.ndarray]) -> dict[str, float]:
        read = self.runtime.read(foretold[None])
        truth: dict[str, np.ndarray] = {name: row[name] for name in ("proprio", "force") if name in row}
        if "touch" in row:
            truth["touch"] = np.arcsinh(row["touch"].mean(axis=0)).ravel()
        wrong = {
            name: float(np.square((x - read[f"{name}_mean"][0]) * np.exp(-read[f"{name}_log_std"][0])).mean())
            for name, x in truth.items()
            if f"{name}_mean" in read
        }
        total = sum(wrong.values())
        return {name: value / total for name, value in wrong.items()} if total > 0.0 else {}

    def _look_ahead(self, seen: Seen) -> None:
        """What follows if what is asked for now stays."""
        if not self._actions:
            return
        states, events, _ = self._imagine(self._led(), self._actions[-1])
        seen.events = consequences(events, self.runtime.calibrated)
        read = self.runtime.read(states.mean(axis=0)[-1:])
        if "picture" in read:
            seen.picture = (255.0 * read["picture"][0] + 0.5).astype(np.uint8)
