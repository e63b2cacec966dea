"""Where things were left is remembered while nobody looks, and what is seen elsewhere is news."""

import numpy as np
import pytest

from neo_description.kinematics import Kinematics
from neo_description.tables import BODY
from neo_world_model.memory import OFTEN, Things
from neo_world_model.modalities import features, pose9, shapes, stack

EYE = "head_left_camera_optical_frame"
AT, ELSEWHERE = np.array([0.45, 0.05, 0.0]), np.array([0.45, -0.15, 0.0])


class Runtime:
    """Sees everything where ``place`` says."""

    def __init__(self):
        self.place = AT

    def where(self, vision, proprio, text):
        n = len(text)
        return np.tile(self.place, (n, 2, 1)), np.full((n, 2, 3), 0.01), np.ones((n, 2))


def row(pitch):
    """Senses of a robot that nods: 0.7 rad shows the table, -0.3 the wall."""
    q = np.zeros(len(BODY.joints))
    q[BODY.index("neck_pitch")] = pitch
    parts = {name: np.zeros(n) for name, (n, _) in features("proprio").items()}
    parts["eye"] = pose9(Kinematics().frames(q, [EYE])[EYE])
    shape, _ = shapes()["vision"]
    return {"vision": np.zeros(shape, np.uint8), "proprio": stack("proprio", parts)}


def test_what_is_where_it_was_left_is_no_news():
    things = Things(Runtime(), ["red bottle", "blue cup"])
    assert np.isnan(things.look(row(0.7), np.eye(4))).all()
    np.testing.assert_allclose(things.look(row(0.7), np.eye(4)), 0.0, atol=1e-6)


def test_nothing_is_said_of_what_is_out_of_the_picture_and_nothing_forgotten():
    runtime = Runtime()
    things = Things(runtime, ["red bottle"])
    things.look(row(0.7), np.eye(4))
    runtime.place = ELSEWHERE
    for _ in range(20):
        assert np.isnan(things.look(row(-0.3), np.eye(4))).all()
    assert things.look(row(0.7), np.eye(4)) == pytest.approx(0.2)


def test_what_is_elsewhere_for_long_is_there():
    runtime = Runtime()
    things = Things(runtime, ["red bottle"])
    for _ in range(5):
        things.look(row(0.7), np.eye(4))
    runtime.place = ELSEWHERE
    off = [float(things.look(row(0.7), np.eye(4))[0]) for _ in range(OFTEN + 1)]
    np.testing.assert_allclose(off, [0.2] * OFTEN + [0.0], atol=0.01)


def test_a_robot_that_leans_knows_where_it_left_a_thing():
    runtime, leaning = Runtime(), np.eye(4)
    leaning[0, 3] = 0.03
    things = Things(runtime, ["red bottle"])
    things.look(row(0.7), np.eye(4))
    runtime.place = AT - leaning[:3, 3]
    assert things.look(row(0.7), leaning) == pytest.approx(0.0, abs=1e-6)
