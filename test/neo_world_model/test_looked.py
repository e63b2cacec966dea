"""Pictures that were looked at once teach what is behind the eyes as pictures do."""

import numpy as np
import pytest
import torch
from toy import episode

from neo_description.errors import NeoError
from neo_world_model import checkpoint, config
from neo_world_model.evaluate import tensors
from neo_world_model.looked import Looked
from neo_world_model.losses import losses
from neo_world_model.mixture import Mixture
from neo_world_model.store import Store
from neo_world_model.train import train
from neo_world_model.world_model import WorldModel

SMALL = {"width": 32, "channels": 8, "predictor_layers": 2, "heads": 2, "batch": 8, "evaluate_every": 1000,
         "evaluate_batches": 1}  # fmt: skip
BLIND = ("proprio", "force", "touch")


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    made = []
    for first in (0, 20):
        made.append(Store.create(tmp_path_factory.mktemp("toy")))
        for i in range(first, first + 12):
            made[-1].add(episode(i, 30, senses=BLIND if i % 4 == 3 else ("vision", *BLIND)))
    return made


@pytest.fixture(scope="module")
def begun(stores, tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun") / "run"
    chosen = config.load("ci", **SMALL, stores=[str(store.folder) for store in stores], steps=2)
    train(chosen, folder, lambda line: None)
    return folder


def test_they_are_the_tokens_of_the_same_pictures_also_in_the_mirror(stores, begun):
    model = checkpoint.load(begun)[0]
    seen = Mixture(stores, {"sim": 1.0}, 12, 3, context=4, mirror=0.5).batch(32, 0)
    looked = Looked(model.encoder, stores)
    instead = Mixture(stores, {"sim": 1.0}, 12, 3, context=4, mirror=0.5, looked=looked).batch(32, 0)
    assert set(seen) - set(instead) == {"vision"}
    for name in set(seen) & set(instead):
        np.testing.assert_array_equal(instead[name], seen[name], err_msg=name)
    with torch.no_grad():
        tokens = model.encoder.makers["vision"](torch.from_numpy(seen["vision"]).flatten(0, 1))
        there = torch.from_numpy(seen["has_vision"]).flatten()
        assert 0 < int(there.sum()) < len(there), "episodes with and without pictures"
        eyes = torch.from_numpy(instead["eyes"]).flatten(0, 1)
        torch.testing.assert_close(eyes[there], tokens[there], atol=2e-3, rtol=2e-3)
        states = [model.encode(tensors(batch, torch.device("cpu"))) for batch in (seen, instead)]
        torch.testing.assert_close(*states, atol=5e-3, rtol=5e-3)


def test_losses_are_those_of_pictures_but_what_needs_pictures_is_left_out(stores, begun):
    model = checkpoint.load(begun)[0]
    model.where.requires_grad_(False)
    found = []
    for looked in (None, Looked(model.encoder, stores)):
        batch = Mixture(stores, {"sim": 1.0}, 12, 5, context=4, looked=looked).batch(16, 1)
        found.append(losses(model, tensors(batch, torch.device("cpu")), torch.Generator().manual_seed(0)))
    assert set(found[0]) - set(found[1]) == {"where", "pixel"} & set(found[0])
    for name in set(found[1]) - {"loss"}:
        torch.testing.assert_close(found[1][name], found[0][name], atol=1e-2, rtol=1e-2)


def test_a_run_that_looks_once_leaves_eyes_words_and_places_as_they_are(stores, begun, tmp_path):
    said = []
    chosen = config.load(
        "ci", **SMALL, stores=[str(store.folder) for store in stores], steps=3, start=str(begun), looked=True
    )
    train(chosen, tmp_path / "run", said.append)
    before, after = (checkpoint.load(folder)[0].state_dict() for folder in (begun, tmp_path / "run"))
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in before if name.startswith(("encoder.makers.vision", "text.", "where."))} <= same
    for changed in ("encoder.makers.proprio.0.weight", "encoder.project.weight", "predictor.state.weight"):
        assert changed not in same
    assert any("looking at every picture once" in line for line in said)


def test_it_needs_eyes_to_begin_with(stores, begun):
    from neo_world_model.train import _begun

    for wrong in ({"start": ""}, {"start": str(begun), "kept": 10, "trained": ["policy"]}):
        with pytest.raises(NeoError, match="it needs `start`"):
            _begun(config.load("ci", **SMALL, **wrong, looked=True))
    assert isinstance(_begun(config.load("ci", **SMALL, start=str(begun), looked=True)), WorldModel)
