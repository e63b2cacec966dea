"""What flows between the rooms, as plain numpy: the twins of ``neo_msgs`` without ROS.

Core modules speak these; ``neo_ros.convert`` turns them into messages and back. Arrays are in the
order of :mod:`neo_description.tables`; SI units; homogeneous transforms ``T_a_b`` (4, 4) take
coordinates in ``b`` to ``a``. Times are plant time in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np

from neo_description.tables import BODY, HAND, TAXELS


class DriveMode(IntEnum):
    """What a drive group does; the numbers of ``TendonCommand.MODE_*``."""

    TENSION = 0
    HOLD = 1
    CROUCH = 2
    LIMP = 3


class Safety(IntEnum):
    """The numbers of ``SafetyState``."""

    STOP = 0
    STANDING_UP = 1
    ACTIVE = 2
    FALLING = 3


class HandAction(IntEnum):
    """The numbers of ``HandCommand``."""

    OPEN = 0
    PRESHAPE = 1
    CLOSE = 2
    JOINTS = 3
    GIVE = 4


class GraspPhase(IntEnum):
    """The numbers of ``GraspStatus``."""

    IDLE = 0
    PRESHAPED = 1
    CLOSING = 2
    HOLDING = 3
    RELEASING = 4
    LOST = 5


def _zeros(n: int) -> Any:
    return field(default_factory=lambda: np.zeros(n))


@dataclass(slots=True)
class BodyState:
    """Measurement of the body at one control tick; fields as in ``neo_msgs/BodyState``."""

    tick: int = 0
    time: float = 0.0
    joint_position: np.ndarray = _zeros(len(BODY.joints))
    joint_velocity: np.ndarray = _zeros(len(BODY.joints))
    tendon_length: np.ndarray = _zeros(len(BODY.tendons))
    tendon_velocity: np.ndarray = _zeros(len(BODY.tendons))
    tendon_tension: np.ndarray = _zeros(len(BODY.tendons))
    pelvis_angular_velocity: np.ndarray = _zeros(3)
    pelvis_linear_acceleration: np.ndarray = _zeros(3)
    head_angular_velocity: np.ndarray = _zeros(3)
    head_linear_acceleration: np.ndarray = _zeros(3)
    l_sole_wrench: np.ndarray = _zeros(6)
    r_sole_wrench: np.ndarray = _zeros(6)
    l_wrist_wrench: np.ndarray = _zeros(6)
    r_wrist_wrench: np.ndarray = _zeros(6)
    drive_mode: DriveMode = DriveMode.HOLD
    runstop: bool = False


@dataclass(slots=True)
class HandState:
    """Measurement of one hand at one control tick; fields as in ``neo_msgs/HandState``.

    ``taxel_force`` is (19, 3): normal, shear x, shear y in the pad's frame (N).
    """

    tick: int = 0
    time: float = 0.0
    joint_position: np.ndarray = _zeros(len(HAND.joints))
    joint_velocity: np.ndarray = _zeros(len(HAND.joints))
    tendon_length: np.ndarray = _zeros(len(HAND.tendons))
    tendon_velocity: np.ndarray = _zeros(len(HAND.tendons))
    tendon_tension: np.ndarray = _zeros(len(HAND.tendons))
    taxel_force: np.ndarray = field(default_factory=lambda: np.zeros((len(TAXELS), 3)))
    taxel_valid: np.ndarray = field(default_factory=lambda: np.ones(len(TAXELS), bool))
    drive_mode: DriveMode = DriveMode.HOLD
    runstop: bool = False


@dataclass(slots=True)
class TendonCommand:
    """The answer to the state of ``tick``; ``tension`` (62 or 44,) N counts in mode TENSION only."""

    tick: int
    mode: DriveMode
    tension: np.ndarray


@dataclass(slots=True)
class WholeBodyCommand:
    """Targets for the body; ``None`` keeps the last target. ``frame`` is ``odom`` or ``base_link``.

    ``start`` is plant time (0: now), ``valid_for`` seconds. ``T_l_hand``/``T_r_hand`` (4, 4): pose of
    ``l_gripper``/``r_gripper``. ``hand_speed`` m/s bounds the approach (0: default). ``gaze`` (3,) m.
    ``base_height`` m above the soles. ``base_velocity`` (3,): forward, left (m/s), turn (rad/s).
    ``l_hand_press``/``r_hand_press`` (3,) N: what a hand presses with on purpose on what is in its way; part
    of the hand's target, so a target without one presses with nothing.
    """

    valid_for: float
    start: float = 0.0
    frame: str = "odom"
    T_l_hand: np.ndarray | None = None
    T_r_hand: np.ndarray | None = None
    hand_speed: float = 0.0
    release: tuple[str, ...] = ()
    gaze: np.ndarray | None = None
    base_height: float | None = None
    base_velocity: np.ndarray | None = None
    l_hand_press: np.ndarray | None = None
    r_hand_press: np.ndarray | None = None


@dataclass(slots=True)
class HandCommand:
    """What one hand shall do; fields as in ``neo_msgs/HandCommand``.

    For JOINTS: ``joint_position`` (22,) rad; ``joint_effort`` (22,) N m added to what holds the positions;
    ``compliance`` (22,) in 0..1: share by which the positions give way, 1: effort alone.
    """

    action: HandAction
    grasp: str = ""
    width: float = 0.0
    grip_force: float = 0.0
    joint_position: np.ndarray | None = None
    start: float = 0.0
    valid_for: float = 0.0
    joint_effort: np.ndarray | None = None
    compliance: np.ndarray | None = None
    grip_limit: float = 0.0


@dataclass(slots=True)
class GraspStatus:
    """What a hand feels; fields as in ``neo_msgs/GraspStatus``."""

    tick: int = 0
    phase: GraspPhase = GraspPhase.IDLE
    grasp: str = ""
    normal_force: float = 0.0
    shear_force: float = 0.0
    grip_target: float = 0.0
    slip: float = 0.0
    contacts: int = 0


@dataclass(slots=True)
class BodyEstimate:
    """What the body believes about itself: estimated, never read from the simulator.

    ``odom`` starts at ``base_footprint`` when the robot first stands. ``T_odom_base`` (4, 4),
    ``base_velocity`` (6,) linear and angular in odom, ``T_odom`` poses of the frames a planner needs.
    """

    tick: int
    time: float
    T_odom_base: np.ndarray
    base_velocity: np.ndarray
    T_odom_l_gripper: np.ndarray
    T_odom_r_gripper: np.ndarray
    T_odom_head_camera: np.ndarray
    safety: Safety
    reason: str = ""

    def gripper(self, side: str) -> np.ndarray:
        """Pose (4, 4) in odom of the gripper ``l`` or ``r``."""
        return self.T_odom_l_gripper if side == "l" else self.T_odom_r_gripper


@dataclass(slots=True)
class DetectedObject:
    """One object in ``base_link``; fields as in ``neo_msgs/DetectedObject``."""

    id: int
    class_name: str
    color: str
    T_base_object: np.ndarray
    covariance: np.ndarray
    size: np.ndarray
    confidence: float
    visible_fraction: float
    last_seen: float


@dataclass(slots=True)
class Table:
    """The table top as seen: centre pose in ``base_link`` and extent (m)."""

    T_base_table: np.ndarray
    size: np.ndarray


@dataclass(slots=True)
class Scene:
    """What perception made of one stereo pair taken at plant time ``time``."""

    time: float
    objects: list[DetectedObject] = field(default_factory=list)
    table: Table | None = None


@dataclass(slots=True)
class CameraModel:
    """Pinhole calibration of one camera of a pair; fields as in ``sensor_msgs/CameraInfo``.

    ``K`` (3, 3) px of the raw image, ``D`` (n,) plumb_bob distortion, ``R`` (3, 3) rectification,
    ``P`` (3, 4) px of the rectified image: ``P[0, 3] = -P[0, 0] * baseline`` for the right camera.
    """

    width: int
    height: int
    K: np.ndarray
    D: np.ndarray
    R: np.ndarray
    P: np.ndarray


@dataclass(slots=True)
class StereoFrame:
    """A stereo pair of the head camera, taken at plant time ``time`` (of control tick ``tick``).

    ``left``, ``right`` (H, W, 3) uint8 RGB as the sensor gave them. ``depth`` (H, W) float32 m along the
    left camera's z axis, where the backend has it (0: unknown); perception does not need it.
    """

    time: float
    tick: int
    left: np.ndarray
    right: np.ndarray
    left_camera: CameraModel
    right_camera: CameraModel
    depth: np.ndarray | None = None

    @property
    def K(self) -> np.ndarray:
        """(3, 3) px of both rectified images."""
        return self.left_camera.P[:, :3]

    @property
    def baseline(self) -> float:
        """Distance (m) of the right camera from the left one, along +x of the optical frame."""
        return float(-self.right_camera.P[0, 3] / self.right_camera.P[0, 0])


@dataclass(slots=True)
class Consequence:
    """An event within a horizon: its ``chance``, 0..1, at the step where it is likeliest, ``calibrated`` on
    held-out steps or not; ``likely_after`` s it is likelier than not, NaN: never within the horizon.
    """

    name: str
    chance: float
    likely_after: float
    calibrated: bool


@dataclass(slots=True)
class Consequences:
    """What follows within ``horizon`` s of plant time ``time``; fields as in ``neo_msgs/Consequences``."""

    time: float
    horizon: float
    events: list[Consequence] = field(default_factory=list)


@dataclass(slots=True)
class Belief:
    """Where the ``role`` of a prompt, its target or place, is believed to be: ``position`` (3,) m in odom,
    give or take ``std`` m; fields as in ``neo_msgs/Belief``.
    """

    role: str
    position: np.ndarray
    std: float
    in_view: bool
    still_there: float


@dataclass(slots=True)
class Foretold:
    """What a prompt would lead to; ``would``: the event that forbids it, in words, empty where none does."""

    consequences: Consequences
    vetoed: bool = False
    would: str = ""
    beliefs: list[Belief] = field(default_factory=list)
