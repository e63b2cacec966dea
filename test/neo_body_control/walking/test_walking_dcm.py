"""The capture point's equations, against integration, and steps that follow from them."""

import numpy as np
import pytest

from neo_body_control.walking import dcm
from neo_body_control.walking.footsteps import StepLimits, nominal_step

W = 3.3
BOX = (np.array([-0.4, 0.12]), np.array([0.45, 0.55]))


def test_the_capture_point_flies_as_the_pendulum_says():
    c, v, r = np.array([0.02, 0.01]), np.array([0.3, -0.1]), np.array([0.0, 0.05])
    flown = dcm.flown(dcm.capture_point(np.array([*c, 0.9]), np.array([*v, 0.0]), W), r, W, 0.4)
    for _ in range(40000):
        a = W**2 * (c - r)
        c, v = c + 1e-5 * v + 0.5e-10 * a, v + 1e-5 * a
    assert np.allclose(c + v / W, flown, atol=1e-4)
    assert np.allclose(
        dcm.flown(flown, r, W, -0.4) * 0 + dcm.flown(dcm.flown(flown, r, W, -0.4), r, W, 0.4), flown
    )


@pytest.mark.parametrize("velocity", [(0.0, 0.0), (0.6, 0.0), (-0.3, 0.1)])
def test_a_gait_with_the_offsets_repeats_itself(velocity):
    """Left and right steps from the offset of the one lead to the offset of the other."""
    velocity, width, time = np.array(velocity), 0.17, 0.5
    for side, other in ((1.0, -1.0), (-1.0, 1.0)):
        b = dcm.offset(velocity, side * width, time, W)  # as the foot of this side comes to bear
        end = dcm.flown(b, np.zeros(2), W, time)
        step = np.array([velocity[0] * time, velocity[1] * time + other * width])
        assert np.allclose(end - step, dcm.offset(velocity, other * width, time, W), atol=1e-9)


def solve(xi, least=0.2, most=0.6):
    adjuster = dcm.StepAdjuster(1.0, 5.0, 1000.0)
    b = dcm.offset(np.zeros(2), 0.17, 0.5, W)
    return adjuster.solve(
        np.array(xi), np.zeros(2), np.array([0.0, 0.17]), b, W, 0.1, 0.4, BOX, least, most
    ), b


def test_an_undisturbed_step_stays_as_planned():
    b = dcm.offset(np.zeros(2), 0.17, 0.5, W)
    (u, left), _ = solve(dcm.flown(np.array([0.0, 0.17]) + b, np.zeros(2), W, -0.4))
    assert np.allclose(u, [0.0, 0.17], atol=1e-4)
    assert left == pytest.approx(0.4, abs=1e-3)


@pytest.mark.parametrize("push", [(0.05, 0.0), (-0.05, 0.0), (0.0, 0.05), (0.03, 0.03)])
def test_a_pushed_step_goes_where_the_capture_point_will_be(push):
    b = dcm.offset(np.zeros(2), 0.17, 0.5, W)
    xi = dcm.flown(np.array([0.0, 0.17]) + b, np.zeros(2), W, -0.4) + push
    (u, left), _ = solve(xi)
    assert np.allclose(dcm.flown(xi, np.zeros(2), W, left) - u, b, atol=0.01)
    assert left <= 0.4 + 1e-6
    assert np.sign(u[0]) == np.sign(push[0]) or push[0] == 0.0


def test_a_push_too_hard_ends_at_the_limits():
    (u, left), _ = solve([0.5, 0.6])
    assert np.allclose(u, BOX[1])
    assert left == pytest.approx(0.2, abs=1e-3)


@pytest.mark.parametrize("side", ["l", "r"])
def test_steps_never_cross(side):
    low, high = StepLimits(0.45, 0.4, 0.12, 0.55, 0.4).box(side)
    assert (low[1] > 0.0) if side == "l" else (high[1] < 0.0)


def test_steps_add_up_to_the_velocity():
    """A circle: 0.3 m/s and 0.5 rad/s in steps of 0.5 s, the body being between the feet."""
    velocity, width, time = np.array([0.3, 0.0, 0.5]), 0.17, 0.5
    feet = {"l": (np.array([0.0, width / 2]), 0.0), "r": (np.array([0.0, -width / 2]), 0.0)}

    def step(side, stance, velocity):
        p, heading = feet[stance]
        c, s = np.cos(heading), np.sin(heading)
        x, y, turn = nominal_step(velocity, side, width, time)
        feet[side] = p + np.array([c * x - s * y, s * x + c * y]), heading + turn

    for i in range(20):
        step("lr"[i % 2], "rl"[i % 2], velocity)
    step("l", "r", np.zeros(3))
    heading = 0.5 * (feet["l"][1] + feet["r"][1])
    assert heading == pytest.approx(0.5 * 0.5 * 20, abs=1e-6)
    middle = 0.5 * (feet["l"][0] + feet["r"][0])
    circle = 0.6 * np.array([np.sin(heading), 1.0 - np.cos(heading)])
    assert np.allclose(middle, circle, atol=0.05)
