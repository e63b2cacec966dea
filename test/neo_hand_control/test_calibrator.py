"""Calibration on the rig: what it finds out is near the truth, by the hand's own sensors only."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import neo_sim
from neo_description import parameters
from neo_description.contact import FINGER, THUMB
from neo_description.errors import NeoError
from neo_description.signals import DriveMode
from neo_description.tables import TAXELS
from neo_hand_control.calibrator import HandCalibrator, touches
from neo_hand_control.hand_kinematics import HandKinematics
from neo_sim.hand_rig import HandRig

PLANT = Path(neo_sim.__file__).with_name("parameters.yaml")
UNREACHED = {"thumb_metacarpal", "palm_proximal_radial", "palm_proximal_ulnar"}


def rig(side="r", seed=0, **faults):
    return HandRig(side, seed=seed, params=parameters.load(PLANT, **faults))


def calibrate(rig, pairs=None, lie=lambda state: state):
    """Runs the routine; ``lie`` changes what the sensors say."""
    calibrator = HandCalibrator(rig.sides[0], pairs=pairs)
    while not (calibrator.done or calibrator.failure):
        command = calibrator.update(lie(rig.state()))
        assert rig.command(command) is None
        rig.step()
    return calibrator


@pytest.fixture(scope="module")
def whole():
    """A whole run on a left hand with three broken pads, of which two claim to be well."""
    hand = rig("l", 5, dead_taxels=["l_ring_middle"], stuck_taxels=["l_little_distal", "l_index_proximal"])
    return hand, calibrate(hand)


def test_scales_are_found_to_1_5_percent_rms_where_a_self_touch_reaches(whole):
    hand, calibrator = whole
    assert calibrator.done, calibrator.failure
    pads = calibrator.result.pads
    measured = np.array([pad.measured for pad in pads])
    broken = {"ring_middle", "little_distal", "index_proximal"}
    assert {name for name, m in zip(TAXELS, measured, strict=True) if m} == set(TAXELS) - UNREACHED - broken
    truth = hand.pads().privileged_gain[measured]
    error = calibrator.result.gain[measured] / truth - 1.0
    assert np.sqrt(np.mean(error**2)) < 0.015
    assert np.sqrt(np.mean((1.0 / truth - 1.0) ** 2)) > 0.03  # there was something to find
    claimed = np.array([pad.error for pad in pads])[measured]
    assert (np.abs(error) < 4.0 * claimed).all()


def test_dead_and_lying_pads_are_found_and_no_others(whole):
    broken = {name: pad.broken for name, pad in zip(TAXELS, whole[1].result.pads, strict=True) if pad.broken}
    assert set(broken) == {"ring_middle", "little_distal", "index_proximal"}
    assert broken["ring_middle"].startswith("dead")


def test_zeros_noise_and_friction_are_near_what_the_plant_has(whole):
    hand, calibrator = whole
    sound = [pad for pad in calibrator.result.pads if not pad.broken]
    assert [pad.noise for pad in sound] == pytest.approx([0.02] * len(sound), abs=0.003)
    assert np.std([pad.zero[1:] for pad in sound]) == pytest.approx(0.02, abs=0.01)
    p = hand.params
    truth = p.friction * np.tanh(calibrator.result.speed / p.hand_friction_speed)
    assert calibrator.result.friction == pytest.approx(truth, rel=0.2)


def test_calibrated_forces_are_nearer_to_the_truth_than_readings(whole):
    hand, calibrator = whole
    rng = np.random.default_rng(1)
    force = np.abs(rng.normal(2.0, 0.5, (len(TAXELS), 3)))
    reading = force * hand.pads().privileged_gain[:, None]
    found, valid = calibrator.result.apply(reading, hand.pads().valid)
    measured = np.array([pad.measured for pad in calibrator.result.pads])
    assert valid[measured].all()
    assert np.abs(found - force)[measured].mean() < 0.5 * np.abs(reading - force)[measured].mean()


def test_it_takes_about_a_minute(whole):
    assert 50.0 < whole[0].tick / 500.0 < 70.0


def test_the_routine_repeats_bit_for_bit_and_answers_a_tick_once():
    runs = []
    for _ in range(2):
        calibrator = calibrate(rig(seed=3), pairs=(3,))
        again = calibrator.update(dataclasses.replace(calibrator._state, tendon_tension=np.zeros(44)))
        assert again is calibrator._answer
        runs.append(calibrator.result)
    assert runs[0] == runs[1]
    assert [name for name, pad in zip(TAXELS, runs[0].pads, strict=True) if pad.measured] == [
        "thumb_distal",
        "little_distal",
    ]


def test_a_pad_that_has_noise_but_feels_nothing_is_found_by_pressing_it():
    noise = np.random.default_rng(0)
    pad = TAXELS.index("little_distal")

    def numb(state):
        state.taxel_force[pad] = np.abs(noise.normal(0.0, 0.02, 3))
        return state

    calibrator = calibrate(rig(seed=2), pairs=(3, 11), lie=numb)
    broken = {name: p.broken for name, p in zip(TAXELS, calibrator.result.pads, strict=True) if p.broken}
    assert set(broken) == {"little_distal"}
    assert broken["little_distal"].startswith("silent")


def test_a_runstop_ends_it_and_the_drives_are_asked_to_hold():
    hand = rig()
    hand.drives().latch(True)
    calibrator = calibrate(hand, pairs=())
    assert "the hand is in runstop" in calibrator.failure
    assert calibrator.update(hand.state()).mode == DriveMode.HOLD


def test_drives_that_do_not_follow_end_it():
    calibrator = HandCalibrator("r", pairs=())
    hand = rig()
    for _ in range(200):  # its answers never arrive
        calibrator.update(hand.state())
        hand.step()
    assert calibrator.failure == "the drives do not follow: they are in HOLD"


def test_a_hand_that_feels_something_everywhere_is_not_empty():
    def full(state):
        state.taxel_force[:8, 0] += 1.0
        return state

    calibrator = calibrate(rig(), pairs=(), lie=full)
    assert calibrator.failure.startswith("the hand is not empty: 8 pads feel something at rest (thumb_")


def test_a_blind_hand_is_not_moved():
    def blind(state):
        state.joint_position[3] = np.nan
        return state

    assert "no finite angles" in calibrate(rig(), pairs=(), lie=blind).failure


def test_an_unknown_hand_is_refused():
    with pytest.raises(NeoError, match="no hand 'x'; one of l, r"):
        HandCalibrator("x")


@pytest.mark.parametrize("side", ["l", "r"])
def test_in_every_self_touch_just_the_two_pads_meet(side):
    kinematics = HandKinematics(side)
    model = kinematics._model
    for a, b, q in touches():
        kinematics.move(q)
        assert abs(kinematics.nearest(a, b)[0]) < 0.001, (TAXELS[a], TAXELS[b])
        for i, one in enumerate(TAXELS):
            for j, other in enumerate(TAXELS):
                if {i, j} == {a, b} or one.split("_")[0] == other.split("_")[0]:
                    continue
                if model.geom(one).contype & model.geom(other).conaffinity & (THUMB | FINGER):
                    gap = kinematics.nearest(i, j)[0]
                    apart = gap > 0.0015 or {one, other} & {"thumb_metacarpal"}
                    assert apart, (TAXELS[a], TAXELS[b], one, other, gap)
