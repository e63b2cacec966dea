"""Training goes on from the running model and from its own checkpoint; what is shipped may be released."""

import pytest
import torch
from conftest import SMALL
from toy import episode

from neo_description.errors import NeoError
from neo_flywheel.learning import training
from neo_flywheel.store.catalogue import Catalogue
from neo_flywheel.update import health, release
from neo_world_model import checkpoint
from neo_world_model.store import Store

ONE = {"steps": 1, "trained": []}


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    store = Store.create(tmp_path_factory.mktemp("stores") / "train")
    for seed in range(6):
        store.add(episode(100 + seed, 30))
    return [store.folder]


def chosen(stores, start, **overrides):
    return training.settings(stores, start, "ci", {"steps": 4, **SMALL, **overrides})["all"]


def alone(settings):
    return {"all": settings}


def test_a_run_begins_with_the_running_model_in_its_shape(stores, toy_model, tmp_path):
    found = training.settings(stores, toy_model, "", {**ONE, "learning_rate": 1e-6, "batch": 2})["all"]
    assert found.width == 32
    assert found.start == str(toy_model.resolve())
    training.fit(alone(found), tmp_path / "run", lambda line: None)
    run = tmp_path / "run" / "all"
    before, after = (checkpoint.load(folder)[0].state_dict() for folder in (toy_model, run))
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, atol=1e-4, rtol=1e-4)


def test_a_run_that_was_cut_off_ends_with_the_same_weights(stores, toy_model, tmp_path):
    settings = chosen(stores, toy_model, evaluate_every=2)
    training.fit(alone(settings), tmp_path / "whole", lambda line: None)

    class CutOffError(Exception):
        pass

    def cut_off(line):
        if line.startswith("held out"):
            raise CutOffError

    with pytest.raises(CutOffError):
        training.fit(alone(settings), tmp_path / "cut", cut_off)
    lines = []
    training.fit(alone(settings), tmp_path / "cut", lines.append)
    assert "resumed at step 2" in lines
    assert training.weights(tmp_path / "cut" / "all") == training.weights(tmp_path / "whole" / "all")


def test_a_training_goes_through_its_phases_each_on_from_the_one_before(stores, toy_model, tmp_path):
    small = {name: value for name, value in SMALL.items() if name != "trained"}
    phases = training.settings(stores, toy_model, "", {**small, "steps": 4, "evaluate_batches": 1})
    assert {name: (chosen.trained, chosen.steps, chosen.batch) for name, chosen in phases.items()} == {
        "all": ([], 2, 8),
        "policy": (["policy"], 1, 8),
        "where": (["where"], 1, 8),
    }
    done = training.fit(phases, tmp_path, lambda line: None)
    assert (done["run"], done["step"]) == ("where", 4)
    first, second, third = (checkpoint.load(tmp_path / name)[0].state_dict() for name in phases)

    def moved(before, after):
        return {name.split(".")[0] for name, value in after.items() if not torch.equal(value, before[name])}

    assert moved(first, second) == {"policy"}
    assert moved(second, third) == {"where"}


def test_few_episodes_still_leave_one_to_measure_by(stores, toy_model):
    assert chosen(stores, toy_model).held_out == 6
    assert chosen(stores, toy_model, held_out=3).held_out == 3


def test_one_episode_is_too_few(toy_model, tmp_path):
    store = Store.create(tmp_path / "one")
    store.add(episode(1, 30))
    with pytest.raises(NeoError, match="1 episodes to train on"):
        chosen([store.folder], toy_model)


def test_what_is_shipped_may_be_released(toy_model):
    names = {file.name for file in release.check_folder(toy_model)}
    assert names >= {"model.safetensors", "README.md", *release.WANTED}
    found = health.check(toy_model, health.Limits(timeout=120.0), released=False)
    assert [finding.check for finding in found if finding.ok] == ["loads", "contract", "replay", "latency"]


def test_a_run_descends_from_its_dataset_and_from_the_running_model(toy_model, tmp_path):
    with Catalogue(tmp_path / "catalogue.sqlite") as catalogue:
        for name in ("one", "two"):
            catalogue.add_product("dataset", name)
        training.enter(catalogue, "one", "one", None, {"weights": training.weights(toy_model)})
        training.enter(catalogue, "two", "two", toy_model, {"weights": "other"})
        assert set(catalogue.made_from("run", "two")) == {
            ("dataset", "two"),
            ("run", "one"),
            ("dataset", "one"),
        }
