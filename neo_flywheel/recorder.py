"""What to record, where, and when to stop: the recorder without ROS."""

from __future__ import annotations

import os
import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.message_types import TypeBook

RAW_IMAGE = "sensor_msgs/msg/Image"  # the compressed twin is recorded
CHECK_EVERY = 1.0  # s of wall time between looks at the disk
QOS = {
    "control": Qos(reliable=False, depth=1),
    "reliable": Qos(depth=10),
    "latched": Qos(latched=True, depth=1),
    "camera": Qos(depth=2),
}


def recorded_topics(graph: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of ``graph.yaml`` that are recorded: all topics but raw images."""
    return {name: row for name, row in graph["topics"].items() if row["type"] != RAW_IMAGE}


def run_folder(directory: str) -> Path:
    """``directory``, or a new ``runs/TIME`` in the working directory when empty."""
    return Path(directory) if directory else Path("runs") / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")


def ament_prefixes() -> list[Path]:
    """Where message definitions are installed."""
    return [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]


class Recorder:
    """One recording into ``directory/bag``. NeoError when the folder cannot be made or exists."""

    def __init__(self, directory: str, custom: dict[str, str], flush_period: float, min_free: float):
        self.folder = run_folder(directory).resolve() / "bag"
        self._min_free = min_free * 1e6
        self._next_check = 0.0
        self._handles: dict[str, int] = {}
        self.bag = BagWriter(self.folder, TypeBook(ament_prefixes()), custom, flush_period)
        self.why_stopped = ""

    def add(self, topic: str, row: dict[str, Any]) -> None:
        """``topic`` (fully qualified) will be recorded; ``row`` of ``graph.yaml``."""
        self._handles[topic] = self.bag.add_topic(topic, row["type"], QOS[row["qos"]])

    @property
    def recording(self) -> bool:
        return self.bag.open

    def write(self, topic: str, cdr: bytes) -> None:
        """Appends a serialised message; stops the recording, never more, when the disk is full."""
        if (
            self.bag.open
            and not self._disk_is_full()
            and not self.bag.write(self._handles[topic], time.time_ns(), cdr)
        ):
            self.why_stopped = self.why_stopped or self.bag.error

    def _disk_is_full(self) -> bool:
        now = time.monotonic()
        if now < self._next_check:
            return False
        self._next_check = now + CHECK_EVERY
        free = shutil.disk_usage(self.folder).free
        if free < self._min_free:
            self.close()
            self.why_stopped = f"the disk of {self.folder} has only {free / 1e6:.0f} MB left"
            return True
        return False

    def close(self) -> None:
        """Finishes the bag."""
        self.bag.close()
        self.why_stopped = self.why_stopped or self.bag.error
