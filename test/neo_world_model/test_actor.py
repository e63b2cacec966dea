"""Where the actor believes things to be: by its own eyes, or as it is told by better ones."""

import numpy as np
import pytest

from neo_world_model.actor import FAITH, Actor, look_at
from neo_world_model.modalities import features, part, shapes, size

OWN, TRUE = np.array([0.48, 0.06, 0.0]), np.array([0.45, 0.02, 0.0])


class Runtime:
    """Sees the target, and no place, where :data:`OWN` says, give or take 3 cm."""

    sees = True

    def state(self, _row, _source):
        return np.zeros(4)

    def where(self, vision, _proprio, _text):
        n = len(vision)
        return np.tile(OWN, (n, 2, 1)), np.full((n, 2, 3), 0.03), np.tile([0.9, 0.1], (n, 1))


def row():
    (shape, dtype) = shapes()["vision"]
    return {"vision": np.zeros(shape, dtype), "proprio": np.zeros(size("proprio"), np.float32)}


@pytest.fixture
def actor():
    return Actor(Runtime(), "pick up the red bottle", context=4)


def test_without_help_a_thing_is_where_the_model_sees_it(actor):
    actor.sense(row(), np.eye(4))
    np.testing.assert_allclose(actor.places()[0], OWN)
    assert np.isnan(actor.places()[1]).all()
    assert actor.known.tolist() == [True, False]


def test_told_by_better_eyes_it_is_there_and_the_own_look_does_not_count(actor):
    for _ in range(5):
        actor.sense(row(), np.eye(4), (TRUE, None))
    np.testing.assert_allclose(actor.places()[0], TRUE)
    assert actor.spread[0] < 0.03


def test_what_the_words_do_not_name_is_known_when_it_is_told(actor):
    actor.sense(row(), np.eye(4), (None, TRUE))
    assert actor.known.tolist() == [True, True]
    np.testing.assert_allclose(actor.places(), [OWN, TRUE])


def test_a_hidden_thing_stays_where_it_was_told_for_a_while(actor):
    for _ in range(5):
        actor.sense(row(), np.eye(4), (TRUE, TRUE))
    for _ in range(FAITH - 1):
        actor.sense(row(), np.eye(4))
        np.testing.assert_allclose(actor.places(), [TRUE, TRUE])
        assert actor.known.all()
    for _ in range(10):
        actor.sense(row(), np.eye(4))
    assert np.linalg.norm(actor.places()[0] - OWN) < 0.01
    assert actor.known.tolist() == [True, False]  # the own eyes do not see the place named


def test_what_is_held_is_there_at_once_and_is_left_there(actor):
    actor.sense(row(), np.eye(4), (TRUE, None))
    for k in range(5):
        held = TRUE + np.array([0.0, 0.1 * k, 0.2])
        actor.sense(row(), np.eye(4), (TRUE, None), held)
        np.testing.assert_allclose(actor.places()[0], held)
    actor.sense(row(), np.eye(4))
    np.testing.assert_allclose(actor.places()[0], held)


def test_a_gaze_that_is_meant_for_a_thing_is_turned_to_it_and_another_is_left():
    at, scale = part("action", "gaze"), features("action")["gaze"][1]
    action = np.zeros((3, size("action")), np.float32)
    action[:, at] = np.array([[0.40, 0.05, 0.9], [0.50, -0.28, 0.8], [0.2, 0.3, 0.7]]) / scale
    cup, place = np.array([0.45, 0.10, 0.85]), np.array([0.50, -0.20, 0.8])
    look_at(action, np.stack([cup, place]))
    assert np.allclose(action[:, at] * scale, [cup, place, [0.2, 0.3, 0.7]])
    before = action.copy()
    look_at(action, np.zeros((0, 3)))
    assert np.array_equal(action, before)


def test_what_came_of_a_thing_counts_from_where_it_was_when_the_task_began(monkeypatch):
    asked = []
    monkeypatch.setattr("neo_world_model.actor.plan", lambda _runtime, given, *_: asked.append(given) or Plan)
    actor = Actor(Runtime(), "push the green cup", context=1)
    actor._led.extend(np.zeros((0, 1)))
    T = np.eye(4)
    actor.sense(row(), T, (TRUE, None))
    actor._led = [np.zeros(1)]
    actor.plan()
    for _ in range(8):
        actor.sense(row(), T, (TRUE + np.array([0.0, 0.1, 0.0]), None))
    actor.plan()
    actor.begin()
    actor.plan()
    moved = [given.places - given.begun for given in asked]
    assert np.allclose(moved[0], 0.0)
    assert moved[1][0] == pytest.approx([0.0, 0.1, 0.0], abs=0.01)
    assert np.allclose(moved[2], 0.0)


class Plan:
    """One that asks for nothing."""

    action = np.zeros((1, size("action")), np.float32)
