"""A plan is never worse than its proposals, keeps its deadline, and says what it would lead to."""

import numpy as np
import pytest
import torch

from neo_world_model import config
from neo_world_model.episode import EVENTS
from neo_world_model.export import export
from neo_world_model.modalities import part, size, state_size
from neo_world_model.plan import Known, Search, plan
from neo_world_model.runtime import Runtime
from neo_world_model.text import encode
from neo_world_model.world_model import WorldModel

SMALL = {"width": 32, "heads": 2, "channels": 8}
STATE = state_size(config.load("ci", **SMALL))


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    torch.manual_seed(0)
    model = WorldModel(config.load("ci", **SMALL)).eval()
    # an untrained model hardly imagines any change: make actions matter
    torch.nn.init.normal_(model.predictor.change.weight, std=0.3)
    folder = tmp_path_factory.mktemp("model")
    export(model, folder)
    return Runtime(folder)


@pytest.fixture(scope="module")
def given():
    rng, k = np.random.default_rng(1), config.load("ci").context
    return Known(
        past=rng.standard_normal((k, STATE)).astype(np.float32),
        led=rng.standard_normal((k - 1, size("action"))).astype(np.float32),
        text=encode(["pick up the red bottle"])[0],
        places=np.array([[0.45, -0.1, 0.0], [0.0, 0.0, 0.0]]),
        known=np.array([True, False]),
        proprio=rng.standard_normal(size("proprio")).astype(np.float32),
    )


def patient(**changes):
    return Search(**{"samples": 64, "elite": 8, "deadline": 1e9, "spread": 0.2, **changes})


def test_searching_betters_the_proposals_and_never_spoils_them(runtime, given):
    goal = np.random.default_rng(2).standard_normal(STATE).astype(np.float32)
    costs = [
        plan(runtime, given, patient(iterations=n), np.random.default_rng(2), goal=goal).cost for n in (1, 6)
    ]
    none = plan(runtime, given, patient(iterations=1, spread=0.0), goal=goal)
    assert costs[1] < costs[0] <= none.cost


def test_only_the_grippers_ways_are_searched(runtime, given):
    told = plan(runtime, given, patient(iterations=0))
    found = plan(runtime, given, patient(iterations=4))
    changed = np.abs(found.action - told.action).max(axis=0) > 1e-6
    ways = np.zeros(size("action"), bool)
    for side in ("l", "r"):
        at = part("action", f"{side}_gripper")
        ways[at.start : at.start + 3] = True
    towards = np.allclose(found.action[:, ~ways], found.towards[~ways], atol=1e-6)
    assert towards or not changed[~ways].any()


def test_the_same_seed_gives_the_same_plan(runtime, given):
    a, b = (plan(runtime, given, patient(), np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(a.action, b.action)
    assert a.action.shape == (config.load("ci").horizon, size("action"))
    assert ((a.progress >= 0.0) & (a.progress <= 1.0)).all()


def test_without_time_the_proposals_are_what_is_left(runtime, given):
    ticks = iter(range(100))  # a second goes by at each look at the clock
    late = plan(runtime, given, Search(deadline=0.5, iterations=50), clock=lambda: float(next(ticks)))
    assert late.iterations <= 1


class Foretelling:
    """A runtime that foretells the same events whatever is done."""

    def __init__(self, runtime, **chances):
        self._runtime, self._chances = runtime, [chances.get(name, 0.0) for name in EVENTS]

    def __getattr__(self, name):
        return getattr(self._runtime, name)

    def imagine(self, past, action):
        states, events, error = self._runtime.imagine(past, action)
        return states, np.broadcast_to(np.array(self._chances), events.shape), error


def test_an_event_that_is_likely_vetoes_the_plan_by_name(runtime, given):
    slips = plan(Foretelling(runtime, slips=0.95, hidden=0.9), given, patient(iterations=1))
    assert slips.vetoed == "slips"
    assert slips.events["slips"] == pytest.approx(0.95)
    hides = plan(Foretelling(runtime, hidden=0.95), given, patient(iterations=1))
    assert hides.vetoed == ""  # hidden things are no harm
    assert hides.events["hidden"] == pytest.approx(0.95)
