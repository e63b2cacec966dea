"""``neo_msgs`` ↔ :mod:`neo_description.signals`: ``x(message)`` reads, ``x_message(signal)`` writes.

Fixed-size arrays are handed over without a copy. A message that cannot be read (an unknown number for a
mode, an orientation that is no rotation) raises RefusedError; values and lengths are judged by the cores.
"""

from neo_ros.convert.cameras import camera_info_message, camera_model
from neo_ros.convert.commands import (
    hand_command,
    hand_command_message,
    tendon_command,
    tendon_command_message,
    whole_body_command,
    whole_body_command_message,
)
from neo_ros.convert.fields import number, seconds, sequence, stamp, to_duration, to_time
from neo_ros.convert.foretold import (
    belief,
    belief_message,
    consequences,
    consequences_message,
    foretold,
    foretold_response,
)
from neo_ros.convert.geometry import (
    point_message,
    pose,
    pose_message,
    quaternion_message,
    rotation,
    transform,
    vector_message,
    xyz,
)
from neo_ros.convert.seen import detected_object, detected_object_message, scene, scene_message
from neo_ros.convert.states import (
    body_state,
    body_state_message,
    grasp_status,
    grasp_status_message,
    hand_state,
    hand_state_message,
    odometry_message,
    safety_state_message,
    transform_message,
    wrench_message,
)

__all__ = [
    "belief",
    "belief_message",
    "body_state",
    "body_state_message",
    "camera_info_message",
    "camera_model",
    "consequences",
    "consequences_message",
    "detected_object",
    "detected_object_message",
    "foretold",
    "foretold_response",
    "grasp_status",
    "grasp_status_message",
    "hand_command",
    "hand_command_message",
    "hand_state",
    "hand_state_message",
    "number",
    "odometry_message",
    "point_message",
    "pose",
    "pose_message",
    "quaternion_message",
    "rotation",
    "safety_state_message",
    "scene",
    "scene_message",
    "seconds",
    "sequence",
    "stamp",
    "tendon_command",
    "tendon_command_message",
    "to_duration",
    "to_time",
    "transform",
    "transform_message",
    "vector_message",
    "whole_body_command",
    "whole_body_command_message",
    "wrench_message",
    "xyz",
]
