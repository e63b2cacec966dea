"""Steps of senses from the graph's messages, for every node that feeds a model.

    listening = Listening(node, diagnostics, on_cut)     # on_cut(cut, stamp) once every 0.1 s
    listening.close()

Driven by the states: a step begins with the first tick of its tenth of a second for which all three groups
have been heard.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from neo_msgs.msg import BodyState, HandState
from rclpy.node import Node
from sensor_msgs.msg import Image

from neo_description.tables import SIDES
from neo_ros import convert, graph
from neo_ros.cv_bridge import CvBridge
from neo_ros.diagnostics import Diagnostics
from neo_ros.raw_stamp import decoded, raw_tick
from neo_world_model.stepper import Cut, Cutter

EYES = ("left", "right")
GROUPS = {"body": BodyState, "l_hand": HandState, "r_hand": HandState}


class Listening:
    """Subscriptions of ``node`` that make steps; what cannot be read counts as refused."""

    def __init__(self, node: Node, diagnostics: Diagnostics, on_cut: Callable[[Cut, Any], None]):
        self._node, self._on_cut = node, on_cut
        self._bridge, self._cutter = CvBridge(), Cutter()
        self._raw: dict[str, tuple[int, bytes]] = {}
        self._images: dict[str, Image] = {}
        self._subscriptions: list[Any] = []

        def listen(topic: str, callback: Callable[[Any], None], **options: Any) -> None:
            guarded = diagnostics.guarded(topic, callback)
            self._subscriptions.append(graph.subscription(node, topic, guarded, **options))

        for group in GROUPS:
            listen(f"{group}/state", partial(self._on_state, group), raw=True)
        for side in SIDES:
            listen(f"{side}_hand/command", partial(self._on_hand_command, f"{side}_hand"))
        for eye in EYES:
            listen(f"head_camera/{eye}/image_raw", partial(self._on_image, eye))
        listen("whole_body/command", self._on_body_command)
        listen("odom", self._on_odom)

    @property
    def T_odom_base(self) -> np.ndarray:
        """(4, 4) as last heard."""
        return self._cutter.T_odom_base

    def close(self) -> None:
        """Listen no more."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _on_body_command(self, message: Any) -> None:
        self._cutter.stepper.asked("body", convert.whole_body_command(message))

    def _on_hand_command(self, hand: str, message: Any) -> None:
        self._cutter.stepper.asked(hand, convert.hand_command(message))

    def _on_odom(self, message: Any) -> None:
        self._cutter.T_odom_base = convert.pose(message.pose.pose, "odom")

    def _on_image(self, eye: str, message: Image) -> None:
        self._images[eye] = message
        pair = [self._images.get(name) for name in EYES]
        if None not in pair and pair[0].header.stamp == pair[1].header.stamp:  # type: ignore[union-attr]
            left, right = (self._bridge.imgmsg_to_cv2(image, "rgb8") for image in pair)
            self._cutter.see(left, right, convert.stamp(message))

    def _on_state(self, group: str, raw: bytes) -> None:
        tick = raw_tick(raw)
        if not self._cutter.due(tick):
            return
        self._raw[group] = tick, raw
        if len(self._raw) < len(GROUPS) or len({t for t, _ in self._raw.values()}) > 1:
            return
        messages = {name: decoded(self._raw[name][1], kind) for name, kind in GROUPS.items()}
        hands = {side: convert.hand_state(messages[f"{side}_hand"]) for side in SIDES}
        cut = self._cutter.take(tick, convert.body_state(messages["body"]), hands)
        if cut is not None:
            self._on_cut(cut, messages["body"].header.stamp)
