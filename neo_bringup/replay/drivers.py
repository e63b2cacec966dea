"""What drivers would say of a ``NeoEnv`` at its tick: encoders, odometry, images. Raw, as nodes take them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sensor_msgs.msg import JointState

from neo_description.routing import routing_of
from neo_description.tables import CONTROL_RATE, JOINTS, SIDES
from neo_ros import convert
from neo_ros.convert.fields import stamped
from neo_ros.cv_bridge import CvBridge
from neo_sensors.proprioception import torques
from neo_sim.env import NeoEnv

EYES = ("left", "right")
ENCODERS = CONTROL_RATE // 50  # ticks between two messages, of odometry too


def topics(env: NeoEnv) -> tuple[str, ...]:
    """What :func:`say` tells: nothing of an environment without cameras."""
    if not env.has_cameras:
        return ()
    head = (f"head_camera/{eye}/{what}" for eye in EYES for what in ("camera_info", "image_raw"))
    return ("joint_states", "odom", *head)


def say(env: NeoEnv) -> Iterator[tuple[str, Any]]:
    """Topic and message, at this tick."""
    if not env.has_cameras:
        return
    plant = env.plant
    if env.frame is not None and env.frame.tick == plant.tick:
        yield from _pair(env.frame)
    if plant.tick % ENCODERS == 0:
        body, hands = plant.body_state(), [plant.hand_state(side) for side in SIDES]
        position = [body.joint_position, *(hand.joint_position for hand in hands)]
        velocity = [body.joint_velocity, *(hand.joint_velocity for hand in hands)]
        joints = JointState(name=list(JOINTS))
        joints.position = convert.sequence(np.concatenate(position))
        joints.velocity = convert.sequence(np.concatenate(velocity))
        scale = routing_of(env.scene.routing).scale(np.nan_to_num(body.joint_position))
        effort = torques(body.tendon_tension, [hand.tendon_tension for hand in hands], scale)
        joints.effort = convert.sequence(effort)
        yield "joint_states", stamped(joints, plant.time)
        yield "odom", convert.odometry_message(env.body.estimate)


def _pair(frame: Any) -> Iterator[tuple[str, Any]]:
    for eye in EYES:
        where = f"head_{eye}_camera_optical_frame"
        camera = getattr(frame, f"{eye}_camera")
        yield f"head_camera/{eye}/camera_info", convert.camera_info_message(camera, where, frame.time)
        image = stamped(CvBridge().cv2_to_imgmsg(getattr(frame, eye), "rgb8"), frame.time)
        image.header.frame_id = where
        yield f"head_camera/{eye}/image_raw", image
