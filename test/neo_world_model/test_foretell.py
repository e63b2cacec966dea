"""Asked what would follow, it plans as do_task does, says where things are, remembers those out of sight."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch

from neo_description.errors import NeoError
from neo_description.kinematics import Kinematics
from neo_description.tables import BODY
from neo_world_model import config
from neo_world_model.actor import Actor
from neo_world_model.episode import EVENTS
from neo_world_model.foretell import APART, ASKED, LOOKS, Foreteller, consequences
from neo_world_model.modalities import features, pose9, shapes, size, stack, state_size
from neo_world_model.plan import Search
from neo_world_model.world_model import WorldModel

PATIENT = Search(samples=16, elite=4, iterations=1, deadline=1e9, veto=0.8)
EYE = "head_left_camera_optical_frame"
TABLE, WALL = 0.7, -0.3  # rad of the neck: what it looks at
AT = np.array([[0.45, 0.05, 0.0], [0.45, -0.15, 0.0]])  # m


class Untrained:
    """A tiny model before its first step, asked without ONNX Runtime."""

    sees, calibrated, usual = True, frozenset({"falls"}), np.zeros(len(EVENTS))

    def __init__(self):
        torch.manual_seed(0)
        self.settings = config.load("ci", width=32, heads=2, channels=8)
        self._model = WorldModel(self.settings).eval()

    @torch.no_grad()
    def imagine(self, past, action):
        states = self._model.imagine(torch.from_numpy(past), torch.from_numpy(action))
        events = torch.sigmoid(self._model.consequences(torch.from_numpy(past)[:, -1:], states.mean(dim=0)))
        return states.numpy(), events.numpy(), None

    @torch.no_grad()
    def act(self, z, text, places, known, proprio, begun):
        asked = map(torch.from_numpy, (z, text, places, known, proprio, begun))
        z, text, places, known, proprio, begun = asked
        words = self._model.text(text)
        told = self._model.policy(z, words, places, known, proprio, begun)
        goal = self._model.goal(z, words, places, known)
        towards = self._model.inverse(z, goal, torch.full((len(z),), self.settings.horizon))
        return tuple(x.numpy() for x in (told.action(), told.progress, goal, towards))


@pytest.fixture(scope="module")
def untrained():
    return Untrained()


class Mind:
    """The untrained model, but for what it foretells, ``chances``, and sees."""

    def __init__(self, untrained, **chances):
        self._untrained, self.chances = untrained, chances
        self.places, self.spread, self.named = AT, np.full((2, 3), 0.01), np.ones(2)
        self.looks = 0

    def __getattr__(self, name):
        return getattr(self._untrained, name)

    def imagine(self, past, action):
        states, events, error = self._untrained.imagine(past, action)
        given = np.array([self.chances.get(name, 0.0) for name in EVENTS])
        return states, np.broadcast_to(given, events.shape), error

    def where(self, vision, proprio, text):
        self.looks += 1
        return self.places[None], self.spread[None], self.named[None]


@cache
def eye(pitch):
    q = np.zeros(len(BODY.joints))
    q[BODY.index("neck_pitch")] = pitch
    return pose9(Kinematics().frames(q, [EYE])[EYE])


def row(pitch=TABLE, sees=True):
    """Senses of a robot that nods: 0.7 rad shows the table, -0.3 the wall."""
    parts = {name: np.zeros(n) for name, (n, _) in features("proprio").items()}
    parts["eye"] = eye(pitch)
    shape, _ = shapes()["vision"]
    out = {"proprio": stack("proprio", parts)}
    return {**out, "vision": np.zeros(shape, np.uint8)} if sees else out


def past(runtime):
    s, rng = runtime.settings, np.random.default_rng(1)
    states = rng.standard_normal((s.context, state_size(s))).astype(np.float32)
    return states, rng.standard_normal((s.context - 1, size("action"))).astype(np.float32)


def ask(foreteller, runtime, prompt="pick up the green cup"):
    return foreteller.answer(prompt, foreteller.question(*past(runtime), 12.5))


def test_the_first_step_that_is_likelier_than_not_is_told_in_seconds():
    chances = np.zeros((8, len(EVENTS)))
    chances[:, EVENTS.index("falls")] = [0.1, 0.3, 0.6, 0.9, 0.2, 0.0, 0.0, 0.0]
    chances[0, EVENTS.index("hidden")] = 0.5  # as likely as not
    found = {event.name: event for event in consequences(chances, {"falls"})}
    assert (found["falls"].chance, found["falls"].likely_after) == (0.9, pytest.approx(0.3))
    assert np.isnan(found["hidden"].likely_after)
    assert (found["falls"].calibrated, found["slips"].calibrated) == (True, False)


def test_what_is_foretold_is_the_plan_that_do_task_would_make(untrained):
    mind, now = Mind(untrained), row()
    states, led = past(untrained)
    actor = Actor(mind, "pick up the green cup", len(states), search=PATIENT)
    actor.look(now, np.eye(4))
    actor.stand(states, led, now["proprio"], np.eye(4))
    mind.imagine = untrained.imagine
    foreteller = Foreteller(mind, search=PATIENT)
    foreteller.hear(now, np.eye(4))
    told = ask(foreteller, untrained).consequences
    assert {e.name: e.chance for e in told.events} == actor.plan().events
    assert (told.time, told.horizon) == (12.5, pytest.approx(0.8))
    assert [e.name for e in told.events if e.calibrated] == ["falls"]


def test_a_veto_is_told_in_its_words(untrained):
    for chances, vetoed, said in (
        ({"falls": 0.95}, True, "the green cup would fall"),
        ({"falls": 0.7, "hidden": 0.99}, False, ""),
    ):
        mind = Mind(untrained, **chances)
        foreteller = Foreteller(mind, search=PATIENT)
        foreteller.hear(row(), np.eye(4))
        told = ask(foreteller, untrained)
        assert (told.vetoed, told.would) == (vetoed, said)


def test_what_has_gone_out_of_sight_is_remembered_though_nobody_asked_before(untrained):
    mind = Mind(untrained)
    foreteller = Foreteller(mind, search=PATIENT)
    foreteller.hear(row(), np.eye(4))
    target, place = ask(foreteller, untrained).beliefs
    assert (target.role, place.role) == ("target", "place")
    assert target.in_view
    assert place.in_view
    foreteller = Foreteller(mind, search=PATIENT)
    seen, away = row(), row(WALL)
    for _ in range(30):
        foreteller.hear(seen, np.eye(4))
    for _ in range(30):
        foreteller.hear(away, np.eye(4))
    shown, mind.where = mind.where, lambda *given: looked(given)

    def looked(given):
        places, spread, named = shown(*given)
        on_table = np.array_equal(given[1][0], seen["proprio"])
        return (places, spread, named) if on_table else (places + 0.3, 30 * spread, named)

    target = ask(foreteller, untrained).beliefs[0]
    assert not target.in_view
    np.testing.assert_allclose(target.position, AT[0], atol=1e-6)
    assert 0.5 < target.still_there < 1.0


def test_how_likely_it_is_still_there_falls_while_nobody_looks(untrained):
    mind = Mind(untrained)
    foreteller = Foreteller(mind, search=PATIENT)
    foreteller.hear(row(), np.eye(4))
    chances = [ask(foreteller, untrained).beliefs[0].still_there]
    for _ in range(3):
        for _ in range(100):
            foreteller.hear(row(sees=False), np.eye(4))
        chances.append(ask(foreteller, untrained).beliefs[0].still_there)
    assert chances[0] > 0.99
    assert all(a > b for a, b in pairwise(chances))
    assert mind.looks == 1


def test_where_the_robot_leans_does_not_matter(untrained):
    leaning = np.eye(4)
    leaning[:3, 3] = [0.03, -0.02, 0.0]
    foreteller = Foreteller(Mind(untrained), search=PATIENT)
    foreteller.hear(row(), leaning)
    np.testing.assert_allclose(ask(foreteller, untrained).beliefs[1].position, AT[1] + leaning[:3, 3])


def test_a_prompt_that_names_no_place_has_none_and_a_guess_is_no_sight(untrained):
    mind = Mind(untrained)
    mind.named, mind.spread = np.array([0.9, 0.1]), np.full((2, 3), 0.3)
    foreteller = Foreteller(mind, search=PATIENT)
    foreteller.hear(row(), np.eye(4))
    (only,) = ask(foreteller, untrained).beliefs
    assert only.role == "target"
    assert not only.in_view
    assert only.std == pytest.approx(0.3, rel=0.01)
    assert only.still_there < 0.01


def test_pictures_and_prompts_that_are_kept_are_few_and_none_is_looked_at_twice(untrained):
    mind, now = Mind(untrained), row()
    foreteller = Foreteller(mind, search=PATIENT)
    for _ in range(APART * (LOOKS + 10) + 5):
        foreteller.hear(now, np.eye(4))
    ask(foreteller, untrained)
    assert mind.looks == LOOKS + 1
    ask(foreteller, untrained)
    assert mind.looks == LOOKS + 1
    for i in range(ASKED + 2):
        ask(foreteller, untrained, f"take cup {i}")
    assert len(foreteller._asked) == ASKED


def test_too_little_past_and_prompts_that_cannot_be_read_are_refused(untrained):
    states, led = past(untrained)
    foreteller = Foreteller(untrained, search=PATIENT)
    with pytest.raises(NeoError, match=r"too little was sensed yet: 4 steps of 0\.1 s"):
        foreteller.question(states, led)
    foreteller.hear(row(), np.eye(4))
    with pytest.raises(NeoError, match="too little"):
        foreteller.question(states[1:], led)
    with pytest.raises(NeoError, match="a prompt of 500 bytes"):
        ask(foreteller, untrained, "x" * 500)


def test_a_model_without_eyes_foretells_and_knows_no_places(untrained):
    blind = Mind(untrained)
    blind.sees = False
    foreteller = Foreteller(blind, search=PATIENT)
    foreteller.hear(row(sees=False), np.eye(4))
    told = ask(foreteller, untrained)
    assert len(told.consequences.events) == len(EVENTS)
    assert told.beliefs == []
