"""What an operator sees and feels of the robot: the left eye's picture, and forces by finger.

The subscriptions belong to a node that no executor runs: states at 500 Hz cost nothing until one is wanted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from neo_description.tables import SIDES, TAXELS
from neo_ros import graph

EYE = "head_camera/left/image_raw/compressed"
PARTS = ("thumb", "index", "middle", "ring", "little", "palm")


class Senses:
    """The newest of each topic, resolved as ``node`` would resolve it; used from one thread."""

    def __init__(self, node: Node):
        self._node = Node(
            f"{node.get_name()}_senses", namespace=node.get_namespace(), use_global_arguments=False,
            start_parameter_services=False, enable_rosout=False,
        )  # fmt: skip
        profile = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._subscriptions = {}
        for topic in (EYE, *(f"{side}_hand/state" for side in SIDES)):
            message = graph.interface(graph.entry("topics", topic)["type"])
            self._subscriptions[topic] = self._node.create_subscription(
                message, node.resolve_topic_name(topic), lambda _: None, profile
            )
        self._pads: dict[str, dict[str, float]] = {}

    def picture(self) -> bytes | None:
        """A JPEG that was not taken yet."""
        message = self._take(EYE)
        return bytes(message.data) if message is not None and "jpeg" in message.format else None

    def pads(self) -> dict[str, dict[str, float]]:
        """Side → finger → sum of its pads' normal forces (N); dead pads add nothing."""
        for side in SIDES:
            message = self._take(f"{side}_hand/state")
            if message is not None:
                force = np.array(message.taxel_force).reshape(-1, 3)[:, 0] * np.array(message.taxel_valid)
                self._pads[side] = {
                    part: float(sum(force[i] for i, pad in enumerate(TAXELS) if pad.startswith(part)))
                    for part in PARTS
                }
        return self._pads

    def _take(self, topic: str) -> Any:
        subscription = self._subscriptions[topic]
        with subscription.handle:
            taken = subscription.handle.take_message(subscription.msg_type, False)
        return None if taken is None else taken[0]

    def close(self) -> None:
        """Leave the graph."""
        self._node.destroy_node()
