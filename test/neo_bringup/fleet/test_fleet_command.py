"""``neo fleet``: what it refuses, and what it tells."""

import json

import pytest

from neo_bringup import cli
from neo_bringup.fleet.settings import Place, Settings
from neo_description.errors import NeoError
from neo_flywheel import files

ROW = {
    "round": 1, "step": "done", "seconds": {"acted": 60.0, "learned": 120.0}, "choose": "all",
    "field": {"episodes": 4, "alone": 0.25, "autonomy": 0.8, "surprise": None},
    "recorded": {"episodes": 4, "steps": 400, "bytes": 4_000_000},
    "uploaded": {"episodes": 2, "steps": 200, "bytes": 1_500_000},
    "quarantined": {}, "stays": {"neo_2": ["no consent to clips"]}, "errors": {},
    "gate": {"passed": False, "reasons": ["success 0.1 is less than 0.4"], "notes": [], "figures": {}},
    "released": {"version": "", "stage": "", "why": "refused: success 0.1 is less than 0.4"},
    "before": {"version": "0", "value": 0.4, "low": 0.2, "high": 0.6, "trials": 20},
    "after": {"version": "0", "value": 0.4, "low": 0.2, "high": 0.6, "trials": 20},
    "difference": {"value": 0.0, "low": 0.0, "high": 0.0, "trials": 20},
    "versions": {"neo_1": "0", "neo_2": "0"},
}  # fmt: skip


def neo(*words):
    return cli.main(["fleet", *map(str, words)])


@pytest.fixture
def told(tmp_path):
    """A fleet that says it had one round."""
    place = Place(tmp_path / "fleet")
    place.save(Settings(robots=2, model="models/toy"))
    files.write_json(place.root / "fleet.json", {"rounds": [ROW]})
    return place


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--robots", 0], "--robots 0; at least 1"),
        (["--rounds", 0], "--rounds 0; at least 1"),
        (["--choose", "best"], "--choose best; one of all, mined, random"),
        (["--share", 1.5], "--share 1.5; more than 0, at most 1"),
        (["--minutes", 0], "--minutes 0; more than 0"),
        (["--resume"], "no fleet in"),
        (["--model", "nowhere"], "nowhere holds no model"),
        (["--engine", "steam"], "no engine 'steam'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(tmp_path, capsys, words, why):
    assert neo("--out", tmp_path / "fleet", *words) == 2
    assert why in capsys.readouterr().err.splitlines()[-1]


def test_a_fleet_that_is_there_goes_on_only_when_asked_to(told, capsys):
    assert neo("--out", told.root) == 2
    assert "--resume goes on with it" in capsys.readouterr().err


def test_what_a_fleet_began_with_stays(told, capsys):
    assert neo("--out", told.root, "--resume", "--robots", 5) == 2
    assert "--robots 5; this fleet began with 2, and it stays" in capsys.readouterr().err
    assert told.settings().robots == 2


def test_what_may_change_between_rounds_does():
    began = Settings(robots=2, began=1.0)
    changed = began.changed({"choose": "mined", "minutes": 2.0})
    assert (changed.choose, changed.minutes, changed.robots) == ("mined", 2.0, 2)
    with pytest.raises(NeoError, match="--seed 3; this fleet began with 0"):
        began.changed({"seed": 3})


def test_status_prints_a_row_a_round_and_what_was_said(told, capsys):
    assert neo("status", told.root) == 0
    out = capsys.readouterr().out
    assert "40 % [20, 60]" in out
    assert "4 ep, 4.0 MB" in out
    assert "2 × 0" in out
    assert "round 1: the gate refused: success 0.1 is less than 0.4" in out
    assert "round 1: neo_2 keeps its data: no consent to clips" in out
    assert neo("status", told.root, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["robots"], facts["rounds"][0]["round"]) == (2, 1)


def test_where_no_fleet_is_that_is_said(tmp_path, capsys):
    for action in ("status", "show"):
        assert neo(action, tmp_path) == 2
        assert "no fleet here; `neo fleet --out FOLDER` begins one" in capsys.readouterr().err


def test_the_rounds_that_were_asked_for_are_remembered(told):
    told.save(Settings(robots=2, rounds=4))
    assert told.settings().changed({}).rounds == 4
    assert told.settings().changed({"rounds": 6}).rounds == 6
