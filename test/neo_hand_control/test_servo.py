"""The fingers' impedance: soft and stiff on command, true to a moving reference, within limits."""

import numpy as np
import pytest

from neo_bringup.hand_bench import compliance
from neo_description import parameters
from neo_description.tables import CONTROL_DT, HAND
from neo_hand_control.controller import PARAMETERS
from neo_hand_control.servo import Servo

ZERO = np.zeros(len(HAND.joints))


@pytest.fixture
def servo() -> Servo:
    return Servo(parameters.load(PARAMETERS))


def test_stiffness_scales_the_spring_of_the_joints_it_names(servo):
    error = np.full(len(HAND.joints), 0.02)
    scale = np.ones(len(HAND.joints))
    scale[:5] = 0.25
    usual = servo.torque(ZERO, ZERO, error, ZERO, ZERO, 0.0)
    soft = servo.torque(ZERO, ZERO, error, ZERO, ZERO, 0.0, stiffness_scale=scale)
    np.testing.assert_allclose(soft, scale * usual)


def test_more_stiffness_than_is_stable_is_not_given(servo):
    error = np.full(len(HAND.joints), 0.02)
    most = servo.torque(ZERO, ZERO, error, ZERO, ZERO, 0.0, stiffness_scale=2.0)
    np.testing.assert_array_equal(
        servo.torque(ZERO, ZERO, error, ZERO, ZERO, 0.0, stiffness_scale=50.0), most
    )


def test_stiff_joints_are_co_contracted_without_torque(servo):
    scale = np.ones(len(HAND.joints))
    j = HAND.index("index_mcp_flex")
    scale[j] = 2.0
    torque = servo.torque(ZERO, ZERO, ZERO, ZERO, ZERO, CONTROL_DT, stiffness_scale=scale)
    f = servo.tensions(torque)
    assert (f[2 * j : 2 * j + 2] > HAND.pretension[2 * j] + 3.0).all()
    np.testing.assert_allclose(
        np.delete(f, [2 * j, 2 * j + 1]), np.delete(HAND.pretension, [2 * j, 2 * j + 1])
    )
    np.testing.assert_allclose(HAND.moment_arms @ f, 0.0, atol=1e-9)


def test_soft_joints_keep_their_integral(servo):
    """A soft finger's integral used to be able to push a person's hand back."""
    error = np.full(len(HAND.joints), 0.05)
    for _ in range(50):
        servo.torque(ZERO, ZERO, error, ZERO, ZERO, CONTROL_DT)
    carried = servo.torque(ZERO, ZERO, ZERO, ZERO, ZERO, 0.0)
    assert (carried > 0.0).all()
    for _ in range(500):
        servo.torque(ZERO, ZERO, error, ZERO, ZERO, CONTROL_DT, stiffness_scale=0.3)
    np.testing.assert_allclose(servo.torque(ZERO, ZERO, ZERO, ZERO, ZERO, 0.0, stiffness_scale=0.3), carried)


def test_a_joint_that_trails_learns_what_motion_costs_it(servo):
    qd_ref = np.full(len(HAND.joints), 1.0)
    behind = np.full(len(HAND.joints), 0.02)
    for _ in range(1000):
        servo.torque(ZERO, ZERO, behind, ZERO, ZERO, CONTROL_DT, qd_ref=qd_ref)
    assert (servo.flow > 1.2).all()
    assert (servo.flow <= 3.0).all()
    pressing = np.ones(len(HAND.joints))
    before = servo.flow.copy()
    servo.torque(ZERO, ZERO, -behind, ZERO, pressing, CONTROL_DT, qd_ref=qd_ref)
    np.testing.assert_array_equal(servo.flow, before)


def test_a_finger_yields_to_a_push_as_asked_and_comes_back():
    came = compliance.measure(0)
    for name, c in came.items():
        print(name, {key: round(value, 5) for key, value in c.items()})
        assert c["stays_off"] < 1e-3
        assert c["joints_off"] < 0.01
        assert c["tremble"] < 0.02
    assert came["soft"]["at_most"] > 2.5 * came["usual"]["at_most"]
    assert came["soft"]["at_last"] > 0.02
    assert came["stiff"]["at_most"] < 0.85 * came["usual"]["at_most"]
