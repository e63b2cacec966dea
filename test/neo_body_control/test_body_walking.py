"""The robot steps and walks on the plant, on its own estimate alone, with noise and drives as by default."""

import numpy as np
import pytest
from body_rig import Rig, angle

from neo_body_control.rotations import yaw
from neo_body_control.walking.gait import Phase
from neo_description.signals import Safety, WholeBodyCommand


@pytest.fixture
def rig():
    return Rig(walking=True).stand()


def go(rig, forward=0.0, left=0.0, turn=0.0, valid_for=0.3):
    rig.order(base_velocity=np.array([forward, left, turn]), valid_for=valid_for)


def standing(rig):
    return rig.body.legs.walker.standing


def estimate_error(rig):
    """m."""
    return np.linalg.norm((rig.body.estimate.T_odom_base - rig.plant.privileged.base_pose)[:3, 3])


def test_walks_as_long_as_it_is_told_and_then_stands(rig):
    start = rig.plant.privileged.base_pose
    go(rig, forward=0.4, valid_for=3.0)
    rig.run(2.9)
    assert not standing(rig)
    assert rig.run(3.0, lambda: standing(rig))
    rig.run(1.0)
    moved = rig.plant.privileged.base_pose[:3, 3] - start[:3, 3]
    assert rig.state == Safety.ACTIVE
    assert 0.6 < moved[0] < 1.6
    assert abs(moved[1]) < 0.1
    assert standing(rig)
    assert estimate_error(rig) < 0.02
    feet = {s: rig.plant.privileged.body_pose(f"{s}_sole") for s in "lr"}
    assert np.allclose(feet["l"][:3, 3] - feet["r"][:3, 3], [0.0, rig.body.params.step_width, 0.0], atol=0.06)


def test_walks_sideways_and_turns(rig):
    start = rig.plant.privileged.base_pose
    for _ in range(15):
        go(rig, left=0.15, turn=0.4)
        rig.run(0.2)
    T = rig.plant.privileged.base_pose
    assert rig.state == Safety.ACTIVE
    assert 0.5 < yaw(T[:3, :3]) - yaw(start[:3, :3]) < 1.4
    assert T[1, 3] - start[1, 3] > 0.15  # to the left


@pytest.mark.parametrize("direction", [0, 90])
def test_a_step_catches_a_push_that_standing_cannot_take(direction):
    a = np.radians(direction)
    force = 140.0 * np.array([np.cos(a), np.sin(a), 0.0])
    stood = []
    for walking in (True, False):
        rig = Rig(walking=walking).stand()
        rig.plant.push("torso", force, 0.1)
        fell = rig.run(2.0, lambda rig=rig: rig.state != Safety.ACTIVE)
        stood.append(not fell)
    assert stood == [True, False]


def test_after_a_far_step_both_feet_stand_until_it_is_calm(rig):
    rig.plant.push("torso", np.array([0.0, 200.0, 0.0]), 0.1)
    walker = rig.body.legs.walker

    def rests_apart():
        return walker.steps and walker.phase is Phase.SHIFT

    assert rig.run(1.0, rests_apart)
    feet = [rig.plant.privileged.body_pose(f"{s}_sole")[:2, 3] for s in "lr"]
    assert np.linalg.norm(feet[0] - feet[1]) > rig.body.params.step_width + rig.body.params.rest_way
    assert rig.run(4.0, lambda: standing(rig))
    assert rig.state == Safety.ACTIVE


def test_a_push_that_standing_can_take_needs_no_step(rig):
    rig.plant.push("torso", np.array([0.0, 50.0, 0.0]), 0.1)
    rig.run(1.5)
    assert rig.state == Safety.ACTIVE
    assert rig.body.legs.walker.steps == 0


def test_hands_with_targets_go_along(rig):
    T = rig.body.estimate.T_odom_r_gripper
    T[:3, 3] += [0.05, 0.0, 0.05]
    rig.order(T_r_hand=T)
    rig.run(1.0)

    def relative():
        return np.linalg.inv(rig.plant.privileged.base_pose) @ rig.gripper_truth("r")

    before = relative()
    go(rig, forward=0.4, turn=0.2, valid_for=3.0)
    rig.run(2.5)
    assert rig.plant.privileged.base_pose[0, 3] > 0.4
    assert np.linalg.norm((relative() - before)[:3, 3]) < 0.06
    assert angle(relative()[:3, :3] @ before[:3, :3].T) < 0.2


def test_stop_under_way_waits_for_both_feet(rig):
    go(rig, forward=0.3, valid_for=5.0)
    assert rig.run(3.0, lambda: rig.body.legs.steps is not None and bool(rig.body.legs.steps.swing))
    assert rig.body.set_mode("stop") is None
    assert rig.state == Safety.ACTIVE
    assert rig.run(2.5, lambda: rig.state == Safety.STOP)
    assert standing(rig)
    assert rig.body.safety.reason == "set_mode stop"
    rig.run(1.0)
    assert not rig.plant.privileged.fallen
    assert rig.body.set_mode("stand") is None


def test_velocities_are_refused_before_any_limiter(rig):
    for velocity, reason in (
        ([2.0, 0.0, 0.0], "forward is 2 m/s; at most 0.7"),
        ([0.0, -1.0, 0.0], "sideways is -1 m/s"),
        ([0.0, 0.0, 9.0], "turn is 9 rad/s"),
        ([np.nan, 0.0, 0.0], "not finite"),
    ):
        said = rig.body.command(WholeBodyCommand(valid_for=1.0, base_velocity=np.array(velocity)))
        assert reason in said
    rig.run(0.2)
    assert standing(rig)
    assert "does not walk" in Rig().stand().body.command(
        WholeBodyCommand(valid_for=1.0, base_velocity=np.array([0.1, 0.0, 0.0]))
    )
