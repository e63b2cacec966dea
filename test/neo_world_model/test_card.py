"""``neo export --out``: what ships is what a robot or a next training needs, with a card made of data."""

import json
import shutil

import pytest
from toy import episode

from neo_bringup import cli
from neo_bringup.commands.export import judged
from neo_world_model import checkpoint, config, export, shipped
from neo_world_model.checkpoint import SHIPPED
from neo_world_model.runtime import Runtime
from neo_world_model.store import Store
from neo_world_model.train import train


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    store = Store.create(tmp_path_factory.mktemp("data") / "toys")
    for seed in range(20):
        store.add(episode(seed, 30))
    return store.folder


@pytest.fixture(scope="module")
def run(tmp_path_factory, toys):
    folder = tmp_path_factory.mktemp("train") / "first"
    small = {"width": 32, "channels": 8, "heads": 2, "steps": 2, "batch": 4, "evaluate_batches": 1}
    train(config.load("ci", **small, seed=5, stores=[str(toys)]), folder, lambda line: None)
    return folder


@pytest.fixture(scope="module")
def out(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "neo"
    assert cli.main(["export", str(run), "--out", str(folder)]) == 0
    return folder


def test_what_ships_is_exactly_what_is_needed(run, out):
    assert {file.name for file in out.iterdir()} == {*SHIPPED, "README.md"}
    assert (run / "latest.safetensors").is_file()
    assert (out / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()
    assert Runtime(out).sees
    checkpoint.load(out)


def test_nothing_that_ships_names_a_folder_of_this_machine(toys, run, out):
    about = json.loads((out / "model.json").read_text())
    assert about["settings"]["stores"] == [toys.name]
    assert about["made"]["stores"][0]["episodes"] == 20
    for file in out.iterdir():
        held = file.read_bytes()
        for folder in (toys.parent, run.parent, out.parent):
            assert str(folder).encode() not in held, file.name


def test_the_card_says_what_it_is_of_what_and_how_well(run, out):
    text = (out / "README.md").read_text()
    about = json.loads((out / "model.json").read_text())
    weights = checkpoint.load(out)[0].state_dict()
    assert f"{sum(value.numel() for value in weights.values()):,} numbers" in text
    for said in (
        "## Limits", "in simulation only", "Apache-2.0", "| toys | sim | ", "Seeds: toys 0 to 19",
        "Recipe ci, seed 5",
        "| width | 32 | 128 |", about["made"]["machine"], about["made"]["command"], "--store toys",
        "Not calibrated, for want of examples: falls, slips, collides, hidden",
    ):  # fmt: skip
        assert said in text, said
    ratio = about["figures"]["error_ratio_1"]
    assert f"| error_ratio_1 | {ratio:.3f} | <= 0.15 | **no** |" in text


def test_figures_stand_beside_their_targets():
    found = {m.name: m for m in judged({"auc_falls": 0.97, "coverage_sim": 0.5, "rank": 9.0, "bounds": {}})}
    assert (found["auc_falls"].target, found["auc_falls"].holds) == (">= 0.95", True)
    assert (found["coverage_sim"].target, found["coverage_sim"].holds) == (">= 0.88", False)
    assert (found["rank"].target, found["rank"].holds) == ("", None)
    assert found["rank"].title == "directions that states use"
    assert "bounds" not in found


def test_a_model_that_was_made_before_cards_is_exported_too(run, out, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "export", lambda *_: None)  # the graphs of the same weights are there
    old = tmp_path / "old"
    shutil.copytree(out, old)
    about = json.loads((old / "model.json").read_text())
    del about["made"]
    about["settings"]["stores"] = ["/home/someone/data"]
    (old / "model.json").write_text(json.dumps(about))
    assert cli.main(["export", str(old)]) == 0
    assert "Not written down when it was trained" in (old / "README.md").read_text()
    assert "/home/someone" not in (old / "model.json").read_text()


def test_a_model_without_its_run_is_measured_on_stores_that_are_given(out, toys, capsys):
    assert cli.main(["eval", str(out), "--batches", "1"]) == 2
    assert "give --store" in capsys.readouterr().err
    assert cli.main(["eval", str(out), "--batches", "1", "--store", str(toys)]) == 0


def test_what_was_exported_is_found_when_no_model_is_given(out, monkeypatch):
    monkeypatch.setattr(shipped, "ROOM", out.parents[1] / "neo_world_model")
    monkeypatch.setattr(shipped, "MODEL", out.relative_to(out.parents[1]))
    assert shipped.model() == str(out)
