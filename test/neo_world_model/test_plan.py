"""A plan is never worse than its proposals, keeps its deadline, and says what it would lead to."""

import pytest
import torch

from neo_world_model import config
from neo_world_model.modalities import size
from neo_world_model.plan import Search, _costs, plan
from neo_world_model.text import encode
from neo_world_model.world_model import WorldModel

TEXT = torch.from_numpy(encode(["pick up the red bottle"]))[0]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    made = WorldModel(config.load("ci", width=32, heads=2, channels=8)).eval()
    # an untrained model hardly imagines any change: make actions matter
    torch.nn.init.normal_(made.predictor.change.weight, std=0.3)
    return made


@pytest.fixture
def start(model):
    g = torch.Generator().manual_seed(1)
    k = model.settings.context
    return torch.randn(k, 32, generator=g), torch.randn(k - 1, size("action"), generator=g)


def patient(**changes):
    return Search(samples=64, elite=8, deadline=1e9, **changes)


def test_searching_betters_the_proposals_and_never_spoils_them(model, start):
    g = torch.Generator().manual_seed(2)
    goal = torch.randn(32, generator=g)
    none = plan(model, *start, TEXT, goal, patient(iterations=0), g)
    some = plan(model, *start, TEXT, goal, patient(iterations=6), g)
    assert some.cost < none.cost
    found = _costs(model, *start, some.action[None], goal, patient())
    assert float(found.detach()) == pytest.approx(some.cost, rel=1e-4)


def test_the_same_seed_gives_the_same_plan(model, start):
    a, b = (plan(model, *start, TEXT, None, patient(), torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(a.action, b.action)
    assert a.action.shape == (model.settings.horizon, size("action"))


def test_without_time_the_proposals_are_what_is_left(model, start):
    ticks = iter(range(100))  # a second goes by at each look at the clock
    late = plan(
        model, *start, TEXT, None, Search(deadline=0.5, iterations=50), clock=lambda: float(next(ticks))
    )
    assert late.iterations <= 1


def test_an_event_that_is_likely_vetoes_the_plan_by_name(model, start):
    with torch.no_grad():
        bias = model.consequences.out[-1].bias
        before = bias.clone()
        bias[:] = torch.tensor([-9.0, 9.0, -9.0, 9.0])
    done = plan(model, *start, TEXT, None, patient(iterations=1))
    with torch.no_grad():
        bias[:] = torch.tensor([-9.0, -9.0, -9.0, 9.0])  # hidden things are no harm
    harmless = plan(model, *start, TEXT, None, patient(iterations=1))
    with torch.no_grad():
        bias[:] = before
    assert done.vetoed == "slips"
    assert done.events["slips"] > 0.9
    assert harmless.vetoed == ""
    assert harmless.events["hidden"] > 0.9
