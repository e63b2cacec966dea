"""A round of learning, stage by stage; called again after a kill, it goes on where it was.

    with engine.make("local") as jobs:
        made = learn(library, Path("models/neo"), Path("rounds/1"), Settings(trials=40), jobs, print)
    made.model if made.passed else made.reasons

    FOLDER/dataset   stores ``train`` and ``held-out`` out of the library
    FOLDER/train     a run a phase, with its checkpoints
    FOLDER/export    the model as it may be released, in ``model``
    FOLDER/gate      trials, and the verdict in ``result.json``

In the library's catalogue stand a dataset, a run and an evaluation, each by the name of FOLDER.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from neo_bringup.data import common
from neo_bringup.engine import Engine
from neo_bringup.learning.tasks import Tasks, Trial, digest, do_task
from neo_description.errors import NeoError
from neo_flywheel.learning import dataset, gate, stage, training
from neo_flywheel.learning.dataset import Choice
from neo_flywheel.store.library import Library
from neo_world_model.store import Store

FIRST_SEED = 500_000  # of held-out tasks: nobody trains on worlds from here on
TRIALS = 40


@dataclass(frozen=True)
class Settings:
    """Of a round.

    ``choice``: which episodes of the library, and how many of them are held out. ``stores``: others to train
    on, so that what the robots did not meet is not forgotten. ``replay``: other episodes for the gate, which
    nobody trains on. ``recipe``: of the first model, when none runs yet; ``train``: settings of
    neo_world_model/training.yaml. ``first_seed``, ``trials``: held-out tasks; 0 trials: none. ``trial``: what
    does one. ``by``: who chose the actions in recordings that do not say so.
    """

    choice: Choice = Choice()
    stores: tuple[Path, ...] = ()
    replay: tuple[Path, ...] = ()
    recipe: str = ""
    train: dict[str, Any] = field(default_factory=dict)
    first_seed: int = FIRST_SEED
    trials: int = TRIALS
    trial: Trial = do_task
    by: str = "policy"

    def __post_init__(self) -> None:
        if self.trials < 0:
            raise NeoError(f"trials {self.trials}; 0 or more")


@dataclass(frozen=True)
class Round:
    """What a round made: the candidate in ``model``, and the gate's ``verdict`` as
    :class:`neo_flywheel.learning.gate.Verdict` has it as JSON.
    """

    model: Path
    verdict: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether the gate let it pass."""
        return self.verdict["passed"]

    @property
    def reasons(self) -> list[str]:
        """Why it did not."""
        return self.verdict["reasons"]

    @property
    def notes(self) -> list[str]:
        """What was left out, or outweighed."""
        return self.verdict["notes"]

    @property
    def figures(self) -> dict[str, Any]:
        """Figure → running, candidate, difference, low, high, n."""
        return {line["figure"]: line for line in self.verdict["lines"]}


def learn(
    library: Library,
    running: Path | None,
    folder: Path,
    settings: Settings,
    engine: Engine,
    say: Callable[[str], None] = print,
) -> Round:
    """One round. NeoError when a stage cannot be done, or ``folder`` holds a round with other inputs."""
    name, catalogue, place = folder.resolve().name, library.catalogue, folder / "dataset"
    start = "" if running is None else digest(running)
    choice = asdict(settings.choice)
    read = partial(common.episodes, by=settings.by)

    dataset.check_free(catalogue, name, place)
    made = stage.done(
        folder, "dataset", {"choice": choice, "by": settings.by},
        lambda place: dataset.make(library, settings.choice, read, place, say), say,
    )  # fmt: skip
    dataset.enter(catalogue, name, place, made)

    stores = [place / dataset.TRAIN, *settings.stores]
    phases = training.settings(stores, running, settings.recipe, settings.train)
    inputs = {"phases": {phase: vars(chosen) for phase, chosen in phases.items()}, "start": start}
    fitted = stage.done(folder, "train", inputs, lambda place: training.fit(phases, place, say), say)
    shipped = stage.done(
        folder, "export", {"step": fitted["step"]},
        lambda place: training.ship(folder / "train" / fitted["run"], place / "model"), say,
    )  # fmt: skip
    about = {"weights": shipped["weights"], "settings": settings.train, **fitted}
    training.enter(catalogue, name, name, running, about)

    model = folder / "export" / "model"
    held = [store for store in (place / dataset.HELD, *settings.replay) if Store(store).episodes]
    seeds = range(settings.first_seed, settings.first_seed + settings.trials)

    def judge(place: Path) -> dict[str, Any]:
        tasks = Tasks(engine, settings.trial, seeds, place, say) if settings.trials else None
        return gate.judge(model, running, [Store(store) for store in held], tasks, say).row()

    given = {
        "candidate": digest(model), "running": start, "replay": [str(store.resolve()) for store in held],
        "first_seed": settings.first_seed, "trials": settings.trials,
    }  # fmt: skip
    verdict = stage.done(folder, "gate", given, judge, say)
    catalogue.add_product("evaluation", name, [("run", name)], about=verdict)
    return Round(model, verdict)
