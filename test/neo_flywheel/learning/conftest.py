"""Episodes that the toy robot's model never saw, and settings of small runs."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "neo_world_model"))

from toy import episode

from neo_world_model.store import Store

SMALL = {
    "width": 32, "channels": 8, "heads": 2, "predictor_layers": 1, "batch": 8, "evaluate_batches": 1,
    "trained": [],
}  # fmt: skip


@pytest.fixture(scope="session")
def held_out(tmp_path_factory):
    store = Store.create(tmp_path_factory.mktemp("held-out"))
    for seed in range(900, 908):
        store.add(episode(seed, 40))
    return store
