"""Datasets: what was found stays found, what was cut off goes on, what is held out is held out for good."""

import pytest
from toy import episode

from neo_description.errors import NeoError
from neo_flywheel.learning import dataset
from neo_flywheel.learning.dataset import HELD, TRAIN, Choice
from neo_flywheel.store.library import Library
from neo_flywheel.store.query import Filters
from neo_world_model.store import Store

COUNT = 12


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "library") as opened:
        for seed in range(COUNT):
            opened.add_episode(episode(seed, 20), "toy", "made", 1e9 + seed, ["even"] * (seed % 2 == 0))
        yield opened


def no_bags(folder, row):
    raise AssertionError("these episodes are no recordings")


def make(library, folder, choice=Choice(), say=lambda line: None):  # noqa: B008
    return dataset.make(library, choice, no_bags, folder, say)


def seeds(folder, name):
    return [about["seed"] for about in Store(folder / name).episodes]


def test_every_episode_is_in_one_of_both_stores_oldest_first(library, tmp_path):
    made = make(library, tmp_path / "d")
    train, held = seeds(tmp_path / "d", TRAIN), seeds(tmp_path / "d", HELD)
    assert sorted(train + held) == list(range(COUNT))
    assert train == sorted(train)
    assert held
    assert made[TRAIN]["episodes"] == len(train) == len(made[TRAIN]["taken"])


def test_filters_choose_and_later_episodes_do_not_change_a_dataset(library, tmp_path):
    choice = Choice(Filters(tags=("even",)))
    make(library, tmp_path / "d", choice)
    before = seeds(tmp_path / "d", TRAIN)
    assert all(seed % 2 == 0 for seed in before)
    library.add_episode(episode(50, 20), "toy", "made", 2e9, ["even"])
    make(library, tmp_path / "d", choice)
    assert seeds(tmp_path / "d", TRAIN) == before


def test_an_episode_is_held_out_in_every_round(library, tmp_path):
    make(library, tmp_path / "one", Choice(limit=6))
    make(library, tmp_path / "two")
    assert set(seeds(tmp_path / "one", HELD)) <= set(seeds(tmp_path / "two", HELD))


@pytest.mark.parametrize("lost", ["before the note", "before the index"])
def test_a_dataset_that_was_cut_off_is_the_one_that_was_not(library, tmp_path, monkeypatch, lost):
    whole = make(library, tmp_path / "whole")

    class CutOffError(Exception):
        pass

    real = dataset.files.write_json

    def cut_off(file, content):
        if file.name == dataset.TAKEN and len(content) == 3:
            if lost == "before the index":
                real(file, content)
            raise CutOffError
        real(file, content)

    with monkeypatch.context() as patched:
        patched.setattr(dataset.files, "write_json", cut_off)
        with pytest.raises(CutOffError):
            make(library, tmp_path / "cut")
    assert len(seeds(tmp_path / "cut", TRAIN)) == 3
    assert make(library, tmp_path / "cut") == whole
    assert seeds(tmp_path / "cut", TRAIN) == seeds(tmp_path / "whole", TRAIN)


def test_an_episode_whose_bytes_changed_is_left_out_with_a_reason(library, tmp_path):
    (row,) = library.catalogue.find(Filters(), 1)
    digest = library.files(row)["episode.safetensors"]["sha256"]
    about = library.folder / "objects" / "objects" / digest[:2] / f"{digest}.json"
    part = dataset.files.read_json(about, "object")["parts"][0]
    file = library.folder / "objects" / "parts" / part[:2] / part
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    lines = []
    made = make(library, tmp_path / "d", say=lines.append)
    assert [row.id] == made[TRAIN]["left_out"] + made[HELD]["left_out"]
    assert any("holds other bytes than it should" in line for line in lines)


def test_no_episode_to_train_on_is_an_error(library, tmp_path):
    with pytest.raises(NeoError, match="no episode to train on: 0 match"):
        make(library, tmp_path / "d", Choice(Filters(outcome="flew")))
