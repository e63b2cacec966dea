"""What the pads tell of friction and of sliding, on made-up pad forces."""

import numpy as np
import pytest

from neo_description import parameters
from neo_description.tables import CONTROL_DT, TAXELS
from neo_hand_control.controller import PARAMETERS
from neo_hand_control.friction import Friction
from neo_hand_control.grip import Grip
from neo_hand_control.slip import Slip
from neo_hand_control.touch import Touch

PARAMS = parameters.load(PARAMETERS)
N = len(TAXELS)


def _feel(
    friction: Friction, ratios: dict[int, float], seconds: float, press: float = 2.0, sliding: bool = False
) -> None:
    """Pads press ``press`` N each with these ratios of shear to normal for ``seconds``."""
    normal, shear = np.zeros(N), np.zeros(N)
    for pad, ratio in ratios.items():
        normal[pad], shear[pad] = press, press * ratio
    for _ in range(round(seconds / CONTROL_DT)):
        friction.update(normal, shear, sliding, CONTROL_DT)


def _learned(ratios: dict[int, float], seconds: float = 1.0, sliding: bool = False) -> Friction:
    """What pads that press 2 N with these ratios of shear to normal have taught."""
    friction = Friction(PARAMS)
    _feel(friction, ratios, seconds, sliding=sliding)
    return friction


@pytest.mark.parametrize("mu", [0.6, 0.9])
def test_pads_that_carry_more_than_was_believed_are_believed(mu):
    friction = _learned({2: mu, 5: mu, 8: mu, 11: mu})
    assert friction.coefficient == pytest.approx(mu, abs=0.02)
    assert friction.total_use == pytest.approx(1.0, abs=0.02)


def test_pads_that_carry_little_tell_of_friction_only_while_the_thing_slides():
    ratios = {2: 0.3, 5: 0.3, 8: 0.3, 11: 0.3}
    assert _learned(ratios).coefficient == PARAMS.friction
    assert 0.25 < _learned(ratios, 0.25, sliding=True).coefficient < 0.31


def test_a_thing_that_slides_sinks_what_is_believed():
    ratios = {2: 0.9, 5: 0.9, 8: 0.9}
    friction = _learned(ratios)
    _feel(friction, ratios, 0.2, sliding=True)
    slid = friction.coefficient
    assert slid < 0.8
    _feel(friction, ratios, 1.0)
    assert friction.coefficient == pytest.approx(slid, abs=0.01)


def test_one_pad_that_touches_with_its_side_is_not_believed():
    assert _learned({2: 0.6, 5: 0.6, 8: 0.6, 11: 2.0}).coefficient == pytest.approx(0.6, abs=0.02)


def test_what_was_carried_once_is_remembered_when_less_is_asked():
    friction = _learned({2: 0.5, 5: 0.5, 8: 0.5})
    _feel(friction, {2: 0.1, 5: 0.1, 8: 0.1}, 0.5, press=4.0)
    assert friction.coefficient == pytest.approx(0.5, abs=0.02)
    assert friction.total_use == pytest.approx(0.2, abs=0.02)


def test_trembling_pads_mean_sliding_and_steady_ones_do_not():
    steady, trembling = Slip(PARAMS), Slip(PARAMS)
    rng = np.random.default_rng(0)
    normal = np.zeros(N)
    normal[[2, 5, 8]] = 3.0
    for _ in range(250):
        noise = rng.standard_normal(N) * (normal > 0.0)
        steady.update(normal + 0.02 * noise, CONTROL_DT)
        trembling.update(np.maximum(normal + 1.5 * noise, 0.0), CONTROL_DT)
    assert steady.probability < 0.05
    assert trembling.probability > 0.5


def _feeling(shear: float):
    """A hand whose thumb and middle finger press 3 N each and carry ``shear`` N in all."""
    touch = Touch(PARAMS)
    R = np.tile(np.eye(3), (N, 1, 1))
    R[TAXELS.index("middle_distal")] = np.diag([-1.0, 1.0, -1.0])
    reading = np.zeros((N, 3))
    for name in ("thumb_distal", "middle_distal"):
        reading[TAXELS.index(name)] = 3.0, shear / 2, 0.0
    no = np.zeros(N, bool)
    for _ in range(250):
        feeling = touch.update(reading, ~no, R, np.zeros((N, 3)), CONTROL_DT, False, no)
    return feeling


def test_grip_follows_the_load_over_the_friction():
    targets = []
    for load in (2.0, 3.0):
        grip, feeling = Grip(PARAMS), _feeling(load)
        grip.start(1.0, 0.5, 50.0, None)
        for _ in range(2000):
            grip.update(feeling, CONTROL_DT)
        assert grip.target == pytest.approx(
            max(1.0, feeling.load / (feeling.friction * PARAMS.grip_margin)), rel=0.02
        )
        targets.append((feeling.load, grip.target))
    assert targets[0][0] == pytest.approx(2.0, abs=0.02)
    assert targets[1][0] == pytest.approx(3.0, abs=0.02)


def test_a_false_alarm_is_forgotten():
    grip, feeling = Grip(PARAMS), _feeling(2.0)
    grip.start(1.0, 0.5, 50.0, None)
    for _ in range(2000):
        grip.update(feeling, CONTROL_DT)
    calm = grip.target
    feeling.slip = 0.9
    for _ in range(25):
        grip.update(feeling, CONTROL_DT)
    assert grip.target > 1.1 * calm
    assert grip.reflex <= PARAMS.grip_reflex_share * calm * 1.01
    feeling.slip = 0.0
    for _ in range(1500):
        grip.update(feeling, CONTROL_DT)
    assert grip.target == pytest.approx(calm, rel=0.05)
