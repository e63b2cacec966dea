"""``neo bench world-model``: the judge of its trials, and its figures of made-up samples."""

import mujoco
import numpy as np
import pytest

from neo_bringup.bench import world_model
from neo_bringup.collect.privileged_judge import PrivilegedJudge
from neo_bringup.world_model_bench.do_task import trial
from neo_description import scenes
from neo_description.signals import GraspPhase
from neo_sim.env import NeoEnv


@pytest.fixture
def env():
    made = NeoEnv("kitchen_table", 0)
    yield made
    made.close()


def put(env, name, place):
    thing, data = env.scene.object(name), env.plant.data
    data.qpos[thing.qpos[:3]] = place
    mujoco.mj_forward(env.plant.model, data)


def at(env, name):
    return env.plant.privileged.object_pose(name)[:3, 3].copy()


@pytest.mark.parametrize(
    ("prompt", "moved", "done"),
    [
        ("push the red bottle to the left", (0.0, 0.06, 0.0), True),
        ("push the red bottle to the left", (0.0, -0.06, 0.0), False),
        ("push the red bottle to the right", (0.0, -0.06, 0.0), True),
        ("push the red bottle", (0.0, 0.06, 0.0), True),
        ("push the red bottle", (0.0, 0.06, -0.1), False),  # it fell over
        ("push the red bottle", (0.0, 0.01, 0.0), False),
        ("give me the red bottle", (0.3, 0.0, 0.2), True),
        ("give me the red bottle", (0.3, 0.0, -0.5), False),  # on the floor
        ("pick up the red bottle", (0.0, 0.0, 0.2), False),  # up, but no hand holds it
    ],
)
def test_what_was_done_is_told_by_where_things_are(env, prompt, moved, done):
    judge = PrivilegedJudge(env, prompt)
    put(env, "red_bottle", at(env, "red_bottle") + moved)
    assert judge.done() is done


def test_a_pick_is_done_when_a_hand_holds_the_thing_up(env):
    judge = PrivilegedJudge(env, "pick up the red bottle")
    put(env, "red_bottle", at(env, "red_bottle") + np.array([0.0, 0.0, 0.15]))
    env.hands["l"].status.phase = GraspPhase.HOLDING
    assert judge.done()


@pytest.mark.parametrize(
    ("relation", "off", "done"),
    [
        ("next to", (0.0, 0.2, 0.0), True),
        ("to the left of", (0.0, 0.2, 0.0), True),
        ("to the right of", (0.0, 0.2, 0.0), False),
        ("behind", (0.2, 0.0, 0.0), True),
        ("in front of", (0.2, 0.0, 0.0), False),
        ("next to", (0.0, 0.5, 0.0), False),
    ],
)
def test_beside_is_near_and_on_the_side_that_was_asked_for(env, relation, off, done):
    judge = PrivilegedJudge(env, f"put the red bottle {relation} the green cup")
    place = at(env, "green_cup") + off
    place[2] = at(env, "red_bottle")[2]
    put(env, "red_bottle", place)
    assert judge.done() is done


def test_what_stood_there_from_the_start_was_not_put_there(env):
    beside = at(env, "green_cup") + np.array([0.0, 0.2, 0.0])
    beside[2] = at(env, "red_bottle")[2]
    put(env, "red_bottle", beside)
    judge = PrivilegedJudge(env, "put the red bottle next to the green cup")
    assert not judge.done()
    put(env, "red_bottle", beside + np.array([0.0, -0.04, 0.0]))
    assert judge.done()


@pytest.fixture(scope="module")
def laid():
    """Landmark → a world with it and the red bottle."""
    made = {
        name: NeoEnv(scenes.make(objects=["red_bottle", name.replace(" ", "_")]), 0)
        for name in ("blue tray", "orange basket")
    }
    yield made
    for env in made.values():
        env.close()


@pytest.mark.parametrize(
    ("place", "off", "done"),
    [
        ("on the blue tray", (0.0, 0.0, 0.0), True),
        ("on the blue tray", (0.11, 0.08, 0.0), True),
        ("on the blue tray", (0.14, 0.0, 0.0), False),  # beside it
        ("on the blue tray", (0.0, 0.11, 0.0), False),
        ("on the blue tray", (0.0, 0.0, 0.05), False),  # still in the air
        ("in the orange basket", (0.0, 0.0, -0.05), True),
        ("in the orange basket", (0.08, 0.06, -0.05), True),
        ("in the orange basket", (0.0, 0.0, 0.01), False),  # above the rim
        ("in the orange basket", (0.15, 0.0, -0.05), False),
    ],
)
def test_on_and_in_are_told_by_outline_and_height_however_the_landmark_is_turned(laid, place, off, done):
    """``off``: of the bottle's foot from the middle of the landmark's top, along its own axes."""
    name = place.split(" ", 2)[2]
    env = laid[name]
    judge = PrivilegedJudge(env, f"put the red bottle {place}")
    landmark, bottle = (env.scene.object(n) for n in (name.replace(" ", "_"), "red_bottle"))
    T = env.plant.privileged.object_pose(landmark.name)
    up = np.array([0.0, 0.0, (landmark.size[2] + bottle.size[2]) / 2])
    put(env, "red_bottle", T[:3, 3] + T[:3, :3] @ (up + off))
    assert judge.done() is done


def test_what_is_on_a_tray_that_fell_is_not_on_it(laid):
    env = laid["blue tray"]
    judge = PrivilegedJudge(env, "put the red bottle on the blue tray")
    tray, bottle = (env.scene.object(name) for name in ("blue_tray", "red_bottle"))
    on_the_floor = np.array([0.5, 1.0, 0.008])
    put(env, "blue_tray", on_the_floor)
    put(env, "red_bottle", on_the_floor + np.array([0.0, 0.0, (tray.size[2] + bottle.size[2]) / 2]))
    assert not judge.done()
    put(env, "blue_tray", env.scene.qpos[tray.qpos[:3]])


@pytest.mark.slow
def test_a_trial_with_the_teachers_eyes_is_done_or_says_why():
    row = trial(3, "privileged_scripted")
    assert isinstance(row["success"], bool)
    assert row["said"] == (row["reason"] == "done")
    assert row["prompt"]
    shuffled = trial(3, "privileged_scripted", shuffled=True)
    assert shuffled["prompt"] == row["prompt"]


def test_figures_count_trials_and_compare_with_shuffled_prompts():
    def foretold(value, **coverage):
        covered = dict.fromkeys((f"coverage_{source}" for source in world_model.COVERED), 0.9) | coverage
        return dict.fromkeys(world_model.FORETOLD, value) | covered

    def rows(done, of=10):
        return {"rows": [{"success": i < done} for i in range(of)]}

    found = {
        figure.id: figure
        for figure in world_model.figures(
            {
                "held_out/0": foretold(0.5),
                "held_out/1": foretold(0.25, coverage_teleop=0.93, coverage_on_policy=0.86),
                "throughput/0": {"frames_per_s": 800.0, "share": 0.3},
                "permanence/0": {"pairs": [dict.fromkeys(world_model.SEEING, (0.0, 1.0))] * 2},
                "ranking/0": {
                    "rows": [
                        {"policy": name, "done": done, "imagined": imagined}
                        for name, done, imagined in (("a", 0.1, 0.2), ("b", 0.5, 0.3), ("c", 0.9, 0.9))
                    ]
                },
                "latency/0": {"plan": [50.0, 60.0, 70.0], "unsearched": [5.0], "inverse": [2.0, 3.0, 4.0]},
                "seen/0": rows(8),
                "unseen/0": rows(6),
                "shuffled/0": rows(2),
                "scripted/0": rows(9),
            }
        )
    }
    values = {name.removeprefix("world_model."): figure.value for name, figure in found.items()}
    assert (values["seen"], values["unseen"], values["scripted"]) == (0.8, 0.6, 0.9)
    assert values["over_shuffled"] == pytest.approx(4.0)
    assert (values["plan_ms_p50"], values["inverse_ms_p50"]) == (60.0, 3.0)
    assert values["error_ratio_8"] == 0.25  # the last part's, which is of all episodes
    assert values["coverage_off"] == pytest.approx(0.04)
    assert (values["permanence_model"], values["training_share"]) == (1.0, 0.3)
    assert values["ranking"] == pytest.approx(1.0)
    assert np.isfinite(list(values.values())).all()
