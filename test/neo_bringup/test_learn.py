"""A round of learning on a toy robot's recordings, from the library to a verdict, and the two commands."""

import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "neo_world_model"))

from toy import episode

from neo_bringup import cli, engine
from neo_bringup.learning.round import Settings, learn
from neo_bringup.learning.tasks import KEPT, Tasks
from neo_description.errors import NeoError
from neo_flywheel.store.library import Library
from neo_world_model.runtime import CARD
from neo_world_model.store import Store

SMALL = {
    "steps": 3,
    "batch": 8,
    "evaluate_batches": 4,
    "held_out": 4,
    "evaluate_every": 1000,
    "learning_rate": 1e-5,
}


def does_most(seed, model):
    return {"success": seed % 7 > 0}


def never(seed, model):
    raise AssertionError(f"{seed} was tried before")


def no_candidate(seed, model):
    return {"success": "export" not in model}


@pytest.fixture(scope="module")
def toys(tmp_path_factory, toy_model):
    """A running model, a store of other episodes and a library of what robots recorded."""
    folder = tmp_path_factory.mktemp("toys")
    shutil.copytree(toy_model, folder / "running")
    store = Store.create(folder / "store")
    for seed in range(20):
        store.add(episode(seed, 40))
    with Library(folder / "library") as library:
        for seed in range(200, 212):
            library.add_episode(episode(seed, 40), "toy", "made", 1e9 + seed)
    held = Store.create(folder / "held-out")
    for seed in range(900, 908):
        held.add(episode(seed, 40))
    return folder


@pytest.fixture(scope="module")
def round_of(toys):
    """Runs the round in ``rounds/first``, with another way to try a task or other settings."""

    def run(trial, **changes):
        settings = Settings(
            stores=(toys / "store",), replay=(toys / "held-out",), train={**SMALL, **changes}, trial=trial
        )
        out = toys / "rounds" / "first"
        with Library(toys / "library") as library, engine.make("local", 1) as jobs:
            made = learn(library, toys / "running", out, settings, jobs, lambda line: None)
            return made, library.catalogue.made_from("evaluation", "first")

    return run


@pytest.fixture(scope="module")
def first(round_of):
    """The round, the first time, and what its evaluation was made from."""
    return round_of(does_most)


def test_a_round_gives_a_model_that_may_be_released_and_its_descent(first):
    made, parents = first
    assert (made.passed, made.reasons) == (True, [])
    assert (made.model / CARD).is_file()
    assert made.figures["success"]["n"] == 40
    assert made.figures["imagined_far"]["n"] >= 8
    assert parents == [("run", "first"), ("dataset", "first")]


def test_a_round_that_is_done_is_not_done_again(first, round_of):
    assert round_of(never) == first
    with pytest.raises(NeoError, match="begun with other inputs"):
        round_of(never, learning_rate=1e-4)


def test_neo_learn_goes_on_with_a_round(first, toys, capsys):
    sets = [word for name, value in SMALL.items() for word in ("--set", f"{name}={plain(value)}")]
    words = ("--store", toys / "store", "--replay", toys / "held-out", *sets)
    out = toys / "rounds" / "first"
    code, said = neo(capsys, "learn", toys / "library", "--from", toys / "running", "--out", out, *words)
    assert (code, "neo release publish" in said.out) == (0, True)
    assert "… train: done before" in said.err
    code, said = neo(capsys, "learn", toys / "none", "--out", out)
    assert (code, "no library in" in said.err) == (2, True)


def test_a_candidate_that_fails_the_tasks_is_refused(first, round_of, toys):
    shutil.rmtree(toys / "rounds" / "first" / "gate")
    made, _ = round_of(no_candidate)
    assert not made.passed
    assert made.reasons[0].startswith("success is worse: 1 → 0")


def test_trials_that_were_done_are_not_done_again(toys, tmp_path):
    model = toys / "running"
    with engine.make("local", 1) as jobs:
        first = Tasks(jobs, does_most, range(8), tmp_path, lambda line: None)([model])
        with (tmp_path / KEPT).open("a") as file:
            file.write('{"model": "cut o')
        more = Tasks(jobs, does_most, range(10), tmp_path, lambda line: None)([model])
        last = Tasks(jobs, never, range(10), tmp_path, lambda line: None)([model, model])
    assert first[0].tolist() == more[0][:8].tolist()
    assert last[0].tolist() == last[1].tolist() == more[0].tolist() == [seed % 7 > 0 for seed in range(10)]


def plain(value):
    """As YAML reads numbers."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def neo(capsys, *words):
    code = cli.main([*map(str, words)])
    return code, capsys.readouterr()


def test_neo_gate_says_yes_no_or_why_it_cannot(toys, tmp_path, capsys):
    words = ("--against", toys / "running", "--replay", toys / "held-out", "--trials", 0)
    code, said = neo(capsys, "gate", toys / "running", *words, "--json", tmp_path / "verdict.json")
    assert (code, said.out.splitlines()[-1]) == (0, "passed")
    assert "note: no held-out task was tried" in said.out
    assert json.loads((tmp_path / "verdict.json").read_text())["passed"] is True
    folder = shutil.copytree(toys / "running", tmp_path / "stale")
    about = json.loads((folder / CARD).read_text())
    about["figures"]["quantiles"]["sim"] = [0.0] * 101
    (folder / CARD).write_text(json.dumps(about))
    code, said = neo(capsys, "gate", folder, *words)
    assert code == 1
    assert "refused: surprise is worse" in said.out
    code, said = neo(capsys, "gate", tmp_path / "nothing", *words)
    assert (code, said.err.startswith("neo: no model folder")) == (2, True)
