"""Reads the robot's messages into a :class:`Snapshot`, live ones and recorded ones alike."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Protocol

import numpy as np

from neo_bringup import supervision
from neo_bringup.console.each import each
from neo_bringup.console.health import NodeWatch
from neo_bringup.console.snapshot import HandView, Snapshot
from neo_description.signals import DriveMode, GraspStatus, Safety
from neo_description.tables import SIDES
from neo_ros import convert, graph

EYES = {side: f"head_camera/{side}/image_raw/compressed" for side in ("left", "right")}
IMAGINED = {side: f"world_model/imagined/{side}" for side in ("left", "right")}
DEPTH = "perception/depth"
LATEST = (
    "joint_states",
    "odom",
    "perception/objects",
    *EYES.values(),
    "body/state",
    "l_hand/state",
    "r_hand/state",
    "l_hand/status",
    "r_hand/status",
    "world_model/surprise",
    "world_model/consequences",
    *IMAGINED.values(),
)
EVERY = ("safety/heartbeat", "/diagnostics")  # many publishers: drained, not sampled
EVERY_DEPTH = 100
OPERATOR = ("teleop/engaged", "teleop/consent")
LATCHED = ("safety/state", "supervisor/state", *OPERATOR)


class Messages(Protocol):
    """Where messages come from; topics as in ``graph.yaml``."""

    prefix: str  # of the robot's node names: its namespace between strokes

    def take(self, topic: str) -> Any:
        """The next message of ``topic`` that was not taken yet, or ``None``."""

    def age(self, topic: str) -> float | None:
        """s since ``topic`` was last heard, ``None``: never."""

    def said_by(self, topic: str) -> int:
        """How many publish ``topic`` now."""

    def now(self) -> float:
        """s on the clock that ages are counted by."""

    def present(self) -> Iterable[str]:
        """Full names of the nodes that are there."""


class Reading:
    """Fills a :class:`Snapshot` from ``messages``; nodes are silent after ``silent_after`` s."""

    def __init__(self, messages: Messages, silent_after: float) -> None:
        self._messages = messages
        self._nodes = NodeWatch(graph.table()["nodes"], silent_after)

    def motion(self, snapshot: Snapshot) -> None:
        """Joints, base pose, perceived objects."""
        take, age = self._messages.take, self._messages.age
        snapshot.time = self._messages.now()
        if (joints := take("joint_states")) is not None:
            snapshot.joints = dict(zip(joints.name, joints.position, strict=False))
        snapshot.posture_age = age("joint_states")
        if (odom := take("odom")) is not None:
            snapshot.T_odom_base = convert.pose(odom.pose.pose)
        if (objects := take("perception/objects")) is not None:
            snapshot.scene = convert.scene(objects)

    def panels(self, snapshot: Snapshot) -> None:
        """Pictures, pads, tensions, safety, what the world model expects."""
        parts = (
            self._pictures, self._distances, self._expectations, self._body, self._hands, self._safety,
            self._operator,
        )  # fmt: skip
        each(*(partial(part, snapshot) for part in parts))

    def _pictures(self, snapshot: Snapshot) -> None:
        for side, topic in EYES.items():
            if (picture := self._messages.take(topic)) is not None and "jpeg" in picture.format:
                snapshot.images[side] = bytes(picture.data)
            snapshot.image_age[side] = self._messages.age(topic) or 0.0

    def _distances(self, snapshot: Snapshot) -> None:
        if (depth := self._messages.take(DEPTH)) is not None and depth.encoding == "32FC1":
            shape = depth.height, depth.width
            if len(depth.data) == 4 * shape[0] * shape[1]:
                snapshot.depth = np.frombuffer(bytes(depth.data), np.float32).reshape(shape)

    def _body(self, snapshot: Snapshot) -> None:
        if (state := self._messages.take("body/state")) is not None:
            snapshot.body_tension = np.array(state.tendon_tension)
            snapshot.drive_mode = DriveMode(state.drive_mode)
            snapshot.runstop = bool(state.runstop)
        snapshot.state_age = self._messages.age("body/state")

    def _safety(self, snapshot: Snapshot) -> None:
        if (safety := self._messages.take("safety/state")) is not None:
            snapshot.safety, snapshot.safety_reason = Safety(safety.state), safety.reason

    def _operator(self, snapshot: Snapshot) -> None:
        for topic in OPERATOR:
            if (said := self._messages.take(topic)) is not None:
                snapshot.operator[topic] = bool(said.data)
        if not self._messages.said_by(OPERATOR[0]):  # the operator's node is gone
            snapshot.operator.clear()

    def _expectations(self, snapshot: Snapshot) -> None:
        take, age = self._messages.take, self._messages.age
        for side, topic in IMAGINED.items():
            if (seen := take(topic)) is not None:
                shape = seen.height, seen.width, 3
                if seen.encoding == "rgb8" and len(seen.data) == np.prod(shape):
                    snapshot.imagined[side] = np.frombuffer(bytes(seen.data), np.uint8).reshape(shape)
        if (surprise := take("world_model/surprise")) is not None:
            snapshot.surprise = surprise.value
            snapshot.surprised_by = dict(zip(surprise.modality, surprise.modality_value, strict=False))
        snapshot.surprise_age = age("world_model/surprise")
        if (follows := take("world_model/consequences")) is not None:
            snapshot.consequences = convert.consequences(follows)
        snapshot.consequences_age = age("world_model/consequences")

    def _hands(self, snapshot: Snapshot) -> None:
        each(*(partial(self._hand, side, snapshot) for side in SIDES))

    def _hand(self, side: str, snapshot: Snapshot) -> None:
        if (state := self._messages.take(f"{side}_hand/state")) is not None:
            before = snapshot.hands.get(side)
            status = GraspStatus() if before is None else before.status
            snapshot.hands[side] = HandView(
                taxel_force=np.array(state.taxel_force).reshape(-1, 3),
                taxel_valid=np.array(state.taxel_valid, bool),
                tension=np.array(state.tendon_tension),
                status=status,
            )
        said = self._messages.take(f"{side}_hand/status")
        if said is not None and side in snapshot.hands:
            snapshot.hands[side].status = convert.grasp_status(said)

    def health(self, snapshot: Snapshot) -> None:
        """Nodes that are there, heartbeats, diagnostics, what the supervisor says."""
        parts = [self._diagnostics, self._supervision, self._listed]
        each(self._heartbeats, *(partial(part, snapshot) for part in parts))

    def _heartbeats(self) -> None:
        for _ in range(EVERY_DEPTH):
            if (beat := self._messages.take("safety/heartbeat")) is None:
                break
            life = supervision.lifecycle(beat.lifecycle)
            self._nodes.heard(self._own(beat.node), self._messages.now(), life)

    def _diagnostics(self, snapshot: Snapshot) -> None:
        for _ in range(EVERY_DEPTH):
            if (report := self._messages.take("/diagnostics")) is None:
                break
            for status in report.status:
                self._diagnosed(status, self._messages.now(), snapshot)

    def _supervision(self, snapshot: Snapshot) -> None:
        if (state := self._messages.take("supervisor/state")) is not None:
            snapshot.supervision = supervision.read(state)

    def _listed(self, snapshot: Snapshot) -> None:
        self._nodes.present(self._own(name) for name in self._messages.present())
        snapshot.nodes = self._nodes.states(self._messages.now())

    def _diagnosed(self, status: Any, now: float, snapshot: Snapshot) -> None:
        raw = status.level  # a byte: rclpy gives bytes, a bag's reader a number
        level = int.from_bytes(raw, "little") if isinstance(raw, bytes) else int(raw)
        name = self._own(status.name)
        self._nodes.diagnosed(name, level, status.message, now)
        if name == "world_model":
            snapshot.model = next((row.value for row in status.values if row.key == "model"), snapshot.model)

    def forget_times(self) -> None:
        """Nobody listened for a while: no node counts as silent for that."""
        self._nodes.forget_times()

    def _own(self, full_name: str) -> str:
        """The name without the robot's namespace; unchanged (and so unknown) for another robot's node."""
        full_name, prefix = "/" + full_name.lstrip("/"), self._messages.prefix
        return full_name.removeprefix(prefix) if full_name.startswith(prefix) else full_name
