"""How a model was made is written down so that it can be made again, and names no machine's folders."""

import json
import shlex

import pytest
import yaml
from toy import episode

from neo_bringup.cli import parser_for
from neo_world_model import config
from neo_world_model.made import changes, command, made, shareable, summary
from neo_world_model.store import Store


@pytest.fixture
def store(tmp_path):
    found = Store.create(tmp_path / "somewhere" / "toys")
    for seed, (kind, success) in enumerate([("pick", True), ("pick", False), ("drop", None)], start=7):
        one = episode(seed, 36)
        one.kind, one.success = kind, success
        found.add(one)
    return found


def test_a_store_is_summed_up_by_source_and_kind(store):
    told = summary(store)
    assert (told["name"], told["episodes"], told["steps"], told["seeds"]) == ("toys", 3, 108, [7, 9])
    assert told["hours"] == pytest.approx(0.003)
    assert told["success"] == 0.5
    assert [(row["source"], row["kind"], row["episodes"], row["success"]) for row in told["rows"]] == [
        ("sim", "drop", 1, None),
        ("sim", "pick", 2, 0.5),
    ]


def test_an_empty_store_is_summed_up_too(tmp_path):
    told = summary(Store.create(tmp_path / "none"))
    assert (told["episodes"], told["seeds"], told["success"], told["rows"]) == (0, [], None, [])


def test_the_command_trains_with_the_same_settings(store, tmp_path):
    given = {
        "width": 96, "learning_rate": 1e-5, "seed": 3, "frozen": ["encoder", "text"], "senses": ["proprio"],
        "minutes": 12.5, "start": str(tmp_path / "first"), "stores": [str(store.folder)],
    }  # fmt: skip
    settings = config.load("laptop", **given)
    words = shlex.split(command(settings))
    assert words[:5] == ["neo", "train", "laptop", "--store", "toys"]
    args = parser_for(words[1:]).parse_args(words[1:])
    again = {name: yaml.safe_load(value) for name, _, value in (row.partition("=") for row in args.set)}
    again["stores"] = [str(path) for path in args.store]
    assert vars(config.load(args.recipe, **again)) == {
        **vars(settings), "stores": ["toys"], "start": "first"
    }  # fmt: skip


def test_the_nearest_recipe_is_named_and_many_processes_are_told():
    assert changes(config.load("gpu", seed=1)) == ("gpu", {"seed": 1})
    assert changes(config.load()) == ("", {})
    assert changes(config.load("ci"), "")[1]["width"] == 64
    assert command(config.load("gpu", sharding="ddp")).startswith("torchrun -m neo_bringup.cli train gpu ")


def test_no_folder_of_this_machine_is_named(store, tmp_path):
    settings = config.load("ci", stores=[str(store.folder)], start=str(tmp_path / "first"))
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "model.json").write_text(json.dumps({"step": 7, "seconds": 60.0, "made": {}}))
    told = json.dumps([made(settings, [store]), shareable(vars(settings))])
    assert str(tmp_path) not in told
    assert '"toys"' in told
    assert json.loads(told)[0]["before"] == {"step": 7, "seconds": 60.0}
    assert set(made(settings, [store])) == {"before", "recipe", "command", "commit", "machine", "stores"}
