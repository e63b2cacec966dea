"""A state carries what a robot senses of itself, and plans are told where they ask its hands to be."""

import pytest
import torch

from neo_world_model import config
from neo_world_model.modalities import features, own, part, size, state_size, table
from neo_world_model.own import ASKED, Own
from neo_world_model.world_model import WorldModel

WIDTH = 16


@pytest.fixture
def known():
    torch.manual_seed(0)
    return Own(WIDTH, ("vision", "proprio"))


def drawn(n):
    g = torch.Generator().manual_seed(n)
    return torch.randn(n, WIDTH, generator=g), torch.randn(n, size("proprio"), generator=g)


def test_what_is_sensed_stands_behind_what_is_learned_and_is_guessed_where_it_is_missing(known):
    z, proprio = drawn(6)
    has = torch.tensor([True, False] * 3)
    state = known(z, proprio, has)
    assert state.shape == (6, state_size(config.load("ci", width=WIDTH)))
    assert torch.equal(state[:, :WIDTH], z)
    sensed = torch.cat([proprio[:, part("proprio", name)] for name in table()["own"]], dim=1)
    assert torch.equal(state[has, WIDTH:], sensed[has])
    assert not torch.isclose(state[~has, WIDTH:], sensed[~has]).any(dim=1).all()
    assert torch.equal(known(z, proprio + 9.0, has)[~has], state[~has])


def test_the_guess_learns_by_its_own_error_alone(known):
    z, proprio = drawn(4)
    state = known(z.requires_grad_(), proprio, torch.zeros(4, dtype=torch.bool))
    (carried,) = torch.autograd.grad(state.square().sum(), z)
    torch.testing.assert_close(carried, 2.0 * z)
    first = known.missed(state, proprio).mean()
    state = state.detach()
    step = torch.optim.Adam(known.parameters(), 1e-2)
    for _ in range(50):
        step.zero_grad()
        known.missed(state, proprio).mean().backward()
        step.step()
    assert known.missed(state, proprio).mean() < 0.5 * first


def test_a_plan_is_told_how_far_hands_are_from_where_it_asks_them_to_be(known):
    z, proprio = drawn(1)
    state = known(z, proprio, torch.ones(1, dtype=torch.bool))
    action = torch.zeros(1, 2, size("action"))
    scales = {features(kind)[f"{side}_gripper"][1] for kind in ("proprio", "action") for side in "lr"}
    assert len(scales) == 1  # or differences of the two would mean nothing
    here = proprio[0, part("proprio", "r_gripper")]
    action[0, :, part("action", "r_gripper")] = here + torch.arange(9.0)
    action[0, :, part("action", "l_gripper")] = 5.0  # nobody asks for it
    action[0, 1, part("action", "r_moves")] = 1.0
    asked = known.asked(state, action)
    assert asked.shape == (1, 2, ASKED)
    assert not asked[0, 0].any()
    torch.testing.assert_close(asked[0, 1], torch.cat([torch.zeros(9), torch.arange(9.0)]))


def test_without_proprioception_a_state_is_what_is_learned():
    settings = config.load("ci", width=WIDTH, heads=2, channels=8, senses=["vision", "force"])
    blind = Own(WIDTH, settings.senses)
    z, proprio = drawn(3)
    assert state_size(settings) == WIDTH
    assert torch.equal(blind(z, proprio, torch.ones(3, dtype=torch.bool)), z)
    assert not blind.asked(z, torch.ones(3, 2, size("action"))).any()
    assert not blind.missed(z, proprio).any()
    assert not list(blind.parameters())


def test_imagined_proprioception_is_what_the_state_carries_but_for_what_is_learned():
    settings = config.load("ci", width=WIDTH, heads=2, channels=8)
    model = WorldModel(settings)
    for weights in model.senses.out["proprio"].parameters():
        torch.nn.init.zeros_(weights)
    state = torch.randn(2, state_size(settings))
    mean, _ = model.senses(state)["proprio"]
    assert torch.equal(mean[:, list(own())], state[:, WIDTH:])
