"""Where things were left is remembered while nobody looks, and what is seen elsewhere is news."""

import numpy as np
import pytest

from neo_description.kinematics import Kinematics
from neo_description.tables import BODY
from neo_world_model.memory import NEAR, OFTEN, Memory, Things
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


@pytest.mark.parametrize("spread", [0.01, 0.03, 0.1])
def test_how_likely_a_thing_is_still_there_is_the_share_of_a_gaussian(spread):
    drawn = np.random.default_rng(0).normal(0.0, spread, (200_000, 3))
    share = float((np.linalg.norm(drawn, axis=1) < NEAR).mean())
    assert Memory(AT, spread**2).still_there(hidden=0.0) == pytest.approx(share, abs=0.005)


def test_looks_that_saw_it_elsewhere_count_unless_it_was_hidden():
    memory = Memory(AT.copy(), 0.005**2)
    memory.look(ELSEWHERE, 0.005)
    assert memory.still_there(hidden=0.0) == pytest.approx(1.0 - 1.0 / OFTEN, abs=0.01)
    assert memory.still_there(hidden=1.0) == pytest.approx(1.0, abs=0.01)


def test_time_makes_a_memory_unsure_whether_it_is_told_or_waits():
    memory = Memory(AT.copy(), 0.01**2)
    foretold = memory.std(50)
    memory.wait(50)
    assert memory.std() == pytest.approx(foretold)
    assert memory.still_there(0.0) < Memory(AT.copy(), 0.01**2).still_there(0.0)
