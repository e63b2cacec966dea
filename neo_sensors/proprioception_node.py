"""Node ``proprioception``: the standard topics of joints, IMUs, force sensors, and the robot's frames.

Driven by ``body/state``: the raw message's stamp alone tells whether anything is due, so most of the 500
messages a second are never unpacked.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from neo_msgs.msg import BodyState, HandState
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from neo_description.routing import routing_of
from neo_description.tables import CONTROL_RATE, JOINTS, SIDES
from neo_description.urdf import robot_urdf
from neo_ros import convert, graph
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.managed import ManagedNode
from neo_ros.raw_stamp import decoded, raw_tick
from neo_sensors import camera
from neo_sensors.proprioception import FrameTree, torques

WRENCHES = ("l_sole", "r_sole", "l_wrist", "r_wrist")
IMUS = {"imu/data": ("pelvis", "base_link"), "head_imu/data": ("head", "head")}
UNKNOWN = -1.0  # of a covariance's first entry: the quantity is not measured (sensor_msgs/Imu)


class ProprioceptionNode(ManagedNode):
    """From ``body/state`` and hand states to joint_states, IMUs, wrenches, TF and robot_description."""

    def __init__(self) -> None:
        super().__init__("proprioception", camera.PARAMETERS)

    def configure(self) -> None:
        p = self._params
        self._diagnostics = Diagnostics(self)
        self._tree = FrameTree()
        self._routing = routing_of(p.tendon_routing)
        self._frame_period = max(1, round(CONTROL_RATE / p.tf_rate))
        self._imu_period = max(1, round(CONTROL_RATE / p.imu_rate))
        self._hands: dict[str, HandState | None] = dict.fromkeys(SIDES)
        self._body: BodyState | None = None
        self._waiting = False
        self._last_tick = -1
        self._joints = graph.publisher(self, "joint_states")
        self._imus = {topic: graph.publisher(self, topic) for topic in IMUS}
        self._wrenches = {name: graph.publisher(self, f"{name}/wrench") for name in WRENCHES}
        self._tf = graph.publisher(self, "/tf")
        self._tf_static = graph.publisher(self, "/tf_static")
        self._description = graph.publisher(self, "robot_description")
        self._description.publish(String(data=robot_urdf()))
        self._publish_fixed()
        frames = [(frame.parent, frame.name) for frame in self._tree.moving]
        self._transforms = [convert.transform_message(np.eye(4), *frame, 0.0) for frame in frames]
        guarded = self._diagnostics.guarded
        graph.subscription(self, "body/state", guarded("body/state", self._on_body), raw=True)
        for side in SIDES:
            topic = f"{side}_hand/state"
            graph.subscription(self, topic, guarded(topic, partial(self._on_hand, side)), raw=True)

    def _on_body(self, raw: bytes) -> None:
        tick = raw_tick(raw)
        frames_due, imu_due = tick % self._frame_period == 0, tick % self._imu_period == 0
        if not (frames_due or imu_due) or tick == self._last_tick:  # the same tick may be sent again
            return
        self._last_tick = tick
        state = decoded(raw, BodyState)
        if imu_due:
            self._publish_imus(state)
        if frames_due:
            if self._waiting:  # the hands of the last one never came
                self._diagnostics.count("frames without new hands")
                self._publish_frames()
            self._body, self._waiting = state, True
            self._publish_when_complete()

    def _on_hand(self, side: str, raw: bytes) -> None:
        if raw_tick(raw) % self._frame_period == 0:
            self._hands[side] = decoded(raw, HandState)
            self._publish_when_complete()

    def _publish_when_complete(self) -> None:
        if not self._waiting or self._body is None:
            return
        if all(hand is not None and hand.tick == self._body.tick for hand in self._hands.values()):
            self._publish_frames()

    def _publish_frames(self) -> None:
        """Joints, wrenches and TF of the body's last state, with the hands as last heard."""
        self._waiting = False
        body = self._body
        assert body is not None
        hands = [hand or HandState() for hand in self._hands.values()]
        stamp = body.header.stamp
        position = np.concatenate([body.joint_position, *(hand.joint_position for hand in hands)])
        velocity = np.concatenate([body.joint_velocity, *(hand.joint_velocity for hand in hands)])
        scale = self._routing.scale(np.nan_to_num(body.joint_position))
        effort = torques(body.tendon_tension, [hand.tendon_tension for hand in hands], scale)
        joints = JointState(name=list(JOINTS))
        joints.position, joints.velocity, joints.effort = map(convert.sequence, (position, velocity, effort))
        joints.header.stamp = stamp
        self._joints.publish(joints)
        for name, publisher in self._wrenches.items():
            if publisher.get_subscription_count() > 0:
                publisher.publish(convert.wrench_message(getattr(body, f"{name}_wrench"), name, stamp))
        self._publish_moving(position, stamp)
        self._diagnostics.set("tick", int(body.tick))

    def _publish_moving(self, joint_position: np.ndarray, stamp: Any) -> None:
        places, turns = self._tree.moving_poses(joint_position)
        for message, p, q in zip(self._transforms, places.tolist(), turns.tolist(), strict=True):
            message.header.stamp = stamp
            to, turn = message.transform.translation, message.transform.rotation
            to.x, to.y, to.z = p
            turn.w, turn.x, turn.y, turn.z = q
        self._tf.publish(TFMessage(transforms=self._transforms))

    def _publish_fixed(self) -> None:
        messages = []
        for frame, p, q in zip(self._tree.fixed, *self._tree.fixed_poses, strict=True):
            message = convert.transform_message(np.eye(4), frame.parent, frame.name, 0.0)
            message.transform.translation = convert.vector_message(p)
            turn = message.transform.rotation
            turn.w, turn.x, turn.y, turn.z = q.tolist()
            messages.append(message)
        self._tf_static.publish(TFMessage(transforms=messages))

    def _publish_imus(self, state: BodyState) -> None:
        for topic, (place, frame_id) in IMUS.items():
            if self._imus[topic].get_subscription_count() == 0:
                continue
            message = Imu()
            message.header.stamp, message.header.frame_id = state.header.stamp, frame_id
            message.orientation_covariance[0] = UNKNOWN
            message.angular_velocity = convert.vector_message(getattr(state, f"{place}_angular_velocity"))
            message.linear_acceleration = convert.vector_message(
                getattr(state, f"{place}_linear_acceleration")
            )
            self._imus[topic].publish(message)


def main() -> None:
    """Entry point of ``proprioception_node``."""
    run(ProprioceptionNode)


if __name__ == "__main__":
    main()
