"""Takes the latest messages out of the graph when the page wants them, never when they come.

The subscriptions belong to a node that no executor runs: DDS keeps the newest message of each topic, and the
page's thread takes it a few times a second. States at 500 Hz then cost no Python at all, and a page that is
slow or stuck holds up nobody. While nobody watches there are no subscriptions.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from neo_bringup import supervision
from neo_bringup.console.health import NodeWatch
from neo_bringup.console.snapshot import HandView, Snapshot
from neo_description.signals import DriveMode, GraspStatus, Safety
from neo_description.tables import SIDES
from neo_ros import convert, graph, qos

LATEST = (
    "joint_states",
    "odom",
    "perception/objects",
    "head_camera/left/image_raw/compressed",
    "head_camera/right/image_raw/compressed",
    "body/state",
    "l_hand/state",
    "r_hand/state",
    "l_hand/status",
    "r_hand/status",
    "world_model/surprise",
    "world_model/imagined/left",
    "world_model/imagined/right",
)
EVERY = ("safety/heartbeat", "/diagnostics")  # many publishers: drained, not sampled
EVERY_DEPTH = 100
LATCHED = ("safety/state", "supervisor/state", "teleop/engaged", "teleop/consent")


class Samples:
    """Latest messages by topic of ``graph.yaml``, resolved as ``node`` would resolve them."""

    def __init__(self, node: Node) -> None:
        self._resolve = node.resolve_topic_name
        self._node = Node(
            f"{node.get_name()}_samples",
            namespace=node.get_namespace(),
            use_global_arguments=False,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._subscriptions: dict[str, Any] = {}
        self.ages = Ages()

    def watch(self, watched: bool) -> None:
        """Subscribe to everything, or to nothing."""
        if watched:
            for topic in LATEST:
                self._subscribe(topic, QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
            for topic in EVERY:
                self._subscribe(topic, QoSProfile(depth=EVERY_DEPTH))
            for topic in LATCHED:
                self._subscribe(topic, qos.SUBSCRIBE["latched"])
            return
        for subscription in self._subscriptions.values():
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _subscribe(self, topic: str, profile: QoSProfile) -> None:
        message = graph.interface(graph.entry("topics", topic)["type"])
        self._subscriptions[topic] = self._node.create_subscription(
            message, self._resolve(topic), lambda _: None, profile
        )

    def take(self, topic: str) -> Any:
        """The next message of ``topic`` that nobody took yet, or ``None``."""
        subscription = self._subscriptions.get(topic)
        if subscription is None:
            return None
        with subscription.handle:
            taken = subscription.handle.take_message(subscription.msg_type, False)
        if taken is None:
            return None
        self.ages.heard(topic)
        return taken[0]

    def close(self) -> None:
        """Leave the graph."""
        self.watch(False)
        self._node.destroy_node()


class Ages:
    """Wall time since each topic was last heard."""

    def __init__(self) -> None:
        self._heard: dict[str, float] = {}

    def heard(self, topic: str) -> None:
        self._heard[topic] = time.monotonic()

    def of(self, topic: str) -> float | None:
        """s, or ``None`` if it was never heard."""
        at = self._heard.get(topic)
        return None if at is None else time.monotonic() - at


class GraphSource:
    """Fills a :class:`Snapshot` from the graph around ``node``; used from the page's thread only."""

    def __init__(self, node: Node, params: SimpleNamespace) -> None:
        self._console = node
        self._samples = Samples(node)
        self._prefix = node.get_namespace().rstrip("/") + "/"
        self._nodes = NodeWatch(graph.table()["nodes"], params.silent_after)

    def watch(self, watched: bool) -> None:
        """Somebody looks from now on, or nobody any more."""
        self._samples.watch(watched)
        if watched:
            self._nodes.forget_times()

    def motion(self, snapshot: Snapshot) -> None:
        """Joints, base pose, perceived objects."""
        if (joints := self._samples.take("joint_states")) is not None:
            snapshot.joints = dict(zip(joints.name, joints.position, strict=False))
        snapshot.posture_age = self._samples.ages.of("joint_states")
        if (odom := self._samples.take("odom")) is not None:
            snapshot.T_odom_base = convert.pose(odom.pose.pose)
        if (objects := self._samples.take("perception/objects")) is not None:
            snapshot.scene = convert.scene(objects)

    def panels(self, snapshot: Snapshot) -> None:
        """Pictures, pads, tensions, safety."""
        for side in ("left", "right"):
            topic = f"head_camera/{side}/image_raw/compressed"
            if (picture := self._samples.take(topic)) is not None and "jpeg" in picture.format:
                snapshot.images[side] = bytes(picture.data)
            snapshot.image_age[side] = self._samples.ages.of(topic) or 0.0
            if (seen := self._samples.take(f"world_model/imagined/{side}")) is not None:
                shape = seen.height, seen.width, 3
                if seen.encoding == "rgb8" and len(seen.data) == np.prod(shape):
                    snapshot.imagined[side] = np.frombuffer(seen.data, np.uint8).reshape(shape)
        if (surprise := self._samples.take("world_model/surprise")) is not None:
            snapshot.surprise = surprise.value
            snapshot.surprised_by = dict(zip(surprise.modality, surprise.modality_value, strict=False))
        snapshot.surprise_age = self._samples.ages.of("world_model/surprise")
        if (state := self._samples.take("body/state")) is not None:
            snapshot.body_tension = np.array(state.tendon_tension)
            snapshot.drive_mode = DriveMode(state.drive_mode)
            snapshot.runstop = state.runstop
        snapshot.state_age = self._samples.ages.of("body/state")
        for side in SIDES:
            self._hand(side, snapshot)
        if (safety := self._samples.take("safety/state")) is not None:
            snapshot.safety, snapshot.safety_reason = Safety(safety.state), safety.reason

        for topic in ("teleop/engaged", "teleop/consent"):
            if (said := self._samples.take(topic)) is not None:
                snapshot.operator[topic] = said.data
        if not self._console.count_publishers("teleop/engaged"):  # the operator's node is gone
            snapshot.operator.clear()

    def _hand(self, side: str, snapshot: Snapshot) -> None:
        if (state := self._samples.take(f"{side}_hand/state")) is not None:
            before = snapshot.hands.get(side)
            status = GraspStatus() if before is None else before.status
            snapshot.hands[side] = HandView(
                taxel_force=np.array(state.taxel_force).reshape(-1, 3),
                taxel_valid=np.array(state.taxel_valid, bool),
                tension=np.array(state.tendon_tension),
                status=status,
            )
        said = self._samples.take(f"{side}_hand/status")
        if said is not None and side in snapshot.hands:
            snapshot.hands[side].status = convert.grasp_status(said)

    def health(self, snapshot: Snapshot) -> None:
        """Nodes in the graph, heartbeats, diagnostics."""
        now = time.monotonic()
        names = self._console.get_node_names_and_namespaces()
        self._nodes.present(self._own(space.rstrip("/") + "/" + name) for name, space in names)
        for _ in range(EVERY_DEPTH):
            if (beat := self._samples.take("safety/heartbeat")) is None:
                break
            self._nodes.heard(self._own(beat.node), now, supervision.lifecycle(beat.lifecycle))
        for _ in range(EVERY_DEPTH):
            if (report := self._samples.take("/diagnostics")) is None:
                break
            for status in report.status:
                level = int.from_bytes(status.level, "little")
                self._nodes.diagnosed(self._own(status.name), level, status.message, now)
        snapshot.nodes = self._nodes.states(now)
        if (state := self._samples.take("supervisor/state")) is not None:
            snapshot.supervision = supervision.read(state)

    def _own(self, full_name: str) -> str:
        """The name without the robot's namespace; unchanged (and so unknown) for another robot's node."""
        full_name = "/" + full_name.lstrip("/")
        return full_name.removeprefix(self._prefix) if full_name.startswith(self._prefix) else full_name

    def close(self) -> None:
        """Leave the graph."""
        self._samples.close()
