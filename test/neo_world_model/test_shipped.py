"""The model that ships is found in a checkout and in an installed package, and a given one goes first."""

from pathlib import Path

import numpy as np
import pytest
import torch

from neo_description.errors import NeoError
from neo_world_model import checkpoint, shipped
from neo_world_model.modalities import size, state_size
from neo_world_model.runtime import Runtime


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


def test_the_one_that_ships_is_small_whole_and_its_graphs_are_its_weights():
    folder = Path(shipped.model())
    assert sum(file.stat().st_size for file in folder.iterdir()) < 40e6
    assert not any(b"neo_world_model/export.py" in file.read_bytes() for file in folder.glob("*.onnx"))
    model, about = checkpoint.load(folder)
    assert about["made"]["commit"]
    runtime, s, rng = Runtime(folder), model.settings, np.random.default_rng(0)
    assert runtime.calibrated >= {"falls", "slips"}
    past = rng.standard_normal((2, s.context, state_size(s))).astype(np.float32)
    action = 0.3 * rng.standard_normal((2, s.context - 1 + s.horizon, size("action"))).astype(np.float32)
    with torch.no_grad():
        imagined = model.imagine(torch.from_numpy(past), torch.from_numpy(action))
    np.testing.assert_allclose(runtime.imagine(past, action)[0], imagined.numpy(), atol=1e-4)
