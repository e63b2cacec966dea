"""What to record, where, and when to stop: the recorder without ROS."""

from __future__ import annotations

import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from neo_description.errors import NeoError
from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.message_types import TypeBook, ament_prefixes
from neo_flywheel.provenance import NOTE_TYPE
from neo_flywheel.video import VIDEO, VIDEO_TYPE

RAW_IMAGE = "sensor_msgs/msg/Image"  # the compressed twin is recorded
TWIN = "/compressed"
IMAGES = ("jpeg", "h264", "none")
CHECK_EVERY = 1.0  # s of wall time between looks at the disk
QOS = {
    "control": Qos(reliable=False, depth=1),
    "reliable": Qos(depth=10),
    "latched": Qos(latched=True, depth=1),
    "camera": Qos(depth=2),
}
NOTES_ROW = {"type": NOTE_TYPE, "qos": "latched"}  # of the topic that the recorder itself writes


def recorded_topics(graph: dict[str, Any], images: str = "jpeg") -> dict[str, dict[str, Any]]:
    """Topic to listen to → its row of ``graph.yaml``: all but raw images.

    ``images``: ``jpeg`` keeps compressed images as they were sent; ``h264`` listens to their raw twins where
    there are any, whose rows say where the video goes: ``stored``, a topic; ``none`` leaves them out.
    """
    if images not in IMAGES:
        raise NeoError(f"images {images!r}; one of {', '.join(IMAGES)}")
    rows: dict[str, dict[str, Any]] = {}
    for name, row in graph["topics"].items():
        raw = name.removesuffix(TWIN)
        if row["type"] == RAW_IMAGE:
            continue
        if raw == name or images == "jpeg":
            rows[name] = row
        elif images == "h264":
            twin = graph["topics"].get(raw)
            rows[raw if twin else name] = {**twin, "stored": f"{raw}/h264"} if twin else row
    return rows


def run_folder(directory: str) -> Path:
    """``directory``, or a new ``runs/TIME`` in the working directory when empty."""
    return Path(directory) if directory else Path("runs") / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")


class Recorder:
    """One recording into ``directory/bag``. NeoError when the folder cannot be made or exists.

    ``flush_period``: s of wall time, what a ``kill -9`` may lose; ``min_free``: MB that the disk keeps.
    """

    def __init__(self, directory: str, custom: dict[str, str], flush_period: float, min_free: float):
        self.folder = run_folder(directory).resolve() / "bag"
        self._min_free = min_free * 1e6
        self._next_check = 0.0
        self._handles: dict[str, int] = {}
        self.bag = BagWriter(self.folder, TypeBook(ament_prefixes(), [VIDEO_TYPE]), custom, flush_period)
        self.why_stopped = ""

    def add(self, topic: str, row: dict[str, Any]) -> None:
        """``topic`` (fully qualified, as it is stored) will be recorded; ``row`` of ``graph.yaml``."""
        type_name = VIDEO if "stored" in row else row["type"]
        try:
            self._handles[topic] = self.bag.add_topic(topic, type_name, QOS[row["qos"]])
        except OSError as error:
            raise NeoError(f"cannot write to {self.folder}: {error.strerror}") from None

    @property
    def recording(self) -> bool:
        return self.bag.open

    def write(self, topic: str, cdr: bytes, time_ns: int | None = None) -> None:
        """Appends a serialised message; stops the recording, never more, when the disk is full.

        ``time_ns``: when it was heard; now by default.
        """
        if not self.bag.open or self._disk_is_full():
            return
        time_ns = time.time_ns() if time_ns is None else time_ns
        if not self.bag.write(self._handles[topic], time_ns, cdr):
            self.why_stopped = self.why_stopped or self.bag.error

    def idle(self) -> None:
        """To be called now and then: flushes what is due, and sees a full disk, where messages are rare."""
        if self.bag.open and not self._disk_is_full():
            self.bag.idle()
            self.why_stopped = self.why_stopped or self.bag.error

    def _disk_is_full(self) -> bool:
        now = time.monotonic()
        if now < self._next_check:
            return False
        self._next_check = now + CHECK_EVERY
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            self.close()
            self.why_stopped = f"{self.folder} cannot be reached any more: {error.strerror}"
            return True
        if free < self._min_free:
            self.close()
            self.why_stopped = f"the disk of {self.folder} has only {free / 1e6:.0f} MB left"
            return True
        return False

    def close(self) -> None:
        """Finishes the bag."""
        self.bag.close()
        self.why_stopped = self.why_stopped or self.bag.error
