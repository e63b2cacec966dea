"""Both hands reach, hold a load, follow what is queued and let go, on the plant."""

import numpy as np
import pytest
from body_rig import Rig, angle, side_grasp

from neo_body_control.reach import Reach
from neo_body_control.settings import load_parameters
from neo_description.errors import RefusedError
from neo_description.signals import Safety

# x, y outwards, z (m), heading inwards (rad): over the table, for a side grasp
POSES = [
    (0.36, 0.35, 0.86, 0.0),
    (0.40, 0.10, 0.90, 0.6),
    (0.45, 0.22, 1.00, 0.3),
    (0.50, 0.00, 0.88, 0.4),
    (0.55, 0.30, 0.90, 0.3),
    (0.55, 0.15, 1.10, 0.0),
]


@pytest.mark.parametrize("side", ["l", "r"])
def test_each_hand_reaches_six_poses_in_front(side):
    rig = Rig().stand()
    outwards = 1.0 if side == "l" else -1.0
    worst = np.zeros(2)
    for x, y, z, heading in POSES:
        T = side_grasp(side, [x, outwards * y, z], heading)
        rig.order(**{f"T_{side}_hand": T}, hand_speed=0.5)
        rig.run(2.0)
        T_true = rig.gripper_truth(side)
        error = np.array([np.linalg.norm(T_true[:3, 3] - T[:3, 3]), angle(T_true[:3, :3].T @ T[:3, :3])])
        np.testing.assert_allclose(rig.body.arrived(side)[0], error[0], atol=0.004)
        worst = np.maximum(worst, error)
    print(f"{side} hand: at worst {1000 * worst[0]:.1f} mm, {np.degrees(worst[1]):.1f} deg")
    assert worst[0] < 0.010
    assert np.degrees(worst[1]) < 5.0
    assert rig.state == Safety.ACTIVE


def test_a_kilogram_in_the_hand_does_not_sag():
    rig = Rig().stand()
    T = side_grasp("r", [0.45, -0.15, 0.95])
    rig.order(T_r_hand=T)
    rig.run(1.5)
    before = rig.gripper_truth("r")[2, 3]
    rig.plant.push("r_wrist", np.array([0.0, 0.0, -9.81]), 3.0)
    rig.run(1.0)
    assert abs(rig.body.loads["r"].mass - 1.0) < 0.15
    assert abs(rig.gripper_truth("r")[2, 3] - before) < 0.008
    assert rig.body.loads["l"].mass == 0.0
    rig.run(1.0)
    assert abs(rig.gripper_truth("r")[2, 3] - before) < 0.004


def test_new_targets_blend_without_jumps_and_keep_the_speed():
    rig = Rig().stand()
    reference = rig.body.targets.hands["l"]
    last = None
    for k in range(20):
        p = [0.40 + 0.1 * (k % 2), 0.20 + 0.05 * (k % 3), 0.95]
        rig.order(T_l_hand=side_grasp("l", p), hand_speed=0.3)
        for _ in range(25):
            rig.tick()
            if last is not None:
                assert np.linalg.norm(reference.point.p - last) <= 0.3 * 0.002 + 1e-9
            last = reference.point.p.copy()
    assert rig.state == Safety.ACTIVE


def test_commands_wait_for_their_start():
    rig = Rig().stand()
    start = rig.body.estimate.time + 0.5
    rig.order(T_l_hand=side_grasp("l", [0.45, 0.2, 0.95]), start=start)
    first = []
    for _ in range(300):
        rig.tick()
        if "l" in rig.body.targets.busy and not first:
            first.append(rig.body.estimate.time)
    assert first == [pytest.approx(start)]


def test_expired_commands_leave_the_hand_at_rest_where_it_is():
    rig = Rig().stand()
    T = side_grasp("l", [0.50, 0.35, 1.05])
    rig.order(T_l_hand=T, hand_speed=0.1, valid_for=0.5)
    rig.run(2.0)
    rest = rig.gripper_truth("l")[:3, 3]
    assert np.linalg.norm(rest - T[:3, 3]) > 0.05  # it never got there
    rig.run(1.0)
    assert np.linalg.norm(rig.gripper_truth("l")[:3, 3] - rest) < 0.005


def test_a_released_arm_goes_back_to_its_posture():
    rig = Rig().stand()
    rig.run(2.5)
    home = rig.gripper_truth("r")[:3, 3]
    rig.order(T_r_hand=side_grasp("r", [0.50, -0.2, 1.0]))
    rig.run(2.0)
    assert np.linalg.norm(rig.gripper_truth("r")[:3, 3] - home) > 0.1
    rig.order(release=("r",))
    rig.run(3.0)
    assert np.linalg.norm(rig.gripper_truth("r")[:3, 3] - home) < 0.02
    assert rig.body.arrived("r") == (np.inf, np.inf)


def test_gaze_turns_the_head_to_the_point():
    rig = Rig().stand()
    point = np.array([0.5, 0.25, 0.8])
    rig.order(gaze=point)
    rig.run(2.0)
    i = rig.plant.index.site("gaze")
    ray = point - rig.plant.data.site_xpos[i]
    forward = rig.plant.data.site_xmat[i].reshape(3, 3)[:, 0]
    assert np.degrees(np.arccos(forward @ ray / np.linalg.norm(ray))) < 1.5


class TestReach:
    """The core of the action."""

    def follow(self, rig, reach, seconds):
        for _ in range(round(seconds * 500)):
            rig.tick()
            outcome = reach.step()
            if outcome is not None:
                return outcome
        return None

    def test_ends_with_success_and_small_errors(self):
        rig = Rig().stand()
        reach = Reach(rig.body, load_parameters(), "l", side_grasp("l", [0.45, 0.2, 0.95]), tolerance=0.01)
        outcome = self.follow(rig, reach, 5.0)
        assert outcome.success
        assert outcome.reason == "done"
        assert outcome.position_error < 0.01

    def test_times_out_in_plant_time_and_names_a_stop_and_a_newer_command(self):
        rig = Rig().stand()
        far = side_grasp("l", [0.95, 0.35, 1.3])
        begun = rig.plant.time
        outcome = self.follow(rig, Reach(rig.body, load_parameters(), "l", far, timeout=0.6), 5.0)
        assert (outcome.success, outcome.reason) == (False, "timeout")
        assert rig.plant.time - begun == pytest.approx(0.6, abs=0.02)
        reach = Reach(rig.body, load_parameters(), "l", far)
        rig.run(0.1)
        assert reach.step() is None
        rig.order(T_l_hand=side_grasp("l", [0.4, 0.2, 0.9]))
        assert "superseded" in self.follow(rig, reach, 1.0).reason
        reach = Reach(rig.body, load_parameters(), "l", far)
        rig.body.set_mode("stop")
        assert self.follow(rig, reach, 1.0).reason.startswith("stopped")

    def test_refuses_what_the_controller_refuses_and_moves_nothing(self):
        rig = Rig().stand()
        with pytest.raises(RefusedError, match="from the shoulder"):
            Reach(rig.body, load_parameters(), "l", side_grasp("l", [3.0, 0.2, 0.9]))
        with pytest.raises(RefusedError, match="tolerance"):
            Reach(rig.body, load_parameters(), "l", side_grasp("l", [0.4, 0.2, 0.9]), tolerance=float("nan"))
        assert rig.body.targets.busy == set()
