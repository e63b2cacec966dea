"""The whole graph's traffic without a robot: real message types and sizes, contents made up from a seed."""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neo_flywheel.recorder import Recorder

TICK = struct.Struct("<Q")
KINDS = 40  # contents of a message that differ
CDR = b"\x00\x01\x00\x00"
RATE = 500  # Hz
SIZES = {  # bytes of a serialised message, by type, at least; a test compares with what rclpy makes
    "neo_msgs/msg/BodyState": 2_308, "neo_msgs/msg/HandState": 1_916, "neo_msgs/msg/TendonCommand": 532,
    "geometry_msgs/msg/WrenchStamped": 76, "nav_msgs/msg/Odometry": 716, "sensor_msgs/msg/Imu": 324,
    "sensor_msgs/msg/JointState": 3_652, "tf2_msgs/msg/TFMessage": 8_652,
}  # fmt: skip
TOPICS = {  # name → (type, Hz): what makes up the graph's traffic but pictures
    "body/state": ("neo_msgs/msg/BodyState", 500), "l_hand/state": ("neo_msgs/msg/HandState", 500),
    "r_hand/state": ("neo_msgs/msg/HandState", 500),
    "body/tendon_command": ("neo_msgs/msg/TendonCommand", 500),
    "l_hand/tendon_command": ("neo_msgs/msg/TendonCommand", 500),
    "r_hand/tendon_command": ("neo_msgs/msg/TendonCommand", 500), "imu/data": ("sensor_msgs/msg/Imu", 100),
    "head_imu/data": ("sensor_msgs/msg/Imu", 100), "joint_states": ("sensor_msgs/msg/JointState", 50),
    "odom": ("nav_msgs/msg/Odometry", 50), "/tf": ("tf2_msgs/msg/TFMessage", 50),
    "l_sole/wrench": ("geometry_msgs/msg/WrenchStamped", 50),
    "r_sole/wrench": ("geometry_msgs/msg/WrenchStamped", 50),
    "l_wrist/wrench": ("geometry_msgs/msg/WrenchStamped", 50),
    "r_wrist/wrench": ("geometry_msgs/msg/WrenchStamped", 50),
}  # fmt: skip


class Traffic:
    """``at(tick)``: the messages of a control tick. Numbers drift and jitter, as a robot's do."""

    def __init__(self, seed: int):
        rng = np.random.default_rng(seed)
        self._bodies: dict[str, list[bytes]] = {}
        for kind, size in SIZES.items():
            numbers = (size - len(CDR)) // 8 - 1
            walk = np.cumsum(rng.normal(0.0, 0.01, (KINDS, numbers)), axis=0) + rng.normal(0.0, 1.0, numbers)
            self._bodies[kind] = [row.tobytes() for row in walk]

    def at(self, tick: int) -> Iterator[tuple[str, bytes]]:
        """(topic, CDR) in the graph's order; the tick stands in its first eight bytes."""
        head = CDR + TICK.pack(tick)
        for name, (kind, rate) in TOPICS.items():
            if tick % (RATE // rate) == 0:
                yield name, head + self._bodies[kind][tick % KINDS]


def scene(tick: int, height: int = 240, width: int = 424, seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8: a furnished-looking picture that moves slowly under sensor noise."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(30, 220, (height // 24 + 2, width // 24 + 2, 3), dtype=np.uint8)
    wide = np.kron(blocks, np.ones((24, 24, 1), np.uint8))
    at = tick // 10 % 24
    shown = wide[at : at + height, at : at + width].astype(np.int16)
    noise = np.random.default_rng((seed, tick)).normal(0.0, 2.0, shown.shape)
    return np.clip(shown + noise, 0, 255).astype(np.uint8)


def image_cdr(array: np.ndarray) -> bytes:
    """A serialised ``sensor_msgs/msg/Image`` (rgb8)."""
    from neo_flywheel.cdr import Writer

    height, width = array.shape[:2]
    writer = Writer().number("i", 0).number("I", 0).string("eye").number("I", height).number("I", width)
    return writer.string("rgb8").number("B", 0).number("I", 3 * width).octets(array.tobytes()).end()


def open_recorder(directory: Path, min_free: float = 0.0) -> Recorder:
    """A recorder of all ``TOPICS``."""
    recorder = Recorder(str(directory), {"task": "bench"}, 0.25, min_free)
    for name, (kind, _) in TOPICS.items():
        recorder.add(name, {"type": kind, "qos": "control"})
    return recorder


def write_until_killed(directory: str, counter: str, seed: int, prefixes: str) -> None:
    """A process that records at 500 Hz of wall time; ``counter``: a file that holds the ticks recorded."""
    os.environ["AMENT_PREFIX_PATH"] = prefixes
    traffic, recorder = Traffic(seed), open_recorder(Path(directory))
    with open(counter, "r+b") as file, mmap.mmap(file.fileno(), TICK.size) as shared:
        began = time.monotonic()
        for tick in range(1 << 40):
            for name, message in traffic.at(tick):
                recorder.write(name, message)
            shared[:] = TICK.pack(tick + 1)
            ahead = began + (tick + 1) / RATE - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)


def counted(counter: Any) -> int:
    """Ticks in the counter, an ``mmap``."""
    return int(TICK.unpack(counter[: TICK.size])[0])
