"""Where a policy sends hands: from a place, as the words say, and in the gripper's own axes."""

import numpy as np
import pytest
import torch

from neo_world_model import config
from neo_world_model.modalities import features, part, size
from neo_world_model.policy import DECIDED, Policy, decided, gripper_targets
from neo_world_model.where import SCALE

SETTINGS = config.load("ci", width=32, heads=2, channels=8)
N, WIDTH, HORIZON = 6, SETTINGS.width, SETTINGS.horizon
PLACE = 1  # of the anchors


def asked(seed=0):
    """Inputs of a policy: state, words, places (both known), proprioception, places as it began."""
    g = torch.Generator().manual_seed(seed)
    places = 0.3 * torch.randn(N, 2, 3, generator=g)
    z, words = torch.randn(N, WIDTH, generator=g), torch.randn(N, WIDTH, generator=g)
    proprio = torch.randn(N, size("proprio"), generator=g)
    return z, words, places, torch.ones(N, 2, dtype=torch.bool), proprio, places + 0.02


@pytest.fixture
def policy():
    torch.manual_seed(0)
    return Policy(SETTINGS).eval()


@pytest.fixture
def placing(policy):
    """A policy that sends both hands to the place, upright."""
    last = policy.out[-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.zeros_(last.bias)
    rows = last.bias.data.view(HORIZON, -1)
    anchors = rows[:, -1 - policy.sizes[-2] : -1].unflatten(-1, (2, -1))
    anchors[..., PLACE] = 50.0
    for side in "lr":
        first = part("action", f"{side}_gripper").start
        rows[:, first + 3] = rows[:, first + 7] = 1.0  # x and y of an attitude that turns nothing
    return policy


def test_the_place_is_told_as_what_the_words_say_beside_it(placing):
    given = asked()
    torch.testing.assert_close(gripper_targets(placing(*given), "l")[:, 0], given[2][:, 1])
    placing.beside.bias.data.view(2, 3)[0, 1] = 0.12 / SCALE
    told = placing(*given)
    left = given[2][:, 1] + torch.tensor([0.0, 0.12, 0.0])
    torch.testing.assert_close(gripper_targets(told, "l")[:, -1], left)
    torch.testing.assert_close(gripper_targets(told, "r")[:, -1], given[2][:, 1])


def test_a_way_may_be_said_in_the_grippers_own_axes(placing):
    placing.along.bias.data.view(HORIZON, 2, 3)[:, 1] = torch.tensor([0.05, 0.0, 0.02]) / SCALE
    rows, first = placing.out[-1].bias.data.view(HORIZON, -1), part("action", "r_gripper").start
    rows[:, first + 3 : first + 9] = torch.tensor([0.0, 2.0, 0.0, -0.5, 0.1, 0.0])  # a quarter turn about z
    given = asked()
    there = given[2][:, 1] + torch.tensor([0.0, 0.05, 0.02])
    torch.testing.assert_close(gripper_targets(placing(*given), "r")[:, 0], there)


def test_words_that_hardly_differ_by_a_side_are_told_apart_and_answers_stay(policy):
    torch.nn.init.normal_(policy.beside.weight)
    given = list(asked())
    rng = np.random.default_rng(0)
    colours, side = rng.normal(size=(2000, WIDTH)), rng.integers(0, 2, size=2000)
    colours[:, 0] = 0.0
    words = torch.tensor(colours, dtype=torch.float32) @ torch.diag(torch.linspace(0.1, 3.0, WIDTH))
    words[:, 0] += 0.3 * torch.tensor(side)
    before = policy(*given)
    for heard in (words, words[:500] + 1.0):
        policy.hear_evenly(heard)
        after = policy(*given)
        torch.testing.assert_close(after.numbers, before.numbers, rtol=1e-3, atol=1e-3)
        told = (heard - policy.usual_words) @ policy.even_words
        spread = torch.cov(told.T).diagonal().sqrt()
        assert spread.min() > 0.9
        assert spread.max() < 1.01


def test_where_all_prompts_say_the_same_they_are_told_as_they_are(policy):
    policy.hear_evenly(torch.ones(50, WIDTH))
    assert torch.equal(policy.even_words, torch.eye(WIDTH))


def test_a_hand_is_decided_about_while_it_is_not_nearly_where_it_is_sent():
    lesson, proprio = torch.zeros(2, HORIZON, size("action")), torch.zeros(2, size("proprio"))
    at = part("action", "r_gripper").start
    lesson[:, 3:, at + 1] = 1.1 * DECIDED / features("action")["r_gripper"][1]
    lesson[:, :, at + 2] = 9.0  # up counts for nothing
    assert not decided(lesson, proprio).any()  # it may stay where it is
    lesson[1, :, part("action", "r_moves")] = 1.0
    found = decided(lesson, proprio)
    assert not found[0].any()
    assert found[1].tolist() == [False] * 3 + [True] * (HORIZON - 3)
    assert not decided(lesson, proprio, ["l"]).any()
