"""The clutch: what moves a gripper, and what lets go of it."""

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_description.signals import BodyEstimate, GraspStatus, Safety
from neo_teleop.clutch import Snapshot, about_z, hand_for, target
from neo_teleop.frames import HandFrame, OperatorFrame
from neo_teleop.teleop import Teleop, load_parameters

DT = 0.02
IDLE = {side: GraspStatus() for side in "lr"}


def pose(p=(0.0, 0.0, 0.0), R=None):
    T = np.eye(4)
    T[:3, 3] = p
    T[:3, :3] = np.eye(3) if R is None else R
    return T


class Link:
    """A device and a robot whose grippers stand still: :meth:`say` is a frame, :meth:`silent` none."""

    def __init__(self, **params):
        self.teleop = Teleop(load_parameters(**params))
        self.clutch = self.teleop.clutches["r"]
        self.time, self.safety, self.T_odom_base = 10.0, Safety.ACTIVE, np.eye(4)
        self.gripper = pose((0.3, -0.2, 0.9), about_z(0.3))

    def estimate(self):
        head, left = pose((0.0, 0.0, 1.5)), pose((0.3, 0.2, 0.9))
        return BodyEstimate(
            0, self.time, self.T_odom_base, np.zeros(6), left, self.gripper, head, self.safety
        )

    def say(self, T, clutch=True, dt=DT, heading=0.0, look=None, at=None):
        self.time += dt
        at = self.time if at is None else at
        frame = OperatorFrame(at, {"r": HandFrame(T, clutch)}, heading, look)
        return self._body(self.teleop.step(frame, self.estimate(), IDLE))

    def silent(self, dt=DT):
        self.time += dt
        return self._body(self.teleop.step(None, self.estimate(), IDLE))

    def _body(self, orders):
        return orders.body[0] if orders.body else None

    def hold_on(self, T, **more):
        self.say(T, clutch=False, **more)
        return self.say(T, **more)


def test_nothing_is_commanded_before_the_button_is_pressed():
    link = Link()
    for i in range(5):
        assert link.say(pose((0.01 * i, 0.0, 0.0)), clutch=False) is None
    assert link.silent() is None


def test_a_button_that_was_down_from_the_beginning_engages_nothing():
    link = Link()
    for _ in range(5):
        assert link.say(pose()) is None
    assert link.hold_on(pose()) is not None


def test_engaging_moves_nothing_wherever_the_hand_is():
    link = Link()
    command = link.hold_on(pose((7.0, -3.0, 0.2), about_z(2.0)))
    np.testing.assert_allclose(command.T_r_hand, link.gripper, atol=1e-12)
    assert command.T_l_hand is None
    assert command.frame == "odom"
    assert 0.0 < command.valid_for <= link.teleop.params.link_timeout


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_a_way_of_the_hand_is_a_way_of_the_gripper_times_the_scale(scale):
    link = Link(scale=scale)
    link.hold_on(pose((1.0, 1.0, 1.0)))
    command = link.say(pose((1.02, 0.99, 1.03)))
    way = command.T_r_hand[:3, 3] - link.gripper[:3, 3]
    np.testing.assert_allclose(way, scale * np.array([0.02, -0.01, 0.03]), atol=1e-12)


def test_forward_for_the_operator_is_forward_for_the_robot():
    link = Link()
    link.T_odom_base = pose(R=about_z(0.5))
    start = pose((3.0, 2.0, 1.0))
    link.hold_on(start, heading=-1.2)
    there = start.copy()
    there[:3, 3] += about_z(-1.2) @ np.array([0.04, 0.0, 0.0])
    way = link.say(there, heading=-1.2).T_r_hand[:3, 3] - link.gripper[:3, 3]
    np.testing.assert_allclose(way, about_z(0.5) @ np.array([0.04, 0.0, 0.0]), atol=1e-12)


def test_a_turn_of_the_hand_is_the_same_turn_of_the_gripper_about_the_same_axis():
    link = Link()
    axes = about_z(1.1)  # how the device's axes lie in the hand does not matter
    link.hold_on(pose(R=axes))
    command = link.say(pose(R=about_z(0.2) @ axes))
    np.testing.assert_allclose(command.T_r_hand[:3, :3], about_z(0.2) @ link.gripper[:3, :3], atol=1e-12)
    np.testing.assert_allclose(command.T_r_hand[:3, 3], link.gripper[:3, 3], atol=1e-12)


def test_the_hand_for_a_gripper_s_pose_asks_for_that_pose():
    snapshot = Snapshot(pose((1.0, 2.0, 3.0), about_z(0.4)), pose((0.3, 0.2, 0.9)), about_z(2.0))
    wanted = pose((0.5, 0.1, 1.0), about_z(-0.7))
    np.testing.assert_allclose(target(snapshot, hand_for(snapshot, wanted, 0.7), 0.7), wanted, atol=1e-12)


def test_letting_go_holds_once_and_then_commands_nothing():
    link = Link()
    link.hold_on(pose())
    link.say(pose((0.03, 0.0, 0.0)))
    command = link.say(pose((0.05, 0.0, 0.0)), clutch=False)
    np.testing.assert_array_equal(command.T_r_hand, link.gripper)
    assert link.say(pose((0.09, 0.0, 0.0)), clutch=False) is None
    assert not link.clutch.engaged


def test_engaging_again_takes_a_fresh_snapshot_of_the_gripper():
    link = Link()
    link.hold_on(pose())
    link.say(pose(), clutch=False)
    link.gripper = pose((0.5, -0.1, 1.0))
    command = link.hold_on(pose((0.02, 0.0, 0.0)))
    np.testing.assert_allclose(command.T_r_hand, link.gripper, atol=1e-12)


def test_a_link_silent_for_200_ms_lets_go_and_only_a_deliberate_act_engages_again():
    link = Link()
    link.hold_on(pose())
    for _ in range(9):
        assert link.silent() is None
        assert link.clutch.engaged
    np.testing.assert_array_equal(link.silent().T_r_hand, link.gripper)
    assert not link.clutch.engaged
    assert "nothing heard" in link.clutch.reason
    for _ in range(3):  # it comes back with the button down: no act
        assert link.say(pose()) is None
    assert link.hold_on(pose()) is not None


def test_a_hand_that_the_device_loses_from_sight_counts_as_silent():
    link = Link()
    link.hold_on(pose())
    for _ in range(10):
        link.time += DT
        link.teleop.step(OperatorFrame(link.time), link.estimate(), IDLE)
    assert "nothing heard" in link.clutch.reason


def test_old_and_repeated_frames_count_as_none():
    link = Link()
    link.hold_on(pose())
    newest = link.time
    for _ in range(9):
        assert link.say(pose((0.01, 0.0, 0.0)), at=newest) is None
    assert link.say(pose((0.01, 0.0, 0.0)), at=newest - 5.0) is not None  # the hold
    assert "nothing heard" in link.clutch.reason


def test_after_a_silence_a_device_may_come_back_with_another_clock():
    link = Link()
    link.hold_on(pose())
    for _ in range(12):
        link.silent()
    link.say(pose(), clutch=False, at=1.0)
    assert link.say(pose(), at=1.02) is not None


@pytest.mark.parametrize(
    ("there", "word"),
    [(pose((0.2, 0.0, 0.0)), "jumped"), (pose(R=about_z(1.0)), "spun"), (pose((np.nan, 0.0, 0.0)), "finite"),
     (pose(R=2.0 * np.eye(3)), "rotation"), (np.eye(3), "shape")],
)  # fmt: skip
def test_faults_of_a_frame_let_go_with_a_reason_and_do_not_move_the_gripper(there, word):
    link = Link()
    link.hold_on(pose())
    command = link.say(there)
    np.testing.assert_array_equal(command.T_r_hand, link.gripper)
    assert word in link.clutch.reason
    assert link.say(pose()) is None
    assert link.hold_on(pose()) is not None


def test_a_pause_of_the_link_hides_no_jump():
    link = Link()
    link.hold_on(pose())
    for _ in range(7):
        link.silent()
    link.say(pose((1.0, 0.0, 0.0)))
    assert "jumped" in link.clutch.reason


def test_a_gripper_that_does_not_follow_is_left():
    link = Link()
    link.hold_on(pose())
    for i in range(1, 20):
        link.say(pose((0.02 * i, 0.0, 0.0)))
    assert "behind" in link.clutch.reason


def test_a_gripper_that_is_blocked_is_not_pushed_on():
    """The arm against a table's edge pushed the robot over backwards."""
    link = Link()
    link.hold_on(pose())
    for i in range(1, 9):
        link.say(pose((0.01 * i, 0.0, 0.0)))
    waited = 0
    while link.clutch.engaged:
        link.say(pose((0.08, 0.0, 0.0)))
        waited += 1
    assert waited * DT < 0.6
    assert "stopped 0.08 m short" in link.clutch.reason


def test_a_gripper_that_lags_while_it_moves_is_followed_on():
    link = Link()
    link.hold_on(pose())
    for i in range(1, 100):
        link.gripper[0, 3] = 0.3 + 0.01 * max(0, i - 10)
        link.say(pose((0.01 * i, 0.0, 0.0)))
    assert link.clutch.engaged


def test_a_robot_that_is_not_active_is_neither_taken_nor_kept():
    link = Link()
    link.hold_on(pose())
    link.safety = Safety.STOP
    assert link.silent() is None
    assert "not active" in link.clutch.reason
    assert link.hold_on(pose()) is None


def test_the_head_looks_where_the_operator_looks_while_a_hand_is_engaged():
    link = Link()
    look = np.array([2.0, 0.0, -2.0])
    assert link.say(pose(), clutch=False, look=look) is None
    gaze = link.say(pose(), look=look).gaze
    np.testing.assert_allclose(gaze, np.array([0.0, 0.0, 1.5]) + 0.75 * np.array([1.0, 0.0, -1.0]) / 2**0.5)
    for bad in (np.array([np.nan, 0.0, 0.0]), np.zeros(3), np.ones(4)):
        assert link.say(pose(), look=bad).gaze is None


def test_parameters_have_bounds():
    with pytest.raises(NeoError, match="scale"):
        load_parameters(scale=10.0)
