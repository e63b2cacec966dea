"""Node ``world_model``: encodes ten times a second, says how surprised it is, shows what it imagines.

Driven by the states: a step begins with the first tick of its tenth of a second for which all three groups
have been heard. Nothing waits for this node.
"""

from __future__ import annotations

import time
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from neo_msgs.msg import BodyState, HandState
from neo_msgs.msg import Surprise as SurpriseMessage
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image

from neo_description.errors import NeoError
from neo_description.tables import SIDES
from neo_ros import convert, graph, params
from neo_ros.cv_bridge import CvBridge
from neo_ros.diagnostics import Diagnostics
from neo_ros.main import run
from neo_ros.raw_stamp import raw_tick
from neo_world_model.stepper import Cutter, picture
from neo_world_model.watch import Seen, Watcher

PARAMETERS = Path(__file__).with_name("parameters.yaml")
EYES = ("left", "right")
GROUPS = {"body": BodyState, "l_hand": HandState, "r_hand": HandState}


class WorldModelNode(Node):
    """Feeds a :class:`Watcher` with the steps that a :class:`Cutter` makes of the graph's messages."""

    def __init__(self) -> None:
        super().__init__("world_model")
        self._params = params.declare(self, PARAMETERS)
        self._diagnostics = Diagnostics(self)
        self._bridge = CvBridge()
        self._watcher = self._load(self._params.model)
        self._cutter = Cutter()
        self._raw: dict[str, tuple[int, bytes]] = {}
        self._images: dict[str, Image] = {}
        self._cpu = deque[float](maxlen=50)
        self._surprise = graph.publisher(self, "world_model/surprise")
        self._imagined = {eye: graph.publisher(self, f"world_model/imagined/{eye}") for eye in EYES}
        guarded = self._diagnostics.guarded
        for group in GROUPS:
            topic = f"{group}/state"
            graph.subscription(self, topic, guarded(topic, partial(self._on_state, group)), raw=True)
        for side in SIDES:
            topic = f"{side}_hand/command"
            graph.subscription(self, topic, guarded(topic, partial(self._on_hand_command, f"{side}_hand")))
        for eye in EYES:
            topic = f"head_camera/{eye}/image_raw"
            graph.subscription(self, topic, guarded(topic, partial(self._on_image, eye)))
        graph.subscription(self, "whole_body/command", guarded("whole_body/command", self._on_body_command))
        graph.subscription(self, "odom", guarded("odom", self._on_odom))
        graph.service(self, "load_model", self._on_load)

    def _load(self, folder: str) -> Watcher:
        if not folder:
            raise NeoError("parameter model: the folder of a model (neo train, then neo export)")
        return Watcher(folder, self._params.source, self._params.threads)

    def _on_load(self, request: Any, response: Any) -> Any:
        """Swap the model between two steps; the old one stays when the new one is refused."""
        try:
            self._watcher = self._load(request.uri)
        except NeoError as error:
            response.success, response.message = False, str(error)
            return response
        response.success, response.message = True, f"watching with {request.uri}"
        response.version = Path(request.uri).name
        return response

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
            self._cutter.picture = picture(left, right)

    def _on_state(self, group: str, raw: bytes) -> None:
        tick = raw_tick(raw)
        if not self._cutter.due(tick):
            return
        self._raw[group] = tick, raw
        if len(self._raw) == len(GROUPS) and len({t for t, _ in self._raw.values()}) == 1:
            self._step(tick)

    def _step(self, tick: int) -> None:
        began = time.thread_time()
        messages = {name: deserialize_message(self._raw[name][1], kind) for name, kind in GROUPS.items()}
        hands = {side: convert.hand_state(messages[f"{side}_hand"]) for side in SIDES}
        cut = self._cutter.take(tick, convert.body_state(messages["body"]), hands)
        if cut is None:
            return
        if cut.hole:
            self._watcher.forget()
        if cut.action is not None:
            self._watcher.passed(cut.action)
        seen = self._watcher.step(cut.row)
        self._tell(seen, messages["body"].header.stamp)
        self._cpu.append(time.thread_time() - began)
        self._diagnostics.set("CPU a step (ms)", f"{1e3 * float(np.median(self._cpu)):.1f}")
        for name, chance in seen.events.items():
            self._diagnostics.set(f"chance that something {name}", f"{chance:.2f}")

    def _tell(self, seen: Seen, stamp: Any) -> None:
        if seen.surprise is not None:
            message = SurpriseMessage(
                value=seen.surprise.value,
                negative_log_likelihood=seen.surprise.nll,
                disagreement=seen.surprise.disagreement,
                modality=list(seen.surprise.shares),
                modality_value=list(seen.surprise.shares.values()),
            )
            message.header.stamp = stamp
            self._surprise.publish(message)
        if seen.picture is None:
            return
        for eye, shown in zip(EYES, seen.picture, strict=True):
            if self._imagined[eye].get_subscription_count():
                image = self._bridge.cv2_to_imgmsg(np.ascontiguousarray(shown), "rgb8")
                image.header.stamp, image.header.frame_id = stamp, f"head_{eye}_camera_optical_frame"
                self._imagined[eye].publish(image)


def main() -> None:
    """Entry point of ``world_model_node``."""
    run(WorldModelNode)
