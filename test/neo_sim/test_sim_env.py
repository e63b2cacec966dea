"""NeoEnv: the real controllers round the plant in one process, repeatable, replayable."""

import numpy as np
import pytest

from neo_description import scenes
from neo_description.errors import NeoError
from neo_description.signals import DriveMode, HandAction, HandCommand, Safety, WholeBodyCommand
from neo_sim.env import OBSERVATION, NeoEnv


@pytest.fixture(scope="module")
def empty():
    return scenes.make("empty", 0)


def act(env):
    env.step(20)
    env.stand()
    T = env.body.estimate.T_odom_r_gripper.copy()
    T[:3, 3] += (0.05, 0.0, 0.05)
    assert env.command_body(WholeBodyCommand(valid_for=5.0, T_r_hand=T)) is None
    assert env.command_hand("r", HandCommand(HandAction.OPEN)) is None
    env.step(200)


def test_it_stands_up_moves_a_hand_and_repeats_bit_for_bit(empty):
    env = NeoEnv(empty, seed=1)
    act(env)
    assert env.body.estimate.safety == Safety.ACTIVE
    assert env.plant.body_state().drive_mode == DriveMode.TENSION
    assert env.plant.hand_state("r").drive_mode == DriveMode.TENSION
    assert env.plant.hand_state("l").drive_mode == DriveMode.HOLD
    assert not any(drives.gate.refused for drives in env.plant.drives.values())
    first = env.plant.state_hash()
    env.reset(1)
    act(env)
    assert env.plant.state_hash() == first
    env.reset(2)
    act(env)
    assert env.plant.state_hash() != first


def test_the_log_of_commands_replays_the_run(empty):
    env = NeoEnv(empty, seed=1)
    act(env)
    log, ticks, wanted = env.log_commands, env.plant.tick, env.plant.state_hash()
    assert [given.target for given in log] == ["mode", "body", "r_hand"]
    replay = NeoEnv(empty, seed=1)
    for given in log:
        replay.step(given.tick - replay.plant.tick)
        assert replay.command(given.target, given.command) is None
    replay.step(ticks - replay.plant.tick)
    assert replay.plant.state_hash() == wanted


def test_observations_are_what_the_table_says_and_hold_no_truth(empty):
    env = NeoEnv(empty, seed=1)
    env.step(3)
    seen = env.observe()
    without_cameras = {key: row for key, row in OBSERVATION.items() if not key.startswith("head_camera")}
    assert seen.keys() == without_cameras.keys()
    for key, (shape, _) in without_cameras.items():
        assert np.shape(seen[key]) == shape, key
    assert seen["time"] == pytest.approx(0.006)
    truth = env.plant.data.qpos[env.scene.index.body_qpos]
    assert (seen["body/joint_position"] != truth).any()


def test_cameras_give_images_at_their_rate():
    env = NeoEnv("kitchen_table", seed=0, cameras=True)
    env.step(100)
    assert env.frame.tick == 100
    left = env.observe()["head_camera/left"]
    assert left.dtype == np.uint8
    assert left.std() > 10
    env.close()


def test_the_teacher_picks_up_the_bottle():
    env = NeoEnv("kitchen_table", seed=0)
    env.step(20)
    env.stand()
    start = env.plant.privileged.object_pose("red_bottle")[2, 3]
    outcome = env.do("pick up the red bottle", planner="privileged_scripted")
    assert outcome.success, outcome.message
    assert env.plant.privileged.object_pose("red_bottle")[2, 3] > start + 0.1
    assert env.plant.privileged.grip_force("l") + env.plant.privileged.grip_force("r") > 2.0
    assert not env.plant.privileged.fallen


@pytest.mark.parametrize(
    ("scene", "landmark", "relation", "lowest", "highest"),
    [
        ("tray_table", "blue_tray", "on", 0.004, 0.02),  # m above the table: within the rim, or on it
        ("basket_table", "orange_basket", "in", 0.004, 0.03),
    ],
)
def test_the_teacher_puts_the_bottle_on_the_tray_and_in_the_basket(
    scene, landmark, relation, lowest, highest
):
    env = NeoEnv(scene, seed=0)
    env.stand()
    outcome = env.do(f"put the red bottle {relation} the {landmark.split('_')[1]}", "privileged_scripted")
    assert outcome.success, outcome.message
    T_landmark, T_bottle = (env.plant.privileged.object_pose(name) for name in (landmark, "red_bottle"))
    size = env.scene.object(landmark).size
    away = np.linalg.inv(T_landmark) @ T_bottle
    assert np.all(np.abs(away[:2, 3]) < size[:2] / 2)
    assert lowest < env.plant.privileged.object_foot("red_bottle") - env.scene.table.height < highest


def test_unknown_targets_and_planners_are_refused_by_name(empty):
    env = NeoEnv(empty, seed=1)
    with pytest.raises(NeoError, match="no target 'tail'; one of body"):
        env.command("tail", None)
    with pytest.raises(NeoError, match="no planner 'oracle'; one of scripted"):
        env.do("pick up the red bottle", planner="oracle")
    with pytest.raises(NeoError, match="cameras=True"):
        env.do("pick up the red bottle")


def test_when_every_controller_falls_silent_the_robot_holds_within_20_ms_and_stays_up_2_s(empty):
    env = NeoEnv(empty, seed=1)
    act(env)
    for tick in range(1, 1001):
        env.plant.step()
        if tick == 10:
            modes = {drives.mode for drives in env.plant.drives.values()}
    assert modes == {DriveMode.HOLD}
    assert not env.plant.privileged.fallen
    assert np.abs(env.plant.data.qvel).max() < 0.1
