"""From presses to gains, and from rest to verdicts: on made-up numbers whose truth is known."""

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_description.tables import HAND, TAXELS
from neo_hand_control import pad_gains, pad_rest
from neo_hand_control.calibrator import touches
from neo_hand_control.hand_kinematics import HandKinematics
from neo_hand_control.pad_gains import TO_FORCE, Answer, Press

N = len(TAXELS)
GAIN = np.array([0.9, 1.15])  # of the two pads of the made-up press


def press(touch=3, elsewhere=0.0, noise=0.0, seed=0):
    """Tendons and pads agree but for ``noise`` N; ``elsewhere``: share that a third pad feels, too."""
    rng = np.random.default_rng(seed)
    a, b, q = touches()[touch]
    kinematics = HandKinematics("r")
    kinematics.move(q)
    _, (p_a, p_b) = kinematics.nearest(a, b)
    e = -(kinematics.R[a][:, 0] - kinematics.R[b][:, 0])
    e /= np.linalg.norm(e)
    size = 5.0 * np.concatenate([np.linspace(0, 1, 300), np.linspace(1, 0, 300)])
    levers = e @ kinematics.jacobian(a, p_a) - e @ kinematics.jacobian(b, p_b)
    reading = noise * rng.standard_normal((len(size), N, 3)) + 0.05
    for pad, sign, gain in ((a, 1.0, GAIN[0]), (b, -1.0, GAIN[1])):
        reading[:, pad] += gain * np.outer(size, sign * kinematics.R[pad].T @ e) * TO_FORCE
    other = TAXELS.index("palm_distal_ulnar")
    reading[:, other, 0] += elsewhere * size
    torque = -np.outer(size, levers) + 0.1 * rng.standard_normal(len(HAND.joints))
    return Press(a, b, reading, size, torque, q, -e), kinematics


def test_a_clean_press_tells_both_gains_exactly_whatever_rests_in_torques_and_zeros():
    answer = pad_gains.judge(*press(), np.ones(N, bool))
    np.testing.assert_allclose(answer.gain, GAIN, rtol=1e-6)
    assert not answer.mute.any()


@pytest.mark.parametrize("broken", [0, 1])
def test_one_sound_pad_is_enough_for_its_own_gain(broken):
    made, kinematics = press(noise=0.02)
    pads = (made.a, made.b)
    made.reading[:, pads[broken]] = 1.7
    answer = pad_gains.judge(made, kinematics, np.ones(N, bool))
    assert answer.mute.tolist() == [broken == 0, broken == 1]
    assert answer.gain[1 - broken] == pytest.approx(GAIN[1 - broken], rel=0.01)
    assert pad_gains.silent([answer], np.zeros(N, bool)).nonzero()[0].tolist() == [pads[broken]]


def test_a_press_that_a_third_pad_feels_tells_nothing():
    made = press(elsewhere=0.2)
    answer = pad_gains.judge(*made, np.ones(N, bool))
    assert not answer.felt.any()
    assert not answer.mute.any()
    believed = np.ones(N, bool)
    believed[TAXELS.index("palm_distal_ulnar")] = False  # unless that pad is known to lie
    assert pad_gains.judge(*made, believed).felt.all()


def test_a_press_that_did_not_happen_accuses_nobody():
    made, kinematics = press(noise=0.02)
    made.reading[:] = 0.0
    made.torque[:] = 0.0
    answer = pad_gains.judge(made, kinematics, np.ones(N, bool))
    assert not answer.felt.any()
    assert not answer.mute.any()


def test_ratios_tie_all_gains_together():
    """Tendons wrong by 5 % for one press and right for nine: the ratio keeps the pads together."""
    rng = np.random.default_rng(2)
    truth = 1.0 + 0.05 * rng.standard_normal(N)
    thumb = TAXELS.index("thumb_distal")
    answers = [
        Answer(pad, thumb, truth[[pad, thumb]] * scale, np.zeros(2, bool))
        for pad, scale in zip(range(3, 13), [1.05] + [1.0] * 9, strict=True)
    ]
    gain, error, measured = pad_gains.solve(answers)
    touched = [*range(3, 13), thumb]
    assert np.flatnonzero(measured).tolist() == sorted(touched)
    np.testing.assert_allclose(gain[touched], truth[touched], rtol=0.01)
    np.testing.assert_allclose(gain[3] / gain[4], truth[3] / truth[4], rtol=0.002)
    assert gain[0] == 1.0
    assert error[0] == pytest.approx(pad_gains.PRIOR_ERROR)
    assert error[3] < 0.02


def resting(t=1500):
    return 0.02 * np.random.default_rng(0).standard_normal((t, N, 3)), np.ones((t, N), bool)


def test_rest_finds_what_is_broken_and_says_why():
    readings, valid = resting()
    valid[700:, 0] = False  # died while resting
    readings[:, 1] = 0.4, 0.0, 0.1
    readings[:, 2] += np.linspace(0.0, 0.5, 1500)[:, None]
    readings[:, 3, 0] += 0.6
    readings[9, 4, 0] = np.nan
    pads = pad_rest.judge(readings, valid)
    assert [pad.broken.split()[0].rstrip(":") for pad in pads[:5]] == [
        "dead",
        "frozen",
        "wanders",
        "shows",
        "reads",
    ]
    assert not any(pad.broken for pad in pads[5:])
    assert pads[5].noise == pytest.approx(0.02, rel=0.1)


def test_a_full_hand_is_not_judged():
    readings, valid = resting()
    readings[:, :7, 0] += 1.0
    with pytest.raises(NeoError, match="the hand is not empty: 7 pads feel something"):
        pad_rest.judge(readings, valid)
