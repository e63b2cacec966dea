"""Waiting is not taught; what follows it is."""

import numpy as np
import pytest

from neo_world_model.modalities import features, stack
from neo_world_model.teaching import lesson, taught


def rows(target, at, moves=1.0, closing=0.5, turning=0.0):
    """An action and a proprioception: where the left gripper shall be along x, where it is, …"""
    action = {name: np.zeros(n) for name, (n, _) in features("action").items()}
    proprio = {name: np.zeros(n) for name, (n, _) in features("proprio").items()}
    action["l_gripper"][0], proprio["l_gripper"][0] = target, at
    action["l_moves"][:], action["l_closing"][:] = moves, closing
    proprio["l_hand_joint_velocity"][:] = turning
    return stack("action", action), stack("proprio", proprio)


@pytest.fixture
def episode():
    """On the way, arrived and waiting, closing, closed, up and there."""
    steps = [
        rows(0.3, 0.1), rows(0.3, 0.3), rows(0.3, 0.3),
        rows(0.3, 0.3, closing=1.0, turning=1.0), rows(0.3, 0.3, closing=1.0),
        rows(0.5, 0.3, closing=1.0), rows(0.5, 0.5, closing=1.0), rows(0.5, 0.5, closing=1.0),
    ]  # fmt: skip
    return tuple(np.stack(part) for part in zip(*steps, strict=True))


def test_a_step_that_waits_teaches_what_comes_after(episode):
    at, done = taught(*episode)
    assert at.tolist() == [0, 3, 3, 3, 5, 5, 6, 7]
    assert done.tolist() == [False] * 6 + [True] * 2


def test_a_hand_that_gives_waits_for_somebody():
    given, felt = rows(0.3, 0.3, closing=1.5)
    after = rows(0.3, 0.3, closing=0.0)
    at, _ = taught(np.stack([given, given, after[0]]), np.stack([felt, felt, after[1]]))
    assert at.tolist() == [0, 1, 2]


def test_a_lesson_ends_with_its_episode_and_says_when_all_is_done(episode):
    action, proprio = episode
    told = np.linspace(0.0, 0.8, len(action)).astype(np.float32)
    plan, far = lesson(action, told, *taught(action, proprio), now=4, horizon=5)
    np.testing.assert_array_equal(plan, action[[5, 6, 7, 7, 7]])
    np.testing.assert_allclose(far, 1.0)
    _, far = lesson(action, told, *taught(action, proprio), now=0, horizon=2)
    np.testing.assert_allclose(far, told[1:3])
    assert np.isnan(lesson(action, None, *taught(action, proprio), now=0, horizon=2)[1]).all()
