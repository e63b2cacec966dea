"""A calibration as a file: what it makes of readings, and what it refuses to be read from."""

import numpy as np
import pytest

from neo_description import parameters
from neo_description.errors import NeoError
from neo_description.signals import HandState
from neo_description.tables import TAXELS
from neo_hand_control.calibration import Calibration, PadCalibration
from neo_hand_control.controller import OPEN, PARAMETERS, HandController


def found():
    pads = [PadCalibration() for _ in TAXELS]
    pads[2] = PadCalibration(gain=1.25, error=0.01, measured=True, zero=(0.5, -0.25, 0.0), noise=0.02)
    pads[4] = PadCalibration(broken="frozen: not even noise")
    return Calibration("r", pads, 0.02, 0.03, "2026-11-21", "a test")


def test_readings_become_forces_and_broken_pads_are_masked():
    reading = np.ones((len(TAXELS), 3))
    flags = np.ones(len(TAXELS), bool)
    flags[7] = False
    force, valid = found().apply(reading, flags)
    np.testing.assert_allclose(force[2], [0.4, 1.0, 0.8])
    np.testing.assert_array_equal(np.delete(force, 2, axis=0), 1.0)
    assert np.flatnonzero(~valid).tolist() == [4, 7]
    assert flags.sum() == len(TAXELS) - 1  # the state's own mask stays as it is
    np.testing.assert_array_equal(reading, 1.0)


def test_a_file_comes_back_as_it_was_written(tmp_path):
    file = tmp_path / "r.yaml"
    found().save(file)
    again = Calibration.load(file, "r")
    assert again == found()
    np.testing.assert_array_equal(again.gain, found().gain)


def test_no_file_changes_nothing():
    reading = np.random.default_rng(0).normal(size=(len(TAXELS), 3))
    force, valid = Calibration.given("", "l").apply(reading, np.ones(len(TAXELS), bool))
    np.testing.assert_array_equal(force, reading)
    assert valid.all()


def test_the_controller_believes_its_calibration(tmp_path):
    """A pad that lies counts for nothing, and the others' scales are put right."""
    found().save(tmp_path / "r.yaml")
    told = {}
    for name, file in (("raw", ""), ("calibrated", str(tmp_path / "r.yaml"))):
        hand = HandController("r", parameters.load(PARAMETERS, calibration_file=file))
        state = HandState(joint_position=OPEN.copy())
        hand.update(state)
        state = HandState(tick=1, time=0.002, joint_position=OPEN.copy())
        state.taxel_force[2, 0], state.taxel_force[4, 0] = 3.0, 2.0
        hand.update(state)
        told[name] = hand.status
    assert (told["raw"].contacts, told["calibrated"].contacts) == (2, 1)
    assert told["raw"].normal_force == pytest.approx(5.0)
    assert told["calibrated"].normal_force == pytest.approx((3.0 - 0.5) / 1.25, abs=0.41)


def test_without_a_calibration_the_state_itself_goes_on():
    state = HandState()
    assert Calibration("r").corrected(state) is state
    assert found().corrected(state) is not state


def test_the_other_hand_s_file_is_refused(tmp_path):
    found().save(tmp_path / "r.yaml")
    with pytest.raises(NeoError, match="is of hand 'r', not of 'l'"):
        Calibration.given(str(tmp_path / "r.yaml"), "l")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("  thumb_distal:", "  toe:"), "missing or unknown: thumb_distal, toe"),
        (
            lambda text: text.replace("gain: 1.25", "gain: 0.0"),
            r"pad thumb_distal: gain 0.0 is outside \[0.2",
        ),
        (lambda text: text.replace("gain: 1.25, ", ""), "pad thumb_distal: KeyError: 'gain'"),
        (lambda text: text.replace("[0.5, -0.25, 0.0]", "[0.5]"), "three numbers"),
        (lambda text: "side: r\n", "is no calibration: it has no pads"),
        (lambda text: "{", "is no YAML"),
    ],
)
def test_a_file_that_is_no_calibration_says_what_is_wrong(tmp_path, change, message):
    file = tmp_path / "r.yaml"
    found().save(file)
    file.write_text(change(file.read_text()))
    with pytest.raises(NeoError, match=message):
        Calibration.load(file, "r")


def test_files_that_cannot_be_read_or_written_say_so(tmp_path):
    with pytest.raises(NeoError, match=r"cannot read calibration .*No such file"):
        Calibration.load(tmp_path / "none.yaml", "r")
    with pytest.raises(NeoError, match=r"cannot write .*No such file"):
        found().save(tmp_path / "nowhere" / "r.yaml")
    with pytest.raises(NeoError, match="no hand 'x'; one of l, r"):
        Calibration("x")
