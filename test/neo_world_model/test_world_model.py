"""The model looks back only, and at nothing that is missing."""

import pytest
import torch
from toy import episode

from neo_description.errors import NeoError
from neo_world_model import config, losses
from neo_world_model.episode import THINGS
from neo_world_model.evaluate import tensors
from neo_world_model.mixture import Mixture
from neo_world_model.modalities import size, state_size
from neo_world_model.store import Store
from neo_world_model.where import SCALE
from neo_world_model.world_model import WorldModel

SMALL = {"width": 32, "channels": 8, "predictor_layers": 2, "heads": 2, "pixel_weight": 1.0}


@pytest.fixture(scope="module")
def settings():
    return config.load("ci", **SMALL)


@pytest.fixture(scope="module")
def model(settings):
    torch.manual_seed(0)
    return WorldModel(settings)


@pytest.fixture
def batch(settings, tmp_path):
    store = Store.create(tmp_path)
    for i in range(12):
        store.add(episode(i, 20, "web_video" if i % 3 == 2 else "sim"))
    drawn = Mixture([store], {"sim": 1.0, "web_video": 1.0}, settings.context + settings.horizon,
                    context=settings.context)  # fmt: skip
    return tensors(drawn.batch(16, 0), torch.device("cpu"))


def test_an_imagined_state_knows_the_actions_up_to_its_own_step_and_no_later_ones(model, settings):
    g = torch.Generator().manual_seed(0)
    k, h = settings.context, settings.horizon
    past = torch.randn(3, k, state_size(settings), generator=g)
    action = torch.randn(3, k - 1 + h, size("action"), generator=g)
    before = model.imagine(past, action)
    changed = action.clone()
    changed[:, k - 1 + 4] += 1.0  # of the fifth step ahead
    after = model.imagine(past, changed)
    assert torch.equal(before[:, :, :4], after[:, :, :4])
    assert (before != after)[:, :, 4:].any(dim=-1).all()


def test_a_short_plan_is_the_beginning_of_a_long_one(model, settings):
    g = torch.Generator().manual_seed(0)
    k, h = settings.context, settings.horizon
    past, action = (
        torch.randn(2, k, state_size(settings), generator=g),
        torch.randn(2, k - 1 + h, size("action"), generator=g),
    )
    torch.testing.assert_close(
        model.imagine(past, action[:, : k + 1]), model.imagine(past, action)[:, :, :2], atol=1e-5, rtol=1e-4
    )


def test_what_is_missing_does_not_matter(model, batch):
    video = ~batch["has_proprio"][:, 0]
    assert video.any()
    changed = dict(batch)
    changed["proprio"] = torch.where(
        video[:, None, None], torch.full_like(batch["proprio"], 9.0), batch["proprio"]
    )
    changed["touch_valid"] = torch.where(
        video[:, None, None, None], ~batch["touch_valid"], batch["touch_valid"]
    )
    torch.testing.assert_close(model.encode(changed), model.encode(batch))


def test_a_dead_pad_says_nothing(model, batch):
    dead = dict(batch, touch_valid=batch["touch_valid"].clone())
    dead["touch_valid"][:, :, 0, 3] = False
    loud = dict(dead, touch=dead["touch"].clone())
    loud["touch"][:, :, :, 0, 3] = 50.0
    torch.testing.assert_close(model.encode(loud), model.encode(dead))


def test_video_and_robot_train_the_same_weights(model, batch):
    terms = model(batch, torch.Generator().manual_seed(0))
    model.zero_grad()
    terms["loss"].backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None]
    assert silent == []


def test_the_picture_changes_no_state(model, batch):
    terms = model(batch, torch.Generator().manual_seed(0))
    model.zero_grad()
    terms["pixel"].backward()
    assert all(p.grad is None for p in model.encoder.parameters())
    assert any(p.grad is not None for p in model.pixels.parameters())


def test_a_model_without_touch_ignores_it(batch, settings):
    blind = WorldModel(config.load("ci", **{**SMALL, "senses": ["vision", "proprio"]}))
    changed = dict(batch, touch=batch["touch"] + 1.0, force=batch["force"] + 1.0)
    torch.testing.assert_close(blind.encode(changed), blind.encode(batch))
    blind(batch, torch.Generator().manual_seed(0))["loss"].backward()
    assert [name for name, p in blind.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"heads": 3}, "does not divide"),
        ({"senses": ["smell"]}, "smell"),
        ({"mix": ["sim"]}, "sim=0.5"),
        ({"width": 1}, "width"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given, word):
    with pytest.raises(NeoError, match=word):
        config.load("ci", **given)


def test_a_recipe_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(NeoError, match="ci, gpu, laptop"):
        config.load("fast")


def test_things_that_fall_count_as_much_as_all_that_stay(monkeypatch):
    class Still:
        def paths(self, now, then, words, start, moved):
            return start[:, None].expand(-1, then.shape[1], -1, -1)

    monkeypatch.setattr(losses, "PLACE_NOISE", 1e-9)
    k, horizon, n = 4, 8, 5
    places = torch.zeros(n, k + horizon, THINGS, 3)
    places[0, k:, 0, 2] = -0.3  # one of ten falls, one is carried
    places[1, k:, 1, 0] = 0.15
    batch = {"privileged_places": places, "named": torch.tensor([[0, 1]]).expand(n, -1)}
    now, then, words = torch.zeros(n, 1, 2), torch.zeros(n, horizon, 2), torch.zeros(n, 2)
    found = losses._paths(Still(), now, then, words, batch, k, None)
    assert found == pytest.approx((0.3 / 3 + 0.15 / 3) / SCALE, rel=1e-4)
