"""Writes rosbag2 bags (MCAP, metadata version 9) from serialised messages. No ROS needed.

    with BagWriter(folder, book) as bag:
        topic = bag.add_topic("/body/state", "neo_msgs/msg/BodyState", qos)
        bag.write(topic, time_ns, cdr)

What is on disk survives ``kill -9``: whole chunks are flushed every ``flush_period`` seconds. The file layout
is rosbag2's: ``FOLDER/FOLDER_0.mcap`` beside ``metadata.yaml``.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mcap.writer import CompressionType, Writer

from neo_description.errors import NeoError
from neo_flywheel.message_types import TypeBook

NEVER = {"sec": 9223372036, "nsec": 854775807}  # rmw's infinite duration


class _Plain(yaml.SafeDumper):
    """Writes equal parts out in full: no anchors, which few readers expect."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@dataclass(frozen=True)
class Qos:
    """What rosbag2 keeps of a publisher's quality of service."""

    reliable: bool = True
    latched: bool = False
    depth: int = 10

    def entry(self) -> dict[str, Any]:
        """As in ``metadata.yaml``, version 9."""
        return {
            "history": "keep_last",
            "depth": self.depth,
            "reliability": "reliable" if self.reliable else "best_effort",
            "durability": "transient_local" if self.latched else "volatile",
            "deadline": dict(NEVER),
            "lifespan": dict(NEVER),
            "liveliness": "automatic",
            "liveliness_lease_duration": dict(NEVER),
            "avoid_ros_namespace_conventions": False,
        }


@dataclass
class _Topic:
    name: str
    type_name: str
    type_hash: str
    qos: Qos
    channel: int
    count: int = 0


class BagWriter:
    """One recording. ``custom`` (strings) goes into the metadata; ``flush_period`` in s of wall time."""

    def __init__(
        self, folder: Path, book: TypeBook, custom: dict[str, str] | None = None, flush_period: float = 0.25
    ):
        self.folder = folder
        self.messages = 0
        self.error = ""
        self._book = book
        self._custom = custom or {}
        self._flush_period = flush_period
        self._next_flush = time.monotonic() + flush_period
        self._topics: list[_Topic] = []
        self._schemas: dict[str, tuple[int, str]] = {}
        self._first, self._last = 2**63 - 1, 0
        self._file = folder / f"{folder.name}_0.mcap"
        try:
            folder.mkdir(parents=True)
            self._stream = self._file.open("xb")
        except FileExistsError:
            raise NeoError(f"{folder} exists already; a recording needs a new folder") from None
        except OSError as error:
            raise NeoError(f"cannot record into {folder}: {error.strerror}") from None
        self._writer = Writer(self._stream, compression=CompressionType.ZSTD)
        self._writer.start(profile="ros2", library="neo_flywheel")

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def open(self) -> bool:
        return not self._stream.closed

    @property
    def duration(self) -> float:
        """s between the first and the last message."""
        return max(0, self._last - self._first) * 1e-9

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._file.stat().st_size

    def add_topic(self, name: str, type_name: str, qos: Qos) -> int:
        """A handle for :meth:`write`; NeoError when the type is unknown."""
        if type_name not in self._schemas:
            found = self._book.find(type_name)
            schema = self._writer.register_schema(type_name, "ros2msg", found.definition.encode())
            self._schemas[type_name] = (schema, found.type_hash)
        schema, type_hash = self._schemas[type_name]
        offered = yaml.safe_dump([qos.entry()], sort_keys=False)
        channel = self._writer.register_channel(name, "cdr", schema, {"offered_qos_profiles": offered})
        self._topics.append(_Topic(name, type_name, type_hash, qos, channel))
        return len(self._topics) - 1

    def write(self, topic: int, time_ns: int, cdr: bytes) -> bool:
        """Appends one message. False, with ``error`` set and the bag closed, when the disk refuses it."""
        if not self.open:
            return False
        row = self._topics[topic]
        try:
            self._writer.add_message(row.channel, log_time=time_ns, publish_time=time_ns, data=cdr)
            if time.monotonic() >= self._next_flush:
                self.flush()
        except OSError as error:
            self._give_up(error)
            return False
        row.count += 1
        self.messages += 1
        self._first, self._last = min(self._first, time_ns), max(self._last, time_ns)
        return True

    def flush(self) -> None:
        """Whole chunks to the disk."""
        self._writer.flush()
        self._next_flush = time.monotonic() + self._flush_period

    def close(self) -> None:
        """Finishes index and metadata; again is harmless."""
        if not self.open:
            return
        try:
            self._writer.finish()
            self._stream.close()
            self._write_metadata()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.error = f"cannot write to {self.folder}: {error.strerror}"
        with contextlib.suppress(OSError):
            self._stream.close()
        with contextlib.suppress(OSError):
            self._write_metadata()

    def _write_metadata(self) -> None:
        start = {"nanoseconds_since_epoch": self._first if self.messages else 0}
        duration = {"nanoseconds": max(0, self._last - self._first) if self.messages else 0}
        content = {
            "rosbag2_bagfile_information": {
                "version": 9,
                "storage_identifier": "mcap",
                "duration": duration,
                "starting_time": start,
                "message_count": self.messages,
                "topics_with_message_count": [
                    {
                        "topic_metadata": {
                            "name": row.name,
                            "type": row.type_name,
                            "serialization_format": "cdr",
                            "offered_qos_profiles": [row.qos.entry()],
                            "type_description_hash": row.type_hash,
                        },
                        "message_count": row.count,
                    }
                    for row in self._topics
                ],
                "compression_format": "",
                "compression_mode": "",
                "relative_file_paths": [self._file.name],
                "files": [
                    {
                        "path": self._file.name,
                        "starting_time": start,
                        "duration": duration,
                        "message_count": self.messages,
                    }
                ],
                "custom_data": self._custom or None,
                "ros_distro": os.environ.get("ROS_DISTRO", "kilted"),
            }
        }
        file = self.folder / "metadata.yaml"
        partial = file.with_suffix(".yaml.partial")
        partial.write_text(yaml.dump(content, Dumper=_Plain, sort_keys=False))
        partial.replace(file)
