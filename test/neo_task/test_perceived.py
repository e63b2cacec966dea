"""Where perception sees what a prompt is about, and when its word does not count."""

import numpy as np
import pytest

from neo_description.signals import BodyEstimate, DetectedObject, Safety, Scene
from neo_task.perceived import FAITH, MUCH, STALE, Perceived, understood
from neo_task.planner import Observation

AT = {"bottle": (0.5, 0.1, 0.0), "cup": (0.4, -0.1, 0.0)}


def told(prompt):
    return Perceived(understood(prompt))


def thing(color, class_name, place, confidence=0.9, number=1, **fields):
    T = np.eye(4)
    T[:3, 3] = place
    about = {"visible_fraction": 1.0, "last_seen": 2.0, **fields}
    return DetectedObject(number, class_name, color, T, np.zeros((6, 6)), np.ones(3), confidence, **about)


def seen(*things, time=2.0, scene=2.0):
    T = np.eye(4)
    T[0, 3] = 0.2  # the robot has come nearer
    estimate = BodyEstimate(0, time, T, np.zeros(6), T, T, T, Safety.ACTIVE, "")
    return Observation(time, estimate, {}, Scene(scene, list(things)))


BOTTLE, CUP = thing("red", "bottle", AT["bottle"]), thing("green", "cup", AT["cup"])


def test_target_and_place_are_told_in_odom():
    target, place = told("put the red bottle next to the green cup").places(seen(CUP, BOTTLE))
    np.testing.assert_allclose(target, (0.7, 0.1, 0.0))
    np.testing.assert_allclose(place, (0.6, -0.1, 0.0))


def test_what_the_prompt_does_not_name_is_not_told():
    target, place = told("pick up the red bottle").places(seen(CUP, BOTTLE))
    assert target is not None
    assert place is None


@pytest.mark.parametrize(
    "prompt", ["pick up the red thing", "look at the table", "juggle with the bottle", "pick up the zorp"]
)
def test_a_prompt_without_a_class_that_is_known_is_left_to_the_model(prompt):
    assert told(prompt).places(seen(BOTTLE)) == [None, None]


def test_of_two_that_may_be_meant_the_surer_one_is():
    sure = thing("red", "bottle", AT["cup"], confidence=0.95)
    target, _ = told("pick up the bottle").places(seen(BOTTLE, sure))
    assert target[1] == AT["cup"][1]


def test_another_is_not_taken_for_it_when_it_is_out_of_sight_for_a_moment():
    perceived = told("pick up the red bottle")

    def at(time, *confidences):
        things = [
            thing("red", "bottle", AT[name], confidence, number, last_seen=time)
            for name, confidence, number in zip(AT, confidences, (1, 2), strict=True)
            if confidence
        ]
        place = perceived.places(seen(*things, time=time, scene=time))[0]
        return None if place is None else int(np.argmin([abs(place[1] - it[1]) for it in AT.values()]))

    assert at(2.0, 0.7, 0.6) == 0
    assert at(2.1, 0.6, 0.7) == 0  # a little less sure
    assert at(2.2, 0, 0.8) is None  # hidden
    assert at(2.3, 0.6, 0.6 + 1.1 * MUCH) == 1  # another is much surer
    assert at(2.4, 0.9, 0) is None
    assert at(2.4 + FAITH, 0.6, 0) == 0  # it has been away for long


def test_what_is_hidden_remembered_or_old_is_not_told():
    perceived = told("pick up the red bottle")
    for hidden in ({"visible_fraction": 0.1}, {"last_seen": 1.5}):
        assert perceived.places(seen(thing("red", "bottle", AT["bottle"], **hidden)))[0] is None
    assert perceived.places(seen(BOTTLE, time=2.0 + 0.9 * STALE))[0] is not None
    assert perceived.places(seen(BOTTLE, time=2.0 + 1.1 * STALE))[0] is None
    nothing = seen()
    nothing.scene = None
    assert perceived.places(nothing)[0] is None
