"""What drives, hands and body report: measurements, grasp status, safety, odometry."""

from __future__ import annotations

from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped, WrenchStamped
from nav_msgs.msg import Odometry
from neo_msgs import msg

from neo_description.signals import (
    BodyEstimate,
    BodyState,
    DriveMode,
    GraspPhase,
    GraspStatus,
    HandState,
    Safety,
)
from neo_description.tables import TAXELS
from neo_ros.convert.fields import number, stamp, stamped
from neo_ros.convert.geometry import pose_message, quaternion_message, vector_message

_BODY_ARRAYS = (
    "joint_position",
    "joint_velocity",
    "tendon_length",
    "tendon_velocity",
    "tendon_tension",
    "pelvis_angular_velocity",
    "pelvis_linear_acceleration",
    "head_angular_velocity",
    "head_linear_acceleration",
    "l_sole_wrench",
    "r_sole_wrench",
    "l_wrist_wrench",
    "r_wrist_wrench",
)
_HAND_ARRAYS = ("joint_position", "joint_velocity", "tendon_length", "tendon_velocity", "tendon_tension")


def body_state(message: msg.BodyState) -> BodyState:
    """The signal of a ``body/state`` message."""
    arrays: dict[str, Any] = {name: getattr(message, name) for name in _BODY_ARRAYS}
    return BodyState(
        tick=message.tick,
        time=stamp(message),
        **arrays,
        drive_mode=number(DriveMode, message.drive_mode, "drive_mode"),
        runstop=message.runstop,
    )


def body_state_message(state: BodyState) -> msg.BodyState:
    """The ``body/state`` message of a signal."""
    message = stamped(msg.BodyState(tick=state.tick), state.time)
    message.header.frame_id = "base_link"
    for name in _BODY_ARRAYS:
        setattr(message, name, getattr(state, name))
    message.drive_mode = int(state.drive_mode)
    message.runstop = bool(state.runstop)
    return message


def hand_state(message: msg.HandState) -> HandState:
    """The signal of a ``{l,r}_hand/state`` message."""
    arrays: dict[str, Any] = {name: getattr(message, name) for name in _HAND_ARRAYS}
    return HandState(
        tick=message.tick,
        time=stamp(message),
        **arrays,
        taxel_force=message.taxel_force.reshape(len(TAXELS), 3),
        taxel_valid=message.taxel_valid.astype(bool),
        drive_mode=number(DriveMode, message.drive_mode, "drive_mode"),
        runstop=message.runstop,
    )


def hand_state_message(state: HandState, side: str) -> msg.HandState:
    """The ``{side}_hand/state`` message of a signal."""
    message = stamped(msg.HandState(tick=state.tick), state.time)
    message.header.frame_id = f"{side}_wrist"
    for name in _HAND_ARRAYS:
        setattr(message, name, getattr(state, name))
    message.taxel_force = np.ascontiguousarray(state.taxel_force, float).ravel()
    message.taxel_valid = state.taxel_valid.astype(np.uint8)
    message.drive_mode = int(state.drive_mode)
    message.runstop = bool(state.runstop)
    return message


def grasp_status(message: msg.GraspStatus) -> GraspStatus:
    """The signal of a ``{l,r}_hand/status`` message."""
    return GraspStatus(
        tick=message.tick,
        phase=number(GraspPhase, message.phase, "phase"),
        grasp=message.grasp,
        normal_force=message.normal_force,
        shear_force=message.shear_force,
        grip_target=message.grip_target,
        slip=message.slip,
        contacts=message.contacts,
    )


def grasp_status_message(status: GraspStatus, time: Time | float) -> msg.GraspStatus:
    """The ``{l,r}_hand/status`` message."""
    message = msg.GraspStatus(
        tick=status.tick,
        phase=int(status.phase),
        grasp=status.grasp,
        normal_force=float(status.normal_force),
        shear_force=float(status.shear_force),
        grip_target=float(status.grip_target),
        slip=float(status.slip),
        contacts=int(status.contacts),
    )
    return stamped(message, time)


def safety_state_message(
    safety: Safety, reason: str, drive_mode: DriveMode, runstop: bool, time: Time | float
) -> msg.SafetyState:
    """The latched ``safety/state`` message."""
    message = msg.SafetyState(
        state=int(safety), reason=reason, body_drive_mode=int(drive_mode), runstop=bool(runstop)
    )
    return stamped(message, time)


def odometry_message(estimate: BodyEstimate) -> Odometry:
    """``odom``: pose of ``base_link`` in ``odom``; the twist in ``base_link``, as the message asks."""
    message = stamped(Odometry(child_frame_id="base_link"), estimate.time)
    message.header.frame_id = "odom"
    message.pose.pose = pose_message(estimate.T_odom_base)
    R_odom_base = estimate.T_odom_base[:3, :3]
    message.twist.twist.linear = vector_message(R_odom_base.T @ estimate.base_velocity[:3])
    message.twist.twist.angular = vector_message(R_odom_base.T @ estimate.base_velocity[3:])
    return message


def transform_message(
    T_parent_child: np.ndarray, parent: str, child: str, time: Time | float
) -> TransformStamped:
    """One row of ``/tf``."""
    message = stamped(TransformStamped(child_frame_id=child), time)
    message.header.frame_id = parent
    message.transform.translation = vector_message(T_parent_child[:3, 3])
    message.transform.rotation = quaternion_message(T_parent_child[:3, :3])
    return message


def wrench_message(values: np.ndarray, frame: str, time: Time | float) -> WrenchStamped:
    """Force (N) and moment (N m), ``values`` (6,), at the origin and in the axes of ``frame``."""
    message = stamped(WrenchStamped(), time)
    message.header.frame_id = frame
    message.wrench.force = vector_message(values[:3])
    message.wrench.torque = vector_message(values[3:])
    return message
