"""Writes rosbag2 bags (MCAP, metadata version 9) from serialised messages. No ROS needed.

    with BagWriter(folder, book) as bag:
        topic = bag.add_topic("/body/state", "neo_msgs/msg/BodyState", qos)
        bag.write(topic, time_ns, cdr)

What is on disk survives ``kill -9``: whole chunks are flushed every ``flush_period`` seconds, and
:mod:`neo_flywheel.recovery` makes a whole bag of them. The file layout is rosbag2's: ``FOLDER/FOLDER_0.mcap``
beside ``metadata.yaml``.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

import yaml
from mcap.writer import CompressionType, Writer

from neo_description.errors import NeoError
from neo_flywheel.message_types import TypeBook
from neo_flywheel.metadata import CUSTOM, FileRow, Qos, TopicRow, write_metadata
from neo_flywheel.provenance import NOTES, Shares


@dataclass
class _Topic:
    name: str
    type_name: str
    type_hash: str
    qos: Qos
    channel: int
    count: int = 0


class BagWriter:
    """One recording. ``flush_period`` in s of wall time.

    ``custom`` (strings) goes into the metadata, with the shares of provenance that the notes in it say.
    """

    def __init__(
        self, folder: Path, book: TypeBook, custom: dict[str, str] | None = None, flush_period: float = 0.25
    ):
        self.folder = folder
        self.messages = 0
        self.error = ""
        self._book = book
        self.custom = dict(custom or {})
        self._flush_period = flush_period
        self._next_flush = time.monotonic() + flush_period
        self._topics: list[_Topic] = []
        self._shares = Shares()
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
        try:
            self._writer.start(profile="ros2", library="neo_flywheel")
            if self.custom:
                self._writer.add_metadata(CUSTOM, self.custom)
            self._stream.flush()  # from now on the file is one that can be recovered
        except OSError as error:
            self._give_up(error)
            raise NeoError(self.error) from None

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
        about = {"offered_qos_profiles": offered, "topic_type_hash": type_hash}
        channel = self._writer.register_channel(name, "cdr", schema, about)
        self._topics.append(_Topic(name, type_name, type_hash, qos, channel))
        return len(self._topics) - 1

    def write(self, topic: int, time_ns: int, cdr: bytes) -> bool:
        """Appends one message. False, with ``error`` set and the bag closed, when the disk refuses it."""
        if not self.open:
            return False
        row = self._topics[topic]
        try:
            self._writer.add_message(row.channel, log_time=time_ns, publish_time=time_ns, data=cdr)
            self._flush_if_due()
        except OSError as error:
            self._give_up(error)
            return False
        row.count += 1
        if row.name.endswith(NOTES):
            self._shares.note(time_ns, cdr)
        self.messages += 1
        self._first, self._last = min(self._first, time_ns), max(self._last, time_ns)
        return True

    def idle(self) -> None:
        """Called where messages are rare: what was written does not wait for the next one to be flushed."""
        if not self.open:
            return
        try:
            self._flush_if_due()
        except OSError as error:
            self._give_up(error)

    def _flush_if_due(self) -> None:
        if time.monotonic() >= self._next_flush:
            self.flush()

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
        self.error = (
            f"cannot write to {self.folder}: {error.strerror}; what was written before is whole after "
            f"`neo bag recover {self.folder}`"
        )
        with contextlib.suppress(OSError):
            self._stream.close()
        with contextlib.suppress(OSError):
            self._write_metadata()

    def _write_metadata(self) -> None:
        topics = [
            TopicRow(row.name, row.type_name, row.type_hash, [row.qos.entry()], row.count)
            for row in self._topics
        ]
        self.custom.update(self._shares.custom(self._last))
        first, last = (self._first, self._last) if self.messages else (0, 0)
        write_metadata(
            self.folder, [FileRow(self._file.name, first, last, self.messages)], topics, self.custom
        )
