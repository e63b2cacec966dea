"""In the mirror the robot is itself: what its joints say and what its kinematics says still agree."""

import numpy as np
import pytest

from neo_description.kinematics import Kinematics
from neo_description.signals import BodyState, HandAction, HandCommand, HandState, WholeBodyCommand
from neo_description.tables import BODY, HAND, SIDES, TAXELS
from neo_world_model.mirror import mirrored, mirrored_prompt
from neo_world_model.modalities import pose9, shapes, unstack
from neo_world_model.stepper import Stepper

FRAMES = ("l_gripper", "r_gripper", "head_left_camera_optical_frame")


@pytest.fixture
def window():
    """Two steps of a robot in a random posture, with all columns that have a side."""
    rng, stepper = np.random.default_rng(0), Stepper()
    rows = []
    for _ in range(2):
        body = BodyState(
            joint_position=rng.uniform(-0.4, 0.4, len(BODY.joints)),
            tendon_tension=rng.uniform(1.0, 50.0, len(BODY.tendons)),
            pelvis_angular_velocity=rng.normal(size=3),
        )
        hands = {
            side: HandState(
                joint_position=rng.uniform(0.0, 1.0, len(HAND.joints)),
                taxel_force=rng.uniform(0.0, 2.0, (len(TAXELS), 3)),
            )
            for side in SIDES
        }
        stepper.feel(hands)
        T = np.eye(4)
        T[:3, 3] = 0.4, 0.2, 0.1
        stepper.asked("body", WholeBodyCommand(valid_for=1.0, T_l_hand=T, gaze=np.array([0.5, 0.2, 0.0])))
        stepper.asked("l_hand", HandCommand(HandAction.PRESHAPE, grasp="medium_wrap", width=0.05))
        (eyes, height, width, _), _ = shapes()["vision"]
        row = stepper.sense(body, hands, rng.integers(0, 255, (eyes, height, width, 3), np.uint8))
        rows.append({**row, "action": stepper.action(np.eye(4))})
    window = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    window["privileged_begun"] = rng.normal(size=(8, 3)).astype(np.float32)
    window["privileged_places"] = rng.normal(size=(2, 8, 3)).astype(np.float32)
    window["privileged_pixels"] = rng.uniform(-1, 1, (2, 8, 2, 2)).astype(np.float32)
    return window


def test_kinematics_agrees_with_what_is_mirrored(window):
    senses = unstack("proprio", mirrored(window)["proprio"])
    kinematics = Kinematics()
    for t in range(2):
        frames = kinematics.frames(senses["body_joint_position"][t], FRAMES)
        for name, feature in zip(FRAMES, ("l_gripper", "r_gripper", "eye"), strict=True):
            np.testing.assert_allclose(senses[feature][t], pose9(frames[name]), atol=1e-5)
        np.testing.assert_allclose(senses["gaze"][t], frames[FRAMES[2]][:3, 2], atol=1e-5)


def test_what_was_asked_of_one_hand_is_asked_of_the_other(window):
    asked = unstack("action", mirrored(window)["action"][-1])
    assert (asked["r_moves"], asked["l_moves"]) == (1.0, 0.0)
    assert (asked["r_closing"], asked["l_closing"]) == (0.5, 0.0)
    np.testing.assert_allclose(asked["r_gripper"][:3], [0.4, -0.2, 0.1], atol=1e-6)
    np.testing.assert_allclose(asked["gaze"], [0.5, -0.2, 0.0], atol=1e-6)


def test_a_tendon_that_pulls_a_joint_one_way_pulls_its_twin_the_mirrored_way(window):
    before, after = (
        unstack("force", w["force"][0])["body_tendon_tension"] for w in (window, mirrored(window))
    )
    torque = {joint: BODY.moment_arms[i] for i, joint in enumerate(BODY.joints)}
    for joint, twin, sign in (("l_elbow_pitch", "r_elbow_pitch", 1.0), ("l_hip_roll", "r_hip_roll", -1.0),
                              ("torso_yaw", "torso_yaw", -1.0)):  # fmt: skip
        assert torque[twin] @ after == pytest.approx(sign * (torque[joint] @ before), rel=1e-4)


def test_twice_is_as_before(window):
    twice = mirrored(mirrored(window))
    for name, values in window.items():
        np.testing.assert_allclose(twice[name], values, atol=1e-5, err_msg=name)


def test_left_is_right_in_words():
    assert mirrored_prompt("put the cup to the Left of the leftover box") == (
        "put the cup to the right of the leftover box"
    )
