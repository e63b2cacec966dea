"""ONNX Runtime says what PyTorch says."""

import numpy as np
import pytest
import torch

from neo_description.errors import NeoError
from neo_world_model import config
from neo_world_model.export import encode_inputs, export
from neo_world_model.modalities import SOURCES, shapes, size, state_size
from neo_world_model.runtime import Runtime
from neo_world_model.text import encode
from neo_world_model.world_model import WorldModel


@pytest.fixture(scope="module", params=[("vision", "proprio", "force", "touch"), ("vision", "proprio")])
def pair(request, tmp_path_factory):
    torch.manual_seed(0)
    model = WorldModel(
        config.load("ci", width=32, heads=2, channels=8, pixel_weight=1.0, senses=list(request.param))
    ).eval()
    torch.nn.init.normal_(model.predictor.change.weight, std=0.3)
    folder = tmp_path_factory.mktemp("model")
    export(model, folder)
    return model, Runtime(folder)


@pytest.mark.parametrize("n", [1, 5])
def test_states_are_equal_within_1e_4_also_where_senses_are_missing(pair, n):
    model, runtime = pair
    rng = np.random.default_rng(n)
    given = {"source": rng.integers(0, len(SOURCES), n)}
    for name in encode_inputs(model.encoder.senses):
        if name.startswith("has_"):
            given[name] = rng.random(n) < 0.7
        elif name != "source":
            shape, dtype = shapes()[name]
            drawn = (
                rng.integers(0, 256, (n, *shape))
                if dtype == "uint8"
                else 3.0 * rng.standard_normal((n, *shape))
            )
            given[name] = drawn > 0 if dtype == "bool" else drawn.astype(dtype)
    tensors = {name: torch.from_numpy(np.asarray(values)) for name, values in given.items()}
    with torch.no_grad():
        z = model.state(tensors, {name: tensors[f"has_{name}"] for name in model.encoder.senses})
    np.testing.assert_allclose(runtime.encode(given), z.numpy(), atol=1e-4)


@pytest.mark.parametrize("n", [1, 7])
def test_imagination_is_equal_within_1e_4(pair, n):
    model, runtime = pair
    s, rng = model.settings, np.random.default_rng(n)
    past = rng.standard_normal((n, s.context, state_size(s))).astype(np.float32)
    action = rng.standard_normal((n, s.context - 1 + s.horizon, size("action"))).astype(np.float32)
    states, events, error = runtime.imagine(past, action)
    with torch.no_grad():
        then = model.imagine(torch.from_numpy(past), torch.from_numpy(action))
        now, mean = torch.from_numpy(past)[:, -1:], then.mean(dim=0)
        np.testing.assert_allclose(states, then.numpy(), atol=1e-4)
        np.testing.assert_allclose(events, torch.sigmoid(model.consequences(now, mean)).numpy(), atol=1e-4)
        np.testing.assert_allclose(error, model.doubt(now, mean).exp().numpy(), rtol=1e-3)


def test_what_is_read_off_a_state_is_equal_within_1e_4(pair):
    model, runtime = pair
    z = np.random.default_rng(0).standard_normal((4, state_size(model.settings))).astype(np.float32)
    read = runtime.read(z)
    with torch.no_grad():
        for name, (mean, log_std) in model.senses(torch.from_numpy(z)).items():
            np.testing.assert_allclose(read[f"{name}_mean"], mean.numpy(), atol=1e-4)
            np.testing.assert_allclose(read[f"{name}_log_std"], log_std.numpy(), atol=1e-4)
        np.testing.assert_allclose(read["picture"], model.pixels(torch.from_numpy(z)).numpy(), atol=1e-4)


def test_places_and_deeds_are_equal_within_1e_4(pair):
    model, runtime = pair
    s, rng, n = model.settings, np.random.default_rng(0), 4
    (eyes, height, width, rgb), _ = shapes()["vision"]
    vision = rng.integers(0, 256, (n, eyes, height, width, rgb)).astype(np.uint8)
    proprio = rng.standard_normal((n, size("proprio"))).astype(np.float32)
    text = encode(["pick up the red bottle", "", "put the green cup behind the ball", "go"])
    z = rng.standard_normal((n, state_size(s))).astype(np.float32)
    *found_places, named = runtime.where(vision, proprio, text)
    places, spread = found_places
    known = np.array([[True, False], [False, False], [True, True], [False, True]])
    begun = places + rng.normal(0.0, 0.1, places.shape).astype(np.float32)
    told = runtime.act(z, text, places, known, proprio, begun)
    with torch.no_grad():
        words, state = model.text(torch.from_numpy(text)), torch.from_numpy(z)
        mean, log_std, logit, _ = model.where(torch.from_numpy(vision), torch.from_numpy(proprio), words)
        given = (torch.from_numpy(x) for x in (known, proprio, begun))
        answer = model.policy(state, words, mean, *given)
        plan, done = answer.action(), answer.progress
        goal = model.goal(state, words, mean, torch.from_numpy(known))
        towards = model.inverse(state, goal, torch.full((n,), s.horizon))
    np.testing.assert_allclose(named, torch.sigmoid(logit).numpy(), atol=1e-4)
    for found, wanted in zip(
        (places, spread, *told), (mean, log_std.exp(), plan, done, goal, towards), strict=True
    ):
        np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)
    assert (spread > 0.0).all()


def test_a_folder_without_graphs_is_refused(tmp_path):
    with pytest.raises(NeoError, match="no model for ONNX"):
        Runtime(tmp_path)
