"""One MCAP file, read from first byte to last and checked against itself. NeoError says what is wrong.

More than the ``mcap`` package's own readers check: that nothing is cut off or follows the end, that indices,
statistics and summary agree with the chunks, and that no length asks for more memory than there is file.
Format: mcap.dev/spec.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import zstandard
from mcap import records
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.stream_reader import get_chunk_data_stream

from neo_description.errors import NeoError
from neo_flywheel.scan import HEAD, MAGIC, MESSAGE

LARGEST = 2**30  # bytes of a record or of an unpacked chunk
Take = Callable[[records.Channel, int, bytes], None]  # channel, log time (ns), message


@dataclass
class Contents:
    """What the file says of itself. Times in ns since the epoch; ``counts``: channel → messages."""

    schemas: dict[int, records.Schema] = field(default_factory=dict)
    channels: dict[int, records.Channel] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    first: int = 2**63 - 1
    last: int = 0
    backwards: int = 0  # ns, the largest step back in time from one message to the next

    @property
    def messages(self) -> int:
        return sum(self.counts.values())


def scan(file: Path, take: Take | None = None) -> Contents:
    """Reads all of ``file``; ``take`` gets each message in the order in which it lies there."""
    with file.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise NeoError(f"{file.name} is no MCAP file: it does not begin like one")
        return _Scan(file.name, stream, file.stat().st_size, take).run()


class _Scan:
    def __init__(self, name: str, stream: BinaryIO, size: int, take: Take | None):
        self._name, self._stream, self._size, self._take = name, stream, size, take
        self._found = Contents()
        self._time = 0
        self._chunks: dict[int, tuple[records.Chunk, int]] = {}  # offset → chunk without data, its length
        self._indexed: dict[int, dict[int, list[tuple[int, int]]]] = {}  # chunk's offset → channel → times
        self._held: dict[int, int] = {}  # channels with messages in a chunk
        self._last_chunk = -1
        self._data_end = False
        self._summary: list[records.McapRecord] = []

    def run(self) -> Contents:
        for offset, opcode, content in self._records():
            try:
                if opcode == Opcode.FOOTER:
                    self._end(offset, records.Footer.read(_stream(content)))
                    return self._found
                self._record(offset, opcode, content)
            except (struct.error, UnicodeDecodeError, IndexError) as error:
                raise self._bad(f"the record at byte {offset} is broken ({error})") from None
        raise self._bad("it is cut off: it has no end")

    def _records(self) -> Iterator[tuple[int, int, bytes]]:
        """Offset, opcode and content of each."""
        while True:
            offset = self._stream.tell()
            head = self._stream.read(HEAD.size)
            if len(head) < HEAD.size:
                raise self._bad(f"it is cut off at byte {offset + len(head)}: it has no end")
            opcode, length = HEAD.unpack(head)
            if length > min(self._size - offset, LARGEST):
                raise self._bad(f"the record at byte {offset} is cut off or broken: {length} bytes long")
            yield offset, opcode, self._stream.read(length)

    def _record(self, offset: int, opcode: int, content: bytes) -> None:
        if self._data_end:
            self._summarise(opcode, content)
        elif opcode == Opcode.CHUNK:
            self._chunk(offset, content)
        elif opcode == Opcode.MESSAGE_INDEX:
            index = records.MessageIndex.read(_stream(content))
            own = self._indexed.get(self._last_chunk, {})
            if sorted(index.records) != sorted(own.pop(index.channel_id, [])):
                raise self._bad(f"the message index at byte {offset} does not agree with its chunk")
        elif opcode == Opcode.DATA_END:
            self._data_end = True
            left = [at for at, index in self._indexed.items() if index and len(index) < self._held[at]]
            if left:
                raise self._bad(f"the chunk at byte {left[0]} has messages that its index leaves out")
        else:
            self._plain(offset, opcode, content)

    def _chunk(self, offset: int, content: bytes) -> None:
        chunk = records.Chunk.read(_stream(content))
        if chunk.uncompressed_size > LARGEST:
            raise self._bad(f"the chunk at byte {offset} would unpack to {chunk.uncompressed_size} bytes")
        if chunk.compression == "zstd" and zstandard.frame_content_size(chunk.data) not in (
            -1,
            chunk.uncompressed_size,
        ):
            raise self._bad(f"the chunk at byte {offset} unpacks to another size than it says")
        try:
            stream, length = get_chunk_data_stream(chunk, validate_crc=True)
            data = stream.read(length)
        except Exception as error:  # whatever a decompressor says of broken bytes
            raise self._bad(f"the chunk at byte {offset} is broken: {error}") from None
        if len(data) != chunk.uncompressed_size:
            raise self._bad(f"the chunk at byte {offset} unpacks to another size than it says")
        self._last_chunk, at, times = offset, 0, []
        index: dict[int, list[tuple[int, int]]] = {}
        while at < len(data):
            opcode, length = HEAD.unpack_from(data, at)
            begin = at + HEAD.size
            if begin + length > len(data):
                raise self._bad(f"the chunk at byte {offset} holds a record that is cut off")
            if opcode == Opcode.MESSAGE:
                channel, log_time = self._message(offset, data[begin : begin + length])
                index.setdefault(channel, []).append((log_time, at))
                times.append(log_time)
            else:
                self._plain(offset, opcode, data[begin : begin + length])
            at = begin + length
        if times and (min(times), max(times)) != (chunk.message_start_time, chunk.message_end_time):
            raise self._bad(f"the chunk at byte {offset} says other times than its messages")
        self._indexed[offset] = index
        self._held[offset] = len(index)
        chunk.data = b""
        self._chunks[offset] = chunk, len(content) + HEAD.size

    def _message(self, offset: int, data: bytes) -> tuple[int, int]:
        found = self._found
        channel, _, log_time, _ = MESSAGE.unpack_from(data)
        if channel not in found.channels:
            raise self._bad(f"at byte {offset} is a message of channel {channel}, which is not there")
        found.counts[channel] = found.counts.get(channel, 0) + 1
        found.first, found.last = min(found.first, log_time), max(found.last, log_time)
        found.backwards = max(found.backwards, self._time - log_time)
        self._time = log_time
        if self._take is not None:
            self._take(found.channels[channel], log_time, data[MESSAGE.size :])
        return channel, log_time

    def _plain(self, offset: int, opcode: int, content: bytes) -> None:
        if opcode == Opcode.MESSAGE:
            self._message(offset, content)
        elif opcode == Opcode.SCHEMA:
            schema = records.Schema.read(_stream(content))
            if self._found.schemas.setdefault(schema.id, schema) != schema:
                raise self._bad(f"schema {schema.id} means two things")
        elif opcode == Opcode.CHANNEL:
            channel = records.Channel.read(_stream(content))
            if self._found.channels.setdefault(channel.id, channel) != channel:
                raise self._bad(f"channel {channel.id} means two things")

    def _summarise(self, opcode: int, content: bytes) -> None:
        if opcode == Opcode.STATISTICS:
            self._summary.append(records.Statistics.read(_stream(content)))
        elif opcode == Opcode.CHUNK_INDEX:
            self._summary.append(records.ChunkIndex.read(_stream(content)))
        else:
            self._plain(0, opcode, content)

    def _end(self, offset: int, footer: records.Footer) -> None:
        if not self._data_end:
            raise self._bad("its data have no end")
        if self._stream.read(len(MAGIC)) != MAGIC or self._stream.read(1):
            raise self._bad("it does not end where it should")
        if footer.summary_crc and footer.summary_start:
            self._stream.seek(footer.summary_start)
            covered = self._stream.read(offset + HEAD.size + 16 - footer.summary_start)
            if zlib.crc32(covered) != footer.summary_crc:
                raise self._bad("its summary is broken")
        for record in self._summary:
            if isinstance(record, records.Statistics):
                counts = {channel: n for channel, n in record.channel_message_counts.items() if n}
                if counts != self._found.counts or record.message_count != self._found.messages:
                    raise self._bad(
                        f"it holds {self._found.messages} messages and says {record.message_count}, or others"
                    )
            elif isinstance(record, records.ChunkIndex):
                chunk, length = self._chunks.pop(record.chunk_start_offset, (None, 0))
                said = (record.message_start_time, record.message_end_time, record.chunk_length)
                if chunk is None or said != (chunk.message_start_time, chunk.message_end_time, length):
                    raise self._bad(
                        f"its index says a chunk at byte {record.chunk_start_offset} that is not there"
                    )
        if any(isinstance(record, records.ChunkIndex) for record in self._summary) and self._chunks:
            raise self._bad(f"its index leaves out {len(self._chunks)} chunks")

    def _bad(self, what: str) -> NeoError:
        return NeoError(f"{self._name}: {what}")


def _stream(content: bytes) -> ReadDataStream:
    return ReadDataStream(BytesIO(content))
