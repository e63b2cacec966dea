"""Every signal survives the journey through its message, serialised as on the wire."""

import dataclasses
from enum import IntEnum

import numpy as np
import pytest
from geometry_msgs.msg import Pose
from neo_msgs import msg
from rclpy.serialization import deserialize_message, serialize_message
from transforms3d.euler import euler2mat

from neo_description import signals
from neo_description.errors import RefusedError
from neo_description.signals import (
    Belief,
    BodyEstimate,
    BodyState,
    CameraModel,
    Consequence,
    Consequences,
    DetectedObject,
    DriveMode,
    Foretold,
    GraspPhase,
    GraspStatus,
    HandAction,
    HandCommand,
    HandState,
    Safety,
    Scene,
    StereoFrame,
    Table,
    TendonCommand,
    WholeBodyCommand,
)
from neo_ros import convert

RNG = np.random.default_rng(7)


def wire(message):
    return deserialize_message(serialize_message(message), type(message))


def pose():
    T = np.eye(4)
    T[:3, :3] = euler2mat(*RNG.uniform(-1.5, 1.5, 3))
    T[:3, 3] = RNG.normal(size=3)
    return T


def filled(state):
    """``state`` with random arrays of the same shape."""
    for field in dataclasses.fields(state):
        value = getattr(state, field.name)
        if isinstance(value, np.ndarray) and value.dtype != bool:
            setattr(state, field.name, RNG.normal(size=value.shape))
    return state


def assert_same(a, b):
    assert type(a) is type(b)
    if dataclasses.is_dataclass(a):
        for field in dataclasses.fields(a):
            assert_same(getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    elif isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b


def thing(number):
    return DetectedObject(
        number, "bottle", "red", pose(), np.diag(RNG.uniform(size=6)), RNG.uniform(size=3), 0.9, 0.5, 1.25
    )


def follows():
    return Consequences(
        3.5, 0.8, [Consequence("falls", 0.9, 0.3, True), Consequence("hidden", 0.2, np.inf, False)]
    )


VALID = np.array([True] * 18 + [False])
JOURNEYS = [
    (
        filled(BodyState(tick=2**40, time=12.002, drive_mode=DriveMode.CROUCH, runstop=True)),
        convert.body_state_message,
        convert.body_state,
    ),
    (
        filled(HandState(tick=7, time=0.014, taxel_valid=VALID, drive_mode=DriveMode.TENSION)),
        lambda state: convert.hand_state_message(state, "r"),
        convert.hand_state,
    ),
    (
        TendonCommand(9, DriveMode.TENSION, RNG.uniform(0, 90, 62)),
        lambda command: convert.tendon_command_message(command, 0.018),
        convert.tendon_command,
    ),
    (
        TendonCommand(9, DriveMode.HOLD, np.zeros(44)),
        lambda command: convert.tendon_command_message(command, 0.018),
        convert.tendon_command,
    ),
    (WholeBodyCommand(0.5, 1.0), convert.whole_body_command_message, convert.whole_body_command),
    (
        WholeBodyCommand(
            0.5,
            1.0,
            "base_link",
            pose(),
            pose(),
            0.3,
            (),
            np.array([1.0, 2, 3]),
            0.8,
            np.array([0.1, 0.2, 0.3]),
        ),
        convert.whole_body_command_message,
        convert.whole_body_command,
    ),
    (
        WholeBodyCommand(0.5, 1.0, T_l_hand=pose(), release=("r",)),
        convert.whole_body_command_message,
        convert.whole_body_command,
    ),
    (
        HandCommand(HandAction.CLOSE, "power", 0.06, 12.5, None, 3.0, 0.25, grip_limit=20.0),
        convert.hand_command_message,
        convert.hand_command,
    ),
    (
        HandCommand(
            HandAction.JOINTS,
            joint_position=RNG.uniform(size=22),
            joint_effort=RNG.uniform(size=22),
            compliance=RNG.uniform(size=22),
        ),
        convert.hand_command_message,
        convert.hand_command,
    ),
    (
        GraspStatus(8, GraspPhase.HOLDING, "power", 14.0, 3.0, 15.0, 0.4, 9),
        lambda status: convert.grasp_status_message(status, 0.016),
        convert.grasp_status,
    ),
    (thing(3), convert.detected_object_message, convert.detected_object),
    (
        Scene(2.5, [thing(1), thing(2)], Table(pose(), np.array([1.2, 0.8, 0.0]))),
        convert.scene_message,
        convert.scene,
    ),
    (Scene(2.5), convert.scene_message, convert.scene),
    (
        CameraModel(640, 480, *(RNG.uniform(size=shape) for shape in ((3, 3), 5, (3, 3), (3, 4)))),
        lambda camera: convert.camera_info_message(camera, "head_left_camera_optical_frame", 1.0),
        convert.camera_model,
    ),
    (follows(), convert.consequences_message, convert.consequences),
    (Belief("place", RNG.normal(size=3), 0.02, False, 0.7), convert.belief_message, convert.belief),
    (
        Foretold(follows(), True, "the cup would fall", [Belief("target", np.ones(3), 0.01, True, 1.0)]),
        convert.foretold_response,
        convert.foretold,
    ),
]


@pytest.mark.parametrize(("signal", "write", "read"), JOURNEYS, ids=lambda x: type(x).__name__)
def test_a_signal_comes_back_as_it_went(signal, write, read):
    assert_same(read(wire(write(signal))), signal)


def test_no_signal_is_forgotten():
    """A signal added to signals.py without a converter fails here."""
    written = {type(signal) for signal, _, _ in JOURNEYS} | {Table, Consequence}
    every = {
        kind for kind in vars(signals).values() if isinstance(kind, type) and dataclasses.is_dataclass(kind)
    }
    # an estimate goes out as odometry, poses and safety; a stereo pair as images and calibrations
    assert every - written == {BodyEstimate, StereoFrame}


def test_enumerations_have_the_numbers_of_the_messages():
    def constants(kind, prefix=""):
        return {item.name: getattr(kind, prefix + item.name) for item in ENUMS[kind]}

    ENUMS: dict[type, type[IntEnum]] = {
        msg.TendonCommand: DriveMode,
        msg.SafetyState: Safety,
        msg.HandCommand: HandAction,
        msg.GraspStatus: GraspPhase,
    }
    assert constants(msg.TendonCommand, "MODE_") == {item.name: item.value for item in DriveMode}
    for kind, enum in list(ENUMS.items())[1:]:
        assert constants(kind) == {item.name: item.value for item in enum}


def test_the_estimate_goes_out_as_odometry_with_the_twist_in_base_link():
    T = pose()
    velocity = RNG.normal(size=6)
    estimate = BodyEstimate(5, 0.01, T, velocity, T, T, T, Safety.ACTIVE)
    message = wire(convert.odometry_message(estimate))
    assert (message.header.frame_id, message.child_frame_id) == ("odom", "base_link")
    np.testing.assert_allclose(convert.pose(message.pose.pose), T, atol=1e-12)
    np.testing.assert_allclose(T[:3, :3] @ convert.xyz(message.twist.twist.linear), velocity[:3], atol=1e-12)
    np.testing.assert_allclose(T[:3, :3] @ convert.xyz(message.twist.twist.angular), velocity[3:], atol=1e-12)


def test_a_transform_names_parent_and_child():
    T = pose()
    message = wire(convert.transform_message(T, "odom", "base_link", 0.5))
    assert (message.header.frame_id, message.child_frame_id) == ("odom", "base_link")
    np.testing.assert_allclose(convert.transform(message.transform), T, atol=1e-12)


def test_plant_time_survives_exactly():
    """One float off and a lock-step run differs from NeoEnv, which has no messages."""
    for tick in range(0, 2_000_000, 997):
        assert convert.seconds(convert.to_time(tick / 500)) == tick / 500


def test_a_command_without_a_start_begins_when_it_is_sent():
    assert convert.stamp(convert.hand_command_message(HandCommand(HandAction.OPEN), 4.0)) == 4.0
    assert convert.stamp(convert.hand_command_message(HandCommand(HandAction.OPEN, start=5.0), 4.0)) == 5.0
    assert convert.stamp(convert.hand_command_message(HandCommand(HandAction.OPEN))) == 0.0


@pytest.mark.parametrize("wxyz", [(0, 0, 0, 0), (np.nan, 0, 0, 1), (2, 0, 0, 0), (np.inf, 0, 0, 0)])
def test_an_orientation_that_is_no_rotation_is_refused(wxyz):
    """transforms3d would make the identity of zeros."""
    message = msg.WholeBodyCommand(use=msg.WholeBodyCommand.USE_R_HAND)
    o = message.r_hand.orientation
    o.w, o.x, o.y, o.z = map(float, wxyz)
    with pytest.raises(RefusedError, match=r"r_hand: orientation .* is no unit quaternion"):
        convert.whole_body_command(message)


def test_a_pose_that_is_not_used_may_be_empty():
    message = msg.WholeBodyCommand()
    message.r_hand = Pose()
    message.r_hand.orientation.w = 0.0
    assert convert.whole_body_command(message).T_r_hand is None


@pytest.mark.parametrize(
    ("read", "message", "said"),
    [
        (convert.hand_command, msg.HandCommand(action=9), "action 9; one of OPEN"),
        (convert.tendon_command, msg.TendonCommand(mode=200), "mode 200; one of TENSION"),
        (convert.grasp_status, msg.GraspStatus(phase=77), "phase 77; one of IDLE"),
    ],
)
def test_an_unknown_number_is_refused_with_the_known_ones(read, message, said):
    with pytest.raises(RefusedError, match=said):
        read(message)


def test_nan_in_values_is_handed_on_to_the_core_that_judges_it():
    message = convert.tendon_command_message(TendonCommand(1, DriveMode.TENSION, np.full(62, np.nan)), 0.0)
    assert np.isnan(convert.tendon_command(wire(message)).tension).all()


def test_a_time_that_is_no_number_is_refused():
    with pytest.raises(RefusedError, match="nan s is no time"):
        convert.to_time(float("nan"))


def test_a_press_that_no_message_can_carry_is_refused_and_not_dropped():
    command = WholeBodyCommand(0.5, T_l_hand=pose(), l_hand_press=np.array([0.0, -20.0, 0.0]))
    with pytest.raises(RefusedError, match="press"):
        convert.whole_body_command_message(command)
