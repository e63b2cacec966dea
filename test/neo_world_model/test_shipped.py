"""The model that ships is found in a checkout and in an installed package, and a given one goes first."""

import pytest

from neo_description.errors import NeoError
from neo_world_model import shipped


def put(folder):
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    return str(folder)


def test_a_given_one_is_taken_and_none_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr(shipped, "places", lambda: [])
    assert shipped.model("runs/train/first") == "runs/train/first"
    with pytest.raises(NeoError, match=r"none ships here .*\(neo train, neo export\).* neo up model:=DIR"):
        shipped.model()


@pytest.mark.parametrize(
    ("room", "model"),
    [
        ("neo_world_model", "models/neo"),
        ("lib/python3.11/site-packages/neo_world_model", "share/neo_humanoid/models/neo"),
        ("neo_world_model", "share/neo_humanoid/models/neo"),
    ],
    ids=["checkout", "prefix", "pip --target"],
)
def test_it_is_found_where_it_ships(room, model, tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "ROOM", tmp_path / room)
    with pytest.raises(NeoError):
        shipped.model()
    folder = put(tmp_path / model)
    assert shipped.model() == folder
