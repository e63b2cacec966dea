"""The smallest real run, from the simulated robot's episodes to a planner that acts: what CI trains."""

import time
from itertools import pairwise

import numpy as np
import pytest

from neo_bringup.collect import collect as collecting
from neo_bringup.collect.recording import IMAGE
from neo_bringup.world_model_bench import permanence, ranking
from neo_bringup.world_model_bench.throughput import throughput
from neo_description.errors import NeoError
from neo_sim.env import NeoEnv
from neo_world_model import checkpoint, config
from neo_world_model.export import export
from neo_world_model.mixture import Mixture
from neo_world_model.probe import grip_rmse
from neo_world_model.runtime import Runtime
from neo_world_model.store import Store
from neo_world_model.train import train

EPISODES, SECONDS, STEPS = 6, 4.0, 80
LIMIT = 120.0  # s of CPU time for training


pytestmark = pytest.mark.slow  # the training of all of them


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(folder of the run, its card, CPU time of training in s)."""
    folder = tmp_path_factory.mktemp("run")
    store = Store.create(folder / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collecting, "ALONE", SECONDS)
        for seed in range(EPISODES):
            store.add(collecting.collect("random", seed))
    settings = config.load("ci", stores=[str(store.folder)], steps=STEPS, held_out=3, evaluate_every=STEPS)
    began = time.process_time()
    card = train(settings, folder / "model", lambda line: None)
    took = time.process_time() - began
    export(checkpoint.load(folder / "model")[0], folder / "model")
    return folder / "model", card, took


def test_it_foretells_better_than_copying_and_its_states_do_not_collapse(trained):
    _, card, took = trained
    figures = card["figures"]
    assert figures["error_ratio_1"] < 1.5  # a tenth of a second changes little: copying is hard to beat
    assert figures["error_ratio_8"] < 1.0
    assert figures["spread"] > 0.2
    assert figures["rank"] > 1.3  # 1: all states on one line
    assert took < LIMIT


def run(folder, prompt, seconds):
    env = NeoEnv("kitchen_table", 3, cameras=True, image=IMAGE)
    env.stand()
    outcome = env.do(prompt, "world_model", timeout=seconds, model=str(folder))
    given = [(g.tick, g.target, repr(g.command)) for g in env.log_commands]
    state = env.plant.privileged.qpos
    env.close()
    return outcome, given, state


def test_a_planner_acts_with_it_the_same_way_twice(trained):
    folder, _, _ = trained
    (outcome, given, state), (_, again, same) = (run(folder, "pick up the red bottle", 1.5) for _ in range(2))
    assert outcome.reason in ("timeout", "vetoed")  # so little training does no task
    assert given == again
    np.testing.assert_array_equal(state, same)
    if outcome.reason == "timeout":
        ticks = sorted(tick for tick, target, _ in given if target == "body")
        assert len(ticks) >= 10
        assert all(b - a == 50 for a, b in pairwise(ticks))  # a step is 0.1 s


def test_a_prompt_it_cannot_read_and_a_robot_without_eyes_are_refused(trained):
    folder, _, _ = trained
    env = NeoEnv("kitchen_table", 3, cameras=True, image=IMAGE)
    with pytest.raises(NeoError, match="a prompt of 0 bytes"):
        env.begin(" ", "world_model", model=str(folder))
    with pytest.raises(NeoError, match="no model"):
        env.begin("pick up the red bottle", "world_model", model="/nowhere")
    env.close()
    with pytest.raises(NeoError, match="sees through the cameras"):
        NeoEnv("kitchen_table", 3).begin("pick up the red bottle", "world_model", model=str(folder))


def test_what_was_moved_while_nobody_looked_is_seen_elsewhere(trained, tmp_path):
    folder, _, _ = trained
    models = {"model": Runtime(folder, 1), "untrained": permanence.untrained(str(folder), tmp_path)}
    surprises = permanence.pair(3, models)
    assert set(surprises) == {"model", "untrained", "pixels"}
    assert all(np.isfinite(pair).all() for pair in surprises.values())
    assert surprises["pixels"][0] != surprises["pixels"][1]  # something did change, or did not


def test_a_policy_is_tried_and_imagined(trained, monkeypatch):
    folder, _, _ = trained
    monkeypatch.setattr(ranking, "TIMEOUT", 1.0)
    monkeypatch.setattr(ranking, "CHUNKS", 2)
    scores = ranking.trial(3, str(folder), "arms stay down")
    assert 0.0 < scores["done"] < 0.4  # the hands hang beside the table
    assert 0.0 <= scores["imagined"] <= 1.0


def test_training_is_slower_than_matrix_multiplication(trained, monkeypatch):
    folder, _, _ = trained
    monkeypatch.setattr("neo_bringup.world_model_bench.throughput.STEPS", 3)
    figures = throughput(folder.parent / "store", "ci")
    assert 0.0 < figures["share"] < 1.0
    assert figures["frames_per_s"] == pytest.approx(figures["share"] * figures["limit_frames_per_s"])


def test_a_linear_reader_says_how_hard_hands_press(trained):
    folder, _, _ = trained
    model, _ = checkpoint.load(folder)
    drawn, held = (
        Mixture([Store(folder.parent / "store")], {"sim": 1.0}, 12, 0, 3, kept, model.settings.context)
        for kept in (False, True)
    )
    assert not grip_rmse(model, drawn, held, 2) < 0.0  # NaN where no hand touches anything
