"""The main job, from pixels to a lifted object: every core in one process, no ROS."""

import pytest

from neo_sim.env import NeoEnv


@pytest.mark.parametrize(
    ("prompt", "name", "seed"),
    [("pick up the red bottle", "red_bottle", 0), ("pick up the green cup", "green_cup", 1)],
)
def test_lifts_what_it_is_asked_for(prompt, name, seed):
    env = NeoEnv("kitchen_table", seed=seed, cameras=True)
    env.stand()
    start = env.plant.privileged.object_pose(name)[2, 3]
    outcome = env.do(prompt, planner="scripted")
    assert outcome.success, outcome.message
    privileged_lift = env.plant.privileged.object_pose(name)[2, 3] - start
    assert privileged_lift > 0.10
    assert abs(outcome.lifted - privileged_lift) < 0.03
    assert not env.plant.privileged.fallen
    env.close()


def test_says_so_when_the_object_is_not_there():
    env = NeoEnv("kitchen_table", seed=0, cameras=True)
    env.stand()
    outcome = env.do("pick up the white can", planner="scripted")
    assert not outcome.success
    assert "no white can in sight" in outcome.message
    assert "red bottle" in outcome.message
    env.close()


def test_puts_an_object_beside_another():
    env = NeoEnv("kitchen_table", seed=0)
    env.stand()
    outcome = env.do("put the red bottle next to the green cup", planner="privileged_scripted")
    assert outcome.success, outcome.message
    bottle = env.plant.privileged.object_pose("red_bottle")
    cup = env.plant.privileged.object_pose("green_cup")
    assert bottle[2, 2] > 0.95, "it stands"
    assert 0.08 < ((bottle[:2, 3] - cup[:2, 3]) ** 2).sum() ** 0.5 < 0.25
