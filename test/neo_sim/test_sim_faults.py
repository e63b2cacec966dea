"""What breaks in the plant: named faults, when they strike, and what drives and sensors then do."""

import numpy as np
import pytest

from neo_description import scenes
from neo_description.errors import NeoError
from neo_description.tables import BODY, HAND, TAXELS
from neo_sim import faults
from neo_sim.plant import Plant, load_parameters


@pytest.fixture(scope="module")
def plant():
    return Plant(scenes.make("empty", 0))


def test_a_fault_is_read_from_its_name():
    assert faults.parse("hot:l_knee_pitch_minus=0.1@2.5") == faults.Fault(
        "hot", "l_knee_pitch_minus", 0.1, 2.5
    )
    assert faults.parse("offset:r_elbow_pitch").size == faults.KINDS["offset"].size


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("l_knee_pitch_minus", "kind:part"),
        ("bent:l_knee_pitch_minus", "one of cut"),
        ("cut:l_knee_pitch", "no tendon"),
        ("cut:l_knee_pitch_minus@soon", "kind:part"),
        ("hot:l_knee_pitch_minus=nan", "is allowed"),
        ("hot:l_knee_pitch_minus=2", "is allowed"),
        ("jam:l_knee_pitch_minus@-1", "0 or later"),
    ],
)
def test_what_is_no_fault_is_refused(text, said):
    with pytest.raises(NeoError, match=said):
        faults.parse(text)


def run(plant, ticks):
    for _ in range(ticks):
        plant.step()


def test_a_cut_tendon_carries_nothing_and_its_reel_runs(plant):
    plant.reset(0)
    i = BODY.tendons.index("l_knee_pitch_minus")
    plant.fault("cut", "l_knee_pitch_minus", at=0.02)
    run(plant, 10)
    before = plant.body_state()
    assert before.tendon_tension[i] > 20.0
    run(plant, 10)
    after = plant.body_state()
    assert abs(after.tendon_tension[i]) < 3.0
    wound = before.tendon_length[i] - after.tendon_length[i]
    assert wound > 0.0005
    assert plant.data.actuator_force[plant.index.body_actuators[i]] == 0.0


def test_a_slack_tendon_pulls_again_once_it_is_wound_in(plant):
    plant.reset(0)
    i = BODY.tendons.index("l_knee_pitch_minus")
    plant.fault("slack", "l_knee_pitch_minus", 0.001)
    run(plant, 2)
    assert plant.drives["body"].tension[i] == 0.0
    run(plant, 60)
    assert plant.drives["body"].tension[i] > 20.0


def test_a_jammed_reel_stands_still(plant):
    plant.reset(0)
    i = BODY.tendons.index("torso_pitch_plus")
    plant.fault("jam", "torso_pitch_plus")
    plant.push("torso", np.array([80.0, 0.0, 0.0]), 0.1)
    run(plant, 2)
    first = plant.body_state().tendon_length
    run(plant, 40)
    moved = plant.body_state().tendon_length - first
    assert abs(moved[i]) < 2e-5
    assert abs(moved[i + 1]) > 5e-5


def test_sensors_freeze_shift_and_fall_silent(plant):
    plant.reset(0)
    q = plant.body_state().joint_position
    stuck, shifted, lost = (BODY.index(name) for name in ("l_elbow_pitch", "r_elbow_pitch", "neck_yaw"))
    plant.fault("stuck", "l_elbow_pitch")
    plant.fault("offset", "r_elbow_pitch", 0.1)
    plant.fault("lost", "neck_yaw")
    plant.fault("frozen", "pelvis")
    run(plant, 1)
    first = plant.body_state()
    run(plant, 5)
    then = plant.body_state()
    assert then.joint_position[stuck] == first.joint_position[stuck]
    assert then.joint_position[shifted] == pytest.approx(q[shifted] + 0.1, abs=0.01)
    assert np.isnan(then.joint_position[lost])
    assert np.isfinite(np.delete(then.joint_position, lost)).all()
    np.testing.assert_array_equal(then.pelvis_angular_velocity, first.pelvis_angular_velocity)
    assert (then.head_angular_velocity != first.head_angular_velocity).any()


def test_pads_and_fingers_break_by_their_names_and_a_reset_mends_all(plant):
    plant.reset(0)
    plant.fault("dead", "l_index_distal")
    plant.fault("mute", "r_thumb_distal")
    plant.fault("lost", "r_index_pip_flex")
    run(plant, 1)
    assert not plant.hand_state("l").taxel_valid[TAXELS.index("index_distal")]
    assert plant.hand_state("r").taxel_valid.all()
    assert not plant.hand_state("r").taxel_force[TAXELS.index("thumb_distal")].any()
    assert np.isnan(plant.hand_state("r").joint_position[HAND.index("index_pip_flex")])
    plant.reset(0)
    run(plant, 1)
    assert plant.hand_state("l").taxel_valid.all()
    assert np.isfinite(plant.hand_state("r").joint_position).all()


def test_faults_come_with_the_parameters_and_change_nothing_before_they_strike():
    told = Plant(scenes.make("empty", 0), load_parameters(faults=["cut:neck_yaw_plus@0.02"]), 0)
    calm = Plant(scenes.make("empty", 0), seed=0)
    run(told, 10), run(calm, 10)
    assert told.state_hash() == calm.state_hash()
    run(told, 2), run(calm, 2)
    assert told.state_hash() != calm.state_hash()
