"""Pads: each fault is there, has the size that its parameter says, and repeats with the seed."""

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_description.scenes import make
from neo_description.signals import DriveMode, TendonCommand
from neo_description.tables import HAND, TAXELS
from neo_sim.hand_rig import HandRig
from neo_sim.pads import Pads, PadSettings, known_pads
from neo_sim.plant import Plant, load_parameters

N = len(TAXELS)
INDEX_TIP = TAXELS.index("index_distal")


def pads(seed=0, **settings):
    return Pads("l", np.random.default_rng(seed), PadSettings(**settings))


def real(seed=0, **changes):
    return Pads("l", np.random.default_rng(seed), PadSettings.of(load_parameters(**changes)))


def pressed(newton):
    force = np.zeros((N, 3))
    force[:, 0] = newton
    return force


def test_without_faults_pads_tell_the_truth():
    sensor, truth = pads(), np.abs(np.random.default_rng(3).normal(size=(N, 3)))
    np.testing.assert_array_equal(sensor(truth), truth)


def test_pads_are_late_by_their_delay():
    sensor = pads(delay=0.005)
    seen = [sensor(pressed(float(k)))[0, 0] for k in range(6)]
    assert seen[3:] == pytest.approx([0.5, 1.5, 2.5])  # 2.5 ticks behind


def test_each_start_draws_its_delay_between_5_and_10_ms():
    delays = [real(seed).delay for seed in range(200)]
    assert 0.005 <= min(delays) < 0.0055
    assert 0.0095 < max(delays) <= 0.01
    assert real(4, taxel_delay=0.02).delay == pytest.approx(0.02)  # above the greatest: taken as it is


def test_zeros_drift_slowly_and_readings_never_push_negatively():
    sensor = pads(drift=0.05, bias=0.1, noise=0.05)
    start = sensor(pressed(0.0))
    for _ in range(500):
        value = sensor(pressed(0.0))
    assert 0.04 < (value[:, 1:] - start[:, 1:]).std() < 0.2
    assert (value[:, 0] >= 0).all()


def test_each_pad_has_one_scale_error_for_its_three_axes():
    sensor = pads(gain_error=0.05)
    ratio = sensor(np.full((N, 3), 2.0)) / 2.0
    np.testing.assert_allclose(ratio, np.repeat(sensor.privileged_gain[:, None], 3, axis=1))
    spread = np.concatenate([pads(seed, gain_error=0.05).privileged_gain for seed in range(20)])
    assert spread.std() == pytest.approx(0.05, rel=0.15)


def cycle(sensor, peak):
    way = np.concatenate([np.linspace(0, peak, 400), np.linspace(peak, 0, 400)[1:]])
    return way, np.array([sensor(pressed(f))[0, 0] for f in way])


@pytest.mark.parametrize("peak", [0.5, 5.0, 20.0])
def test_hysteresis_reads_too_little_under_growing_load_and_too_much_under_falling_load(peak):
    way, seen = cycle(pads(hysteresis=0.03), peak)
    up, down = way[100:400], way[500:750]
    np.testing.assert_allclose(seen[100:400], 0.97 * up, rtol=1e-9)
    np.testing.assert_allclose(seen[500:750], 1.03 * down, rtol=1e-9)
    assert seen[-1] == 0.0  # the loop closes: nothing is felt when nothing is there


def test_hysteresis_still_shows_small_changes():
    sensor = pads(hysteresis=0.03)
    cycle(sensor, 5.0)
    before = [sensor(pressed(4.0)) for _ in range(3)][-1]
    assert sensor(pressed(3.99))[0, 0] - before[0, 0] == pytest.approx(-0.007)


def test_the_same_seed_repeats_and_another_differs():
    truth = np.random.default_rng(1).normal(size=(300, N, 3))
    first, again, other = (np.array([sensor(f) for f in truth]) for sensor in (real(1), real(1), real(2)))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.5


def test_a_dead_pad_reads_zero_and_says_so():
    sensor = pads(bias=1.0, dead=("l_index_distal", "r_thumb_distal"))
    value = sensor(np.ones((N, 3)))
    assert np.flatnonzero(~sensor.valid).tolist() == [INDEX_TIP]
    np.testing.assert_array_equal(value[INDEX_TIP], 0.0)
    assert (np.delete(value, INDEX_TIP, axis=0)[:, 1:] != 0).all()


def test_a_pad_that_is_killed_is_dead_from_then_on_and_earlier_states_keep_their_mask():
    sensor = pads()
    before = sensor.valid
    assert sensor(pressed(2.0))[INDEX_TIP, 0] == 2.0
    sensor.kill(["index_distal"])
    assert sensor(pressed(2.0))[INDEX_TIP, 0] == 0.0
    assert before.all()
    assert not sensor.valid[INDEX_TIP]
    with pytest.raises(NeoError, match="no pad l_toe; one of l_thumb"):
        sensor.kill(["toe"])


def test_pads_die_of_age_at_seeded_times():
    def lives(seed):
        sensor = pads(seed, lifetime=2.0)
        return np.array([(sensor(pressed(1.0)), sensor.valid)[1] for _ in range(1000)])  # 2 s

    alive = lives(5)
    np.testing.assert_array_equal(alive, lives(5))
    assert (np.diff(alive.astype(int), axis=0) <= 0).all()  # none comes back
    survivors = np.mean([lives(seed)[-1].mean() for seed in range(8)])
    assert survivors == pytest.approx(np.exp(-1.0), abs=0.12)


def test_a_stuck_pad_shows_a_force_of_its_own_and_claims_to_be_well():
    frozen = floating = 0
    for seed in range(12):
        sensor = real(seed, stuck_taxels=["l_index_distal"])
        seen = np.array([sensor(pressed(9.0))[INDEX_TIP] for _ in range(500)])
        assert sensor.valid.all()
        assert seen[:, 0].max() <= 3.0
        frozen += bool((seen == seen[0]).all())
        floating += bool(np.ptp(seen, axis=0).max() > 0.05)
    assert frozen + floating == 12
    assert frozen >= 2
    assert floating >= 2


def test_a_pad_may_get_stuck_on_the_way():
    sensor = real(3)
    for _ in range(20):
        value = sensor(pressed(9.0))
    assert value[INDEX_TIP, 0] > 7.0
    sensor.stick(["l_index_distal"])
    assert sensor(pressed(9.0))[INDEX_TIP, 0] <= 3.0
    assert sensor.valid[INDEX_TIP]


def test_an_unknown_pad_is_refused_by_name():
    with pytest.raises(NeoError, match="no pad l_toe; one of l_index_distal"):
        known_pads(["l_toe"])
    assert known_pads(["r_palm_distal_ulnar"]) == ("r_palm_distal_ulnar",)
    with pytest.raises(NeoError, match="no pad r_nose"):
        HandRig("r", params=load_parameters(stuck_taxels=["r_nose"]))


def test_pads_of_the_rig_and_of_the_plant_can_be_broken_under_way():
    hold = TendonCommand(0, DriveMode.HOLD, np.array(HAND.pretension))
    rig = HandRig("r", seed=1)
    rig.pads().kill(["thumb_distal"])
    assert not rig.state().taxel_valid[TAXELS.index("thumb_distal")]
    assert rig.command(hold) is None
    plant = Plant(make("empty", 0), seed=1)
    plant.pads("l").kill(["thumb_distal"])
    plant.step()
    assert not plant.hand_state("l").taxel_valid[TAXELS.index("thumb_distal")]
    assert plant.hand_state("r").taxel_valid.all()
