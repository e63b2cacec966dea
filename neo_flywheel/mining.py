"""How odd is a clip? A score by which the few that are worth a person's look come first.

    miner = Miner.fit(usual episodes)
    score = miner.score(episode)         # score.total, score.why

Parts, each a number for every step of an episode:

- ``rare``: Mahalanobis distance of the senses in their leading principal components (Hotelling's T²).
- ``unlike``: what those components do not explain (Q; Jackson & Mudholkar 1979), sense by sense over its
  usual size; of each group of senses (a hand's joints, its pads …) the mean; the oddest group counts.
- ``unforeseen``: how far a step is from what a linear model makes of the step before and its action, as a
  Mahalanobis distance of the residual. A stand-in for the world model's surprise where none was recorded.
- ``surprise``: the world model's own, where it was: -log of the share that is more surprising.
- ``force``: the hardest touch, wrist or tendon, over what is usual for it.

A clip's part is the mean of its hardest ``PEAK`` steps. Parts become comparable by their rank among usual
clips that were not fitted: -log10 of the share of them that is odder; beyond all of them it goes on by the
distance in their own spread. The total is the oddest part, plus a tenth of the others; a failed task counts
as a part of ``FAILED``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from neo_description.errors import NeoError
from neo_world_model.episode import Episode
from neo_world_model.modalities import features, part, shapes

PEAK = 3  # steps: 0.3 s
FAILED = 2.0  # as one usual clip of a hundred
FLOOR = 0.02  # of a feature's spread, in the units of modalities.yaml: below it is noise
VARIANCE = 0.95  # that the principal components keep
MOST = 40  # of them
FORCES = ("touch", "l_wrist_wrench", "r_wrist_wrench", "body_tendon_tension", "l_hand_tendon_tension",
          "r_hand_tendon_tension", "pelvis_linear_acceleration")  # fmt: skip
LEAST = 8  # usual episodes


@dataclass(frozen=True)
class Score:
    """``parts``: in -log10 of the share of usual clips that are odder. ``why``: the oddest part."""

    total: float
    parts: dict[str, float]
    why: str


@dataclass
class _Ranks:
    """What a part's peaks are in usual clips."""

    values: np.ndarray  # (n,) sorted

    def odd(self, value: float) -> float:
        n = len(self.values)
        above = n - int(np.searchsorted(self.values, value, side="left"))
        if above:
            return float(-np.log10((above + 1) / (n + 1)))
        middle, high = np.quantile(self.values, [0.5, 0.9])
        spread = max(float(high - middle), 1e-3 * (abs(float(middle)) + 1e-9))
        return float(np.log10(n + 1) + np.log1p((value - float(self.values[-1])) / spread))


@dataclass
class Miner:
    """What is usual. Fitted on episodes that have ``proprio`` and ``force``; ``touch`` counts where it is."""

    mean: np.ndarray
    scale: np.ndarray
    axes: np.ndarray  # (k, n): principal directions
    variances: np.ndarray  # (k,)
    outside: np.ndarray  # (n,): variance of what they do not explain
    groups: dict[str, tuple[float, float]]  # median and spread of each group's log of it
    step: np.ndarray  # (k + actions + 1, k): the linear model of the next step
    noise: np.ndarray  # (k,): its residuals' variances
    force_scales: dict[str, tuple[float, float]]  # median and spread of each force's size
    ranks: dict[str, _Ranks] = field(default_factory=dict)

    @staticmethod
    def fit(episodes: Iterable[Episode], seed: int = 0) -> Miner:
        """From usual episodes: half of them are fitted, the others' peaks are ranked. NeoError: too few."""
        rows = [episode for episode in episodes if _usable(episode)]
        if len(rows) < LEAST:
            raise NeoError(f"{len(rows)} episodes with proprio and force; at least {LEAST} say what is usual")
        order = np.random.default_rng(seed).permutation(len(rows))
        fitted, held = order[: len(rows) // 2], order[len(rows) // 2 :]
        miner = Miner._made([rows[i] for i in fitted])
        peaks = [miner.peaks(rows[i]) for i in held]
        names = {name for row in peaks for name in row}
        miner.ranks = {
            name: _Ranks(np.sort([row[name] for row in peaks if name in row])) for name in sorted(names)
        }
        return miner

    @staticmethod
    def _made(episodes: list[Episode]) -> Miner:
        senses = [_senses(episode) for episode in episodes]
        every = np.concatenate(senses)
        mean, scale = every.mean(axis=0), np.maximum(every.std(axis=0), FLOOR)
        whitened = (every - mean) / scale
        _, singular, axes = np.linalg.svd(whitened, full_matrices=False)
        share = np.cumsum(singular**2) / np.sum(singular**2)
        k = min(MOST, int(np.searchsorted(share, VARIANCE)) + 1, len(every) // 4)
        variances = singular[:k] ** 2 / len(every)
        outside = whitened - (whitened @ axes[:k].T) @ axes[:k]
        miner = Miner(
            mean, scale, axes[:k], variances, np.maximum(np.var(outside, axis=0), 1e-3), {}, np.zeros((0, 0)),
            np.ones(k), _force_scales(episodes),
        )  # fmt: skip
        for name, values in miner._unlike(whitened).items():
            middle, high = np.quantile(values, [0.5, 0.99])
            miner.groups[name] = float(middle), max(float(high - middle), 1e-3)
        inputs, targets = zip(*(miner._transitions(episode) for episode in episodes), strict=True)
        x, y = np.concatenate(inputs), np.concatenate(targets)
        ridge = 1e-2 * len(x) * np.eye(x.shape[1])
        miner.step = np.linalg.solve(x.T @ x + ridge, x.T @ y)
        miner.noise = np.maximum(np.var(y - x @ miner.step, axis=0), 1e-4)
        return miner

    def score(self, episode: Episode, surprise: np.ndarray | None = None) -> Score:
        """How odd an episode is. ``surprise`` (any length): quantiles that the world model said meanwhile."""
        parts = {
            name: self.ranks[name].odd(value)
            for name, value in self.peaks(episode).items()
            if name in self.ranks
        }
        if surprise is not None and len(surprise):
            parts["surprise"] = float(-np.log10(max(1.0 - _peak(np.asarray(surprise)), 1e-4)))
        if episode.success is False:
            parts["failure"] = FAILED
        why = max(parts, key=lambda name: parts[name])
        others = sum(parts.values()) - parts[why]
        return Score(parts[why] + 0.1 * others, parts, why)

    def peaks(self, episode: Episode) -> dict[str, float]:
        """Each part's hardest moment, before it is ranked. NeoError without proprio and force."""
        if not _usable(episode):
            raise NeoError(
                f"an episode of {', '.join(episode.fields)}; proprio, force and two steps are needed"
            )
        return {name: _peak(values) for name, values in self.steps(episode).items()}

    def steps(self, episode: Episode) -> dict[str, np.ndarray]:
        """Part → (T,), or (T - 1,) for what has a step before."""
        z = self._whitened(episode)
        inside = z @ self.axes.T
        rare = np.mean(inside**2 / self.variances, axis=1)
        unlike = [
            (values - self.groups[name][0]) / self.groups[name][1] for name, values in self._unlike(z).items()
        ]
        x, y = self._transitions(episode)
        unforeseen = np.mean((y - x @ self.step) ** 2 / self.noise, axis=1)
        forces = [
            (size - self.force_scales[name][0]) / self.force_scales[name][1]
            for name, size in _forces(episode).items()
            if name in self.force_scales
        ]
        return {
            "rare": np.log(rare), "unlike": np.max(unlike, axis=0), "unforeseen": np.log(unforeseen),
            "force": np.max(forces, axis=0),
        }  # fmt: skip

    def _unlike(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """Group of senses → (T,): log of its mean square outside the components, over the usual."""
        squares = (z - (z @ self.axes.T) @ self.axes) ** 2 / self.outside
        return {name: np.log(squares[:, where].mean(axis=1) + 1e-9) for name, where in _groups().items()}

    def _whitened(self, episode: Episode) -> np.ndarray:
        return (_senses(episode) - self.mean) / self.scale

    def _transitions(self, episode: Episode) -> tuple[np.ndarray, np.ndarray]:
        """(T - 1, inputs) and (T - 1, k): a step with its action, and the change that followed."""
        inside = self._whitened(episode) @ self.axes.T
        actions = episode.fields.get("action")
        given = np.zeros((len(episode), 0)) if actions is None else actions
        x = np.concatenate([inside[:-1], given[:-1], np.ones((len(inside) - 1, 1))], axis=1)
        return x, np.diff(inside, axis=0)


def odd_ones(miner: Miner, episodes: dict[Path | str, Episode], count: int) -> list[tuple[Path | str, Score]]:
    """The ``count`` oddest, the oddest first."""
    scored = [(name, miner.score(episode)) for name, episode in episodes.items()]
    return sorted(scored, key=lambda row: (-row[1].total, str(row[0])))[:count]


def _usable(episode: Episode) -> bool:
    return {"proprio", "force"} <= set(episode.fields) and len(episode) > 1


def _senses(episode: Episode) -> np.ndarray:
    """(T, n): proprioception, forces, each pad's touch at the step's last sample, each hand's sum of it."""
    _, sides, pads, _ = shapes()["touch"][0]
    touch = np.zeros((len(episode), sides, pads))
    if "touch" in episode.fields:
        touch = np.linalg.norm(episode.fields["touch"][:, -1], axis=-1)
    rows = [
        episode.fields["proprio"],
        episode.fields["force"],
        touch.reshape(len(touch), -1),
        touch.sum(axis=2),
    ]
    return np.concatenate(rows, axis=1).astype(float)


def _groups() -> dict[str, slice]:
    """Where senses that belong together stand in a row of :func:`_senses`."""
    found, at = {}, 0
    for modality in ("proprio", "force"):
        for name, (n, _) in features(modality).items():
            found[name] = slice(at, at + n)
            at += n
    _, sides, pads, _ = shapes()["touch"][0]
    for name, n in (("pads", sides * pads), ("grip", sides)):
        found[name] = slice(at, at + n)
        at += n
    return found


def _forces(episode: Episode) -> dict[str, np.ndarray]:
    """Force → (T,): the size of its largest entry."""
    found = {}
    for name in FORCES:
        if name == "touch":
            if "touch" in episode.fields:
                touch = episode.fields["touch"]
                found[name] = np.linalg.norm(touch, axis=-1).reshape(len(episode), -1).max(axis=1)
            continue
        modality = "proprio" if name.startswith("pelvis") else "force"
        found[name] = np.abs(episode.fields[modality][:, part(modality, name)]).max(axis=1)
    return found


def _force_scales(episodes: list[Episode]) -> dict[str, tuple[float, float]]:
    """Median, and the spread from it to the 99th of 100, of each force's size."""
    sizes: dict[str, list[np.ndarray]] = {}
    for episode in episodes:
        for name, size in _forces(episode).items():
            sizes.setdefault(name, []).append(size)
    scales = {}
    for name, rows in sizes.items():
        middle, high = np.quantile(np.concatenate(rows), [0.5, 0.99])
        scales[name] = float(middle), max(float(high - middle), FLOOR)
    return scales


def _peak(values: np.ndarray) -> float:
    """Mean of the ``PEAK`` largest."""
    return float(np.mean(np.sort(values)[-PEAK:]))
