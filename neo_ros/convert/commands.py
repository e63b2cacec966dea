"""What is asked of tendons, body and hands."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Time
from neo_msgs import msg

from neo_description.errors import RefusedError
from neo_description.signals import DriveMode, HandAction, HandCommand, TendonCommand, WholeBodyCommand
from neo_ros.convert.fields import number, seconds, sequence, stamp, stamped, start_stamp, to_duration
from neo_ros.convert.geometry import point_message, pose, pose_message, xyz


def tendon_command(message: msg.TendonCommand) -> TendonCommand:
    """The signal of a ``…/tendon_command`` message."""
    mode = number(DriveMode, message.mode, "mode")
    return TendonCommand(message.tick, mode, np.array(message.tension, float))


def tendon_command_message(command: TendonCommand, time: Time | float) -> msg.TendonCommand:
    """The ``…/tendon_command`` message; ``time`` is that of the state answered."""
    message = stamped(msg.TendonCommand(tick=command.tick, mode=int(command.mode)), time)
    message.tension = sequence(command.tension)
    return message


def whole_body_command(message: msg.WholeBodyCommand) -> WholeBodyCommand:
    """The signal of a ``whole_body/command`` message; RefusedError when a used pose is no rotation."""
    use = message.use
    speeds = [
        limit.linear.x
        for bit, limit in ((msg.WholeBodyCommand.USE_L_HAND, message.l_hand_limit),
                           (msg.WholeBodyCommand.USE_R_HAND, message.r_hand_limit))
        if use & bit and limit.linear.x
    ]  # fmt: skip
    velocity = message.base_velocity
    return WholeBodyCommand(
        valid_for=seconds(message.valid_for),
        start=stamp(message),
        frame=message.header.frame_id,
        T_l_hand=pose(message.l_hand, "l_hand") if use & message.USE_L_HAND else None,
        T_r_hand=pose(message.r_hand, "r_hand") if use & message.USE_R_HAND else None,
        hand_speed=min(speeds, default=0.0),
        release=tuple(
            side for side, bit in (("l", message.RELEASE_L_HAND), ("r", message.RELEASE_R_HAND)) if use & bit
        ),
        gaze=xyz(message.gaze) if use & message.USE_GAZE else None,
        base_height=message.base_height if use & message.USE_BASE_HEIGHT else None,
        base_velocity=np.array([velocity.linear.x, velocity.linear.y, velocity.angular.z])
        if use & message.USE_BASE_VELOCITY
        else None,
    )


def whole_body_command_message(
    command: WholeBodyCommand, time: Time | float | None = None
) -> msg.WholeBodyCommand:
    """The ``whole_body/command`` message; a command without a start begins at ``time`` (None: on arrival)."""
    if command.l_hand_press is not None or command.r_hand_press is not None:
        raise RefusedError("a hand's press does not go over ROS: WholeBodyCommand.msg has no field for it")
    message = msg.WholeBodyCommand(valid_for=to_duration(command.valid_for))
    stamped(message, start_stamp(command.start, time))
    message.header.frame_id = command.frame
    use = 0
    if command.T_l_hand is not None:
        use |= message.USE_L_HAND
        message.l_hand = pose_message(command.T_l_hand)
        message.l_hand_limit.linear.x = float(command.hand_speed)
    if command.T_r_hand is not None:
        use |= message.USE_R_HAND
        message.r_hand = pose_message(command.T_r_hand)
        message.r_hand_limit.linear.x = float(command.hand_speed)
    use |= message.RELEASE_L_HAND if "l" in command.release else 0
    use |= message.RELEASE_R_HAND if "r" in command.release else 0
    if command.gaze is not None:
        use |= message.USE_GAZE
        message.gaze = point_message(command.gaze)
    if command.base_height is not None:
        use |= message.USE_BASE_HEIGHT
        message.base_height = float(command.base_height)
    if command.base_velocity is not None:
        use |= message.USE_BASE_VELOCITY
        forward, left, turn = map(float, command.base_velocity)
        message.base_velocity.linear.x, message.base_velocity.linear.y = forward, left
        message.base_velocity.angular.z = turn
    message.use = use
    return message


def hand_command(message: msg.HandCommand) -> HandCommand:
    """The signal of a ``{l,r}_hand/command`` message."""
    action = number(HandAction, message.action, "action")
    joints = action == HandAction.JOINTS
    return HandCommand(
        action=action,
        grasp=message.grasp,
        width=message.width,
        grip_force=message.grip_force,
        grip_limit=message.grip_limit,
        joint_position=message.joint_position if joints else None,
        start=stamp(message),
        valid_for=seconds(message.valid_for),
        joint_effort=message.joint_effort if joints else None,
        compliance=message.compliance if joints else None,
    )


def hand_command_message(command: HandCommand, time: Time | float | None = None) -> msg.HandCommand:
    """The ``{l,r}_hand/command`` message; a command without a start begins at ``time`` (None: on arrival)."""
    message = msg.HandCommand(
        action=int(command.action),
        grasp=command.grasp,
        width=float(command.width),
        grip_force=float(command.grip_force),
        grip_limit=float(command.grip_limit),
        valid_for=to_duration(command.valid_for),
    )
    for name in ("joint_position", "joint_effort", "compliance"):
        value = getattr(command, name)
        if value is not None:
            setattr(message, name, np.asarray(value, float))
    return stamped(message, start_stamp(command.start, time))
