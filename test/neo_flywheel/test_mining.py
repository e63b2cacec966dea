"""Odd clips come first: anomalies that were put in, failures, surprise; usual ones stay behind."""

import sys
from pathlib import Path

import numpy as np
import pytest

from neo_bringup.flywheel_bench import anomalies
from neo_description.errors import NeoError
from neo_flywheel.mining import FAILED, Miner, odd_ones
from neo_world_model.modalities import part

sys.path.insert(0, str(Path(__file__).parents[1] / "neo_world_model"))


@pytest.fixture(scope="module")
def miner():
    return Miner.fit([anomalies.episode(i) for i in range(40)])


@pytest.mark.parametrize("kind", ["push", "collision", "squeeze", "slack", "jitter"])
def test_an_anomaly_scores_above_the_same_episode_without_it(miner, kind):
    wins = 0
    for seed in range(100, 110):
        made = anomalies.episode(seed)
        before = miner.score(made).total
        anomalies.KINDS[kind](made, np.random.default_rng(seed))
        wins += miner.score(made).total > before
    assert wins >= 9


def test_the_score_says_what_was_odd(miner):
    made = anomalies.episode(200)
    made.fields["touch"][20:24] *= 20.0
    assert miner.score(made).why == "force"
    # usual in themselves, but joints do not follow the rest
    made = anomalies.episode(201)
    made.fields["proprio"][30:40, part("proprio", "l_hand_joint_position")] *= -1.0
    assert miner.score(made).why == "unlike"


def test_a_failed_task_and_a_recorded_surprise_count(miner):
    made = anomalies.episode(300)
    usual = miner.score(made)
    made.success = False
    failed = miner.score(made)
    assert failed.total > usual.total
    assert failed.parts["failure"] == FAILED
    calm = miner.score(made, np.full(60, 0.5))
    shaken = miner.score(made, np.where(np.arange(60) > 50, 0.9995, 0.5))
    assert calm.total < shaken.total
    assert shaken.why == "surprise"


def test_the_oddest_come_first(miner):
    episodes = {f"usual-{i}": anomalies.episode(400 + i) for i in range(10)}
    odd = anomalies.episode(420)
    anomalies.collision(odd, np.random.default_rng(0))
    found = odd_ones(miner, {**episodes, "hit": odd}, 3)
    assert found[0][0] == "hit"
    assert len(found) == 3
    assert found[0][1].total >= found[1][1].total >= found[2][1].total


def test_episodes_without_touch_are_scored_and_such_without_senses_are_refused(miner):
    import toy

    made = anomalies.episode(500)
    del made.fields["touch"], made.fields["touch_valid"]
    assert np.isfinite(miner.score(made).total)
    with pytest.raises(NeoError, match="proprio, force and two steps are needed"):
        miner.score(toy.episode(0, source="web_video"))
    with pytest.raises(NeoError, match="3 episodes with proprio and force; at least 8"):
        Miner.fit([toy.episode(i) for i in range(3)])


def test_a_toy_robot_that_was_pushed_is_found_among_those_that_were_not():
    import toy

    miner = Miner.fit([toy.episode(i, 60) for i in range(30)])
    usual = [miner.score(toy.episode(100 + i, 60)).total for i in range(15)]
    odd = []
    for i in range(15):
        made = toy.episode(100 + i, 60)
        made.fields["proprio"][30:33, :20] += 3.0
        odd.append(miner.score(made).total)
    assert anomalies.auroc(usual, odd) > 0.9


def test_auroc_counts_ties_half():
    assert anomalies.auroc([0.0, 1.0], [1.0, 2.0]) == pytest.approx(0.875)
    assert anomalies.auroc([1.0], [0.0]) == 0.0
