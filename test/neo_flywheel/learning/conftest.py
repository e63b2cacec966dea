"""A toy robot's model, trained in seconds, and episodes that it never saw."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "neo_world_model"))

from toy import episode

from neo_flywheel.learning import training
from neo_world_model.store import Store

SMALL = {
    "width": 32, "channels": 8, "heads": 2, "predictor_layers": 1, "batch": 8, "evaluate_batches": 1,
    "trained": [],
}  # fmt: skip


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory):
    """As it may be released."""
    folder = tmp_path_factory.mktemp("toy")
    store = Store.create(folder / "store")
    for seed in range(20):
        store.add(episode(seed, 40))
    settings = training.settings([store.folder], None, "ci", {**SMALL, "steps": 40})
    training.fit(settings, folder / "run", lambda line: None)
    training.ship(folder / "run" / "all", folder / "model")
    return folder / "model"


@pytest.fixture(scope="session")
def held_out(tmp_path_factory):
    store = Store.create(tmp_path_factory.mktemp("held-out"))
    for seed in range(900, 908):
        store.add(episode(seed, 40))
    return store
