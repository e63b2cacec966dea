"""Which of a robot's new episodes leave it: all, the odd ones, or as many drawn by chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neo_description.errors import NeoError
from neo_flywheel.metadata import read_custom
from neo_flywheel.mining import FAILED, LEAST, Miner
from neo_flywheel.store import episode_bag
from neo_flywheel.story import bag_file

Scores = Callable[["Recorded"], float]


@dataclass(frozen=True)
class Recorded:
    """An episode in a robot's outbox. ``success``: in the end; ``alone``: without help.

    ``surprise``: mean over its steps, None: the model says none.
    """

    name: str
    folder: Path
    steps: int
    taken_over: int
    success: bool
    alone: bool
    surprise: float | None
    bytes: int

    @staticmethod
    def of(folder: Path) -> Recorded:
        """As its recording says; NeoError when that says something else."""
        said = read_custom(folder)
        try:
            return Recorded(
                folder.name, folder, int(said["steps"]), int(said["taken_over"]), said["outcome"] == "done",
                said["alone"] == "true", float(said["surprise_mean"]) if "surprise_mean" in said else None,
                bag_file(folder).stat().st_size,
            )  # fmt: skip
        except (KeyError, ValueError) as error:
            raise NeoError(f"{folder} was not recorded by a robot of a fleet: {error!r}") from None


def chosen(
    how: str, share: float, new: list[Recorded], score: Scores, seed: tuple[int, ...]
) -> list[Recorded]:
    """Those that leave, in order: of ``mined`` and ``random`` up to ``share`` of all steps, one at least."""
    if how == "all":
        return list(new)
    if how == "mined":
        order = sorted(new, key=lambda one: (-score(one), one.name))
    else:
        order = [new[i] for i in np.random.default_rng(seed).permutation(len(new))]
    room, taken = share * sum(one.steps for one in new), []
    for one in order:
        if one.steps <= room:
            taken.append(one)
            room -= one.steps
    return taken or order[:1]


def oddness(every: list[Recorded]) -> Scores:
    """How odd an episode is among ``every`` that the robot ever recorded (:mod:`neo_flywheel.mining`).

    A policy that did not get on alone counts as a failed task, whoever ended it. Where there are too few to
    say what is usual, that and the mean surprise alone count.
    """
    miner = None
    if len(every) >= LEAST:
        miner = Miner.fit(episode_bag.load(one.folder) for one in every)

    def score(one: Recorded) -> float:
        found = 0.0 if one.alone else FAILED
        if one.surprise is not None:
            found += float(-np.log10(max(1.0 - one.surprise, 1e-4)))
        return found if miner is None else found + miner.score(episode_bag.load(one.folder)).total

    return score
