"""Any message of a bag at once: what was last said on a topic at a time, and what between two times.

    with SeekableBag(folder) as bag:
        found = bag.latest("/odom", bag.first_ns + 5_000_000_000)

Only the files' indices are read at first; chunks are unpacked when asked for, the last few are kept. No ROS.
"""

from __future__ import annotations

import bisect
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from mcap.data_stream import ReadDataStream
from mcap.reader import make_reader
from mcap.records import Chunk, ChunkIndex, MessageIndex
from mcap.stream_reader import get_chunk_data_stream

from neo_description.errors import NeoError
from neo_flywheel.replay.codec import Codec
from neo_flywheel.scan import DAMAGE, HEAD, MESSAGE

CHUNKS_KEPT = 24


@dataclass(frozen=True)
class Said:
    """One message: when (ns), and its bytes."""

    time_ns: int
    data: bytes


@dataclass
class _Topic:
    """``times`` (ns) in order; ``places``: file, chunk's offset and length, message's offset in it."""

    kind: str
    times: list[int] = field(default_factory=list)
    places: list[tuple[int, int, int, int]] = field(default_factory=list)


class SeekableBag:
    """A bag of MCAP files: a folder, or one file. NeoError when it is none, is cut off or has no index."""

    def __init__(self, folder: Path):
        files = [folder] if folder.is_file() else sorted(folder.glob("*.mcap"))
        if not files:
            raise NeoError(f"{folder} holds no .mcap file: no bag, or one of another storage")
        self.folder = folder
        self._streams: list[BinaryIO] = []
        self._topics: dict[str, _Topic] = {}
        self._texts: dict[str, str] = {}
        self._chunks: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        try:
            for file in files:
                self._open(file)
        except NeoError:
            self.close()
            raise
        for topic in self._topics.values():
            order = sorted(range(len(topic.times)), key=topic.times.__getitem__)
            topic.times = [topic.times[i] for i in order]
            topic.places = [topic.places[i] for i in order]
        said = [topic.times for topic in self._topics.values() if topic.times]
        if not said:
            self.close()
            raise NeoError(f"{folder} holds no message")
        self.first_ns, self.last_ns = min(t[0] for t in said), max(t[-1] for t in said)
        self.codec = Codec(self._definition)

    def __enter__(self) -> SeekableBag:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for stream in self._streams:
            stream.close()

    @property
    def topics(self) -> dict[str, str]:
        """Those with messages → their types."""
        return {name: topic.kind for name, topic in self._topics.items() if topic.times}

    def index(self, topic: str, at_ns: int) -> int:
        """Number of the last message of ``topic`` not later than ``at_ns``, -1 when there is none."""
        found = self._topics.get(topic)
        return -1 if found is None else bisect.bisect_right(found.times, at_ns) - 1

    def said(self, topic: str, number: int) -> Said:
        """Message ``number`` of ``topic``."""
        found = self._topics[topic]
        return Said(found.times[number], self._data(*found.places[number]))

    def time(self, topic: str, number: int) -> int:
        """When message ``number`` of ``topic`` was recorded (ns)."""
        return self._topics[topic].times[number]

    def latest(self, topic: str, at_ns: int) -> Said | None:
        """The last message of ``topic`` not later than ``at_ns``."""
        number = self.index(topic, at_ns)
        return None if number < 0 else self.said(topic, number)

    def all(self, topic: str) -> Iterator[Said]:
        """Every message of ``topic``, in order of time."""
        for number in range(len(self._topics[topic].times) if topic in self._topics else 0):
            yield self.said(topic, number)

    def decoded(self, topic: str, said: Said) -> Any:
        """The message's fields by name, by the definition that the bag brings along."""
        return self.codec.decode(said.data, self._topics[topic].kind)

    def _definition(self, name: str) -> str:
        if name not in self._texts:
            raise NeoError(f"{self.folder} has no definition of {name}")
        return self._texts[name]

    def _open(self, file: Path) -> None:
        try:
            stream = file.open("rb")
        except OSError as error:
            raise NeoError(f"cannot read {file}: {error.strerror}") from None
        self._streams.append(stream)
        try:
            summary = make_reader(stream).get_summary()
        except (*DAMAGE, OSError) as error:
            raise NeoError(
                f"{file} cannot be read ({error}); `neo bag recover` mends what was cut off"
            ) from None
        if summary is None or summary.statistics is None or (
            summary.statistics.message_count
            and not any(chunk.message_index_offsets for chunk in summary.chunk_indexes)
        ):  # fmt: skip
            raise NeoError(f"{file} has no index; `neo bag recover {self.folder}` makes it")
        names = {}
        for channel in summary.channels.values():
            schema = summary.schemas.get(channel.schema_id)
            if schema is None or channel.message_encoding != "cdr":
                continue
            self._texts.setdefault(schema.name, schema.data.decode())
            row = self._topics.setdefault(channel.topic, _Topic(schema.name))
            if row.kind != schema.name:
                raise NeoError(f"{self.folder}: {channel.topic} is {row.kind} and {schema.name}")
            names[channel.id] = row
        for chunk in summary.chunk_indexes:
            self._index(len(self._streams) - 1, chunk, names, file)

    def _index(self, number: int, chunk: ChunkIndex, rows: dict[int, _Topic], file: Path) -> None:
        stream = self._streams[number]
        for channel, offset in chunk.message_index_offsets.items():
            if channel not in rows:
                continue
            stream.seek(offset)
            _, length = HEAD.unpack(stream.read(HEAD.size))
            try:
                index = MessageIndex.read(ReadDataStream(BytesIO(stream.read(length))))
            except Exception as error:  # whatever broken bytes are to the reader
                raise NeoError(f"{file}: the index at byte {offset} is broken ({error})") from None
            for time_ns, at in index.records:
                rows[channel].times.append(time_ns)
                rows[channel].places.append((number, chunk.chunk_start_offset, chunk.chunk_length, at))

    def _data(self, number: int, chunk: int, length: int, at: int) -> bytes:
        content = self._chunk(number, chunk, length)
        _, size = HEAD.unpack_from(content, at)
        begin = at + HEAD.size
        return content[begin + MESSAGE.size : begin + size]

    def _chunk(self, number: int, offset: int, length: int) -> bytes:
        key = number, offset
        if key in self._chunks:
            self._chunks.move_to_end(key)
            return self._chunks[key]
        stream = self._streams[number]
        stream.seek(offset + HEAD.size)
        try:
            chunk = Chunk.read(ReadDataStream(BytesIO(stream.read(length - HEAD.size))))
            unpacked, size = get_chunk_data_stream(chunk)
            content = unpacked.read(size)
        except Exception as error:  # whatever a decompressor says of broken bytes
            raise NeoError(f"{self.folder}: the chunk at byte {offset} is broken: {error}") from None
        self._chunks[key] = content
        while len(self._chunks) > CHUNKS_KEPT:
            self._chunks.popitem(last=False)
        return content
