"""The plant stands in hold by itself, goes down without violence, repeats bit for bit, obeys tau = A f."""

from dataclasses import replace

import numpy as np
import pytest

from neo_description import scenes
from neo_description.errors import NeoError
from neo_description.signals import DriveMode, TendonCommand
from neo_description.tables import BODY, HAND, TAXELS
from neo_sim.plant import GROUPS, Plant, load_parameters

TABLES = {"body": BODY, "l_hand": HAND, "r_hand": HAND}


@pytest.fixture(scope="module")
def empty():
    return scenes.make("empty", 0)


def asked(plant, group, mode=DriveMode.HOLD):
    return TendonCommand(plant.tick, mode, 1.5 * TABLES[group].pretension)


def test_the_robot_stands_5_s_in_hold_then_crouches_and_goes_limp_without_violence(empty):
    plant = Plant(empty)
    start = plant.privileged.base_pose
    body_velocity = empty.index.body_qvel
    while plant.time < 4.99:
        plant.step()
    moved = plant.privileged.base_pose[:3, 3] - start[:3, 3]
    assert np.linalg.norm(moved) < 0.003
    assert plant.body_state().drive_mode == DriveMode.HOLD
    fastest = 0.0
    while plant.drives["body"].mode != DriveMode.LIMP:
        plant.step()
        fastest = max(fastest, float(np.abs(plant.data.qvel[body_velocity]).max()))
        assert plant.time < 9.1
    crouched = plant.privileged.base_pose
    assert fastest < 1.5
    assert not plant.privileged.fallen
    assert crouched[2, 3] < start[2, 3] - 0.25
    assert plant.drives["l_hand"].mode == DriveMode.HOLD
    fall = 0.0
    for _ in range(1500):
        plant.step()
        fall = max(fall, float(np.linalg.norm(plant.data.qvel[empty.index.base_qvel[:3]])))
    assert fall < 2.2  # m/s; from standing it would be 4
    assert np.abs(plant.data.qvel[body_velocity]).max() < 1.0
    assert np.median(plant.drives["body"].tension / BODY.pretension) == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize("force", [(60, 0, 0), (-60, 0, 0), (0, 60, 0)])
def test_hold_takes_a_push_of_6_newton_seconds(empty, force):
    plant = Plant(empty)
    plant.push("torso", force, 0.1)
    furthest = 0.0
    for _ in range(1500):
        plant.step()
        furthest = max(furthest, float(np.linalg.norm(plant.privileged.com[:2])))
    assert furthest > 0.02  # it was pushed
    assert not plant.privileged.fallen
    assert np.abs(plant.data.qvel[:6]).max() < 0.05  # it comes to rest


def test_the_plant_follows_tau_is_A_f_and_dl_is_minus_A_dq(empty):
    plant = Plant(empty, load_parameters(friction=0.0))
    rng = np.random.default_rng(3)
    for _ in range(20):
        for group in GROUPS:
            table = TABLES[group]
            tension = table.pretension * rng.uniform(1.0, 3.0, len(table.tendons))
            assert plant.command(group, TendonCommand(plant.tick, DriveMode.TENSION, tension)) is None
        plant.step()
    index, data = empty.index, plant.data
    pairs = [("body", index.body_qpos, index.body_qvel, index.body_tendons)]
    pairs += [(f"{s}_hand", h.qpos, h.qvel, h.tendons) for s, h in index.hands.items()]
    for group, qpos, qvel, tendons in pairs:
        table, drives = TABLES[group], plant.drives[group]
        np.testing.assert_allclose(
            data.qfrc_actuator[qvel], table.moment_arms @ drives.tension, rtol=1e-9, atol=1e-9
        )
        np.testing.assert_allclose(
            data.ten_length[tendons], -table.moment_arms.T @ data.qpos[qpos], atol=1e-12
        )


def scripted_run(scene, seed, ticks=150):
    plant = Plant(scene, seed=seed)
    for _ in range(ticks):
        for group in GROUPS:
            state = plant.body_state() if group == "body" else plant.hand_state(group[0])
            tension = np.clip(
                state.tendon_tension * 1.02, TABLES[group].pretension, TABLES[group].tension_max
            )
            plant.command(group, TendonCommand(plant.tick, DriveMode.TENSION, tension))
        plant.step()
    return plant


def test_the_same_seed_gives_the_same_trajectory_and_another_does_not(empty):
    first, again, other = scripted_run(empty, 5), scripted_run(empty, 5), scripted_run(empty, 6)
    assert first.state_hash() == again.state_hash()
    np.testing.assert_array_equal(first.body_state().joint_velocity, again.body_state().joint_velocity)
    assert first.state_hash() != other.state_hash()


def test_reset_repeats_the_run(empty):
    plant = scripted_run(empty, 5)
    hash_then = plant.state_hash()
    plant.reset(5)
    assert plant.tick == 0
    assert plant.state_hash() != hash_then
    fresh = Plant(empty, seed=5)
    assert plant.state_hash() == fresh.state_hash()
    np.testing.assert_array_equal(plant.hand_state("l").taxel_force, fresh.hand_state("l").taxel_force)


def test_silence_reaches_hold_within_20_ms_and_refused_commands_count_as_silence(empty):
    plant = Plant(empty)
    for _ in range(10):
        for group in GROUPS:
            assert plant.command(group, asked(plant, group, DriveMode.LIMP)) is None
        plant.step()
    assert {plant.drives[group].mode for group in GROUPS} == {DriveMode.LIMP}
    silent_since = plant.time - 0.002
    while plant.drives["body"].mode != DriveMode.HOLD:
        bad = replace(asked(plant, "body", DriveMode.TENSION), tension=np.full(62, np.nan))
        assert "nan" in plant.command_body(bad)
        plant.step()
    assert plant.time - silent_since <= 0.02 + 1e-9
    assert plant.drives["body"].gate.refused["not_finite"] == 9
    assert plant.hand_state("l").drive_mode == DriveMode.HOLD


def test_runstop_is_reported_and_holds(empty):
    plant = Plant(empty)
    for group in GROUPS:
        plant.command(group, asked(plant, group, DriveMode.LIMP))
    plant.runstop(True)
    plant.step()
    assert plant.body_state().runstop
    assert plant.hand_state("r").runstop
    assert plant.body_state().drive_mode == DriveMode.HOLD
    plant.runstop(False)
    plant.step()
    assert not plant.body_state().runstop
    assert plant.body_state().drive_mode == DriveMode.HOLD


def test_a_standing_robot_measures_gravity_and_its_weight(empty):
    plant = Plant(empty)
    states = []
    for _ in range(300):
        plant.step()
        states.append(plant.body_state())
    states = states[100:]
    weight = np.mean([s.l_sole_wrench[2] + s.r_sole_wrench[2] for s in states])
    assert weight == pytest.approx(30 * 9.81, rel=0.02)
    wrist = np.mean([s.l_wrist_wrench for s in states], axis=0)
    R_world_wrist = plant.privileged.body_pose("l_wrist")[:3, :3]
    assert (R_world_wrist @ wrist[:3])[2] < -2.0  # the hand hangs on the forearm
    specific_force = np.mean([s.pelvis_linear_acceleration for s in states], axis=0)
    np.testing.assert_allclose(specific_force, (0, 0, 9.81), atol=0.15)
    rate = np.std([s.pelvis_angular_velocity for s in states], axis=0)
    assert (rate > 0.001).all()
    assert (rate < 0.01).all()


def test_dead_pads_are_marked_and_unknown_ones_refused(empty):
    plant = Plant(empty, load_parameters(dead_taxels=["r_thumb_distal"]))
    assert plant.hand_state("l").taxel_valid.all()
    assert not plant.hand_state("r").taxel_valid[TAXELS.index("thumb_distal")]
    with pytest.raises(NeoError, match="no pad r_nose"):
        Plant(empty, load_parameters(dead_taxels=["r_nose"]))


def test_objects_stand_still_and_are_known_by_name_to_the_privileged_only():
    scene = scenes.make("kitchen_table", 3)
    plant = Plant(scene)
    names = plant.privileged.object_names
    before = {name: plant.privileged.object_pose(name) for name in names}
    for _ in range(250):
        plant.step()
    for name in names:
        moved = plant.privileged.object_pose(name)[:3, 3] - before[name][:3, 3]
        assert np.linalg.norm(moved) < 0.005, name
    with pytest.raises(NeoError, match="no object"):
        plant.privileged.object_pose("unicorn")
