"""Reads an MCAP file record by record, as far as it is whole: also one that lacks its end.

An MCAP file is a list of records, each with its length before it; messages lie in chunks with a checksum
(mcap.dev/spec).
"""

from __future__ import annotations

import os
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, ChunkIndex, MessageIndex, Metadata, MetadataIndex, Schema
from mcap.stream_reader import get_chunk_data_stream
from mcap.writer import MCAP0_MAGIC as MAGIC

from neo_description.errors import NeoError
from neo_flywheel.metadata import CUSTOM, FileRow
from neo_flywheel.provenance import NOTES, Shares

HEAD = struct.Struct("<BQ")  # opcode, length
LARGEST = 1 << 31  # bytes: no record is longer, so a length above it is damage
MESSAGE = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time
DAMAGE = (ValueError, KeyError, RuntimeError, struct.error, zstandard.ZstdError, McapError)


@dataclass
class Scan:
    """What the whole records of a file hold. ``end``: bytes of them; ``ended``: the footer was there."""

    file: Path
    end: int = 0
    ended: bool = False
    skipped: int = 0
    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    chunks: list[ChunkIndex] = field(default_factory=list)
    metadata: list[MetadataIndex] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    first: int = 2**63 - 1
    last: int = 0
    custom: dict[str, str] = field(default_factory=dict)
    shares: Shares = field(default_factory=Shares)
    indexed: ChunkIndex | None = None  # the chunk that message indexes now belong to
    missing: list[MessageIndex] = field(default_factory=list)  # of that chunk

    @property
    def messages(self) -> int:
        return sum(self.counts.values())

    def row(self, name: str) -> FileRow:
        """For ``metadata.yaml``."""
        return FileRow(name, self.first if self.messages else 0, self.last, self.messages)


def files(path: Path) -> list[Path]:
    """The files of a bag in order: ``bag_2`` before ``bag_10``."""
    if path.is_file():
        return [path]
    numbered = [(file.stem.rpartition("_")[2], file) for file in path.glob("*.mcap")]
    if not numbered:
        raise NeoError(f"no bag in {path}: it holds no .mcap file")
    return [file for _, file in sorted(numbered, key=lambda row: (len(row[0]), row[0], row[1].name))]


def scan(file: Path) -> Scan:
    """Reads the whole records of ``file``; NeoError when it is no MCAP file or holds no whole header."""
    found = Scan(file)
    try:
        with file.open("rb") as stream:
            if stream.read(len(MAGIC)) != MAGIC:
                raise NeoError(f"{file} is no MCAP file, or not one byte of it was written")
            found.end = len(MAGIC)
            for opcode, content, end in _records(stream):
                if found.end == len(MAGIC) and opcode != Opcode.HEADER:
                    raise NeoError(f"{file} begins with record {opcode}; an MCAP file begins with a header")
                if opcode in (Opcode.DATA_END, Opcode.FOOTER):
                    found.ended = _has_end(stream)
                    break
                try:
                    _take(found, opcode, content, end)
                except DAMAGE:  # of no checksum: what follows cannot be trusted
                    break
                found.end = end
    except OSError as error:
        raise NeoError(f"cannot read {file}: {error.strerror}") from None
    if found.end == len(MAGIC):
        raise NeoError(f"{file} holds nothing that is whole")
    return found


def _records(stream: BinaryIO) -> Iterator[tuple[int, bytes, int]]:
    """(opcode, content, where it ends) of each whole record."""
    while True:
        head = stream.read(HEAD.size)
        if len(head) < HEAD.size:
            return
        opcode, length = HEAD.unpack(head)
        content = stream.read(length) if length <= LARGEST else b""
        if len(content) < length or length > LARGEST or opcode == 0:
            return
        yield opcode, content, stream.tell()


def _has_end(stream: BinaryIO) -> bool:
    stream.seek(-len(MAGIC), os.SEEK_END)
    return stream.read() == MAGIC


def _take(found: Scan, opcode: int, content: bytes, end: int) -> None:
    """Counts a record in; one of ``DAMAGE`` when it cannot be what was written."""
    stream = ReadDataStream(BytesIO(content))
    begin = end - len(content) - HEAD.size
    if opcode == Opcode.SCHEMA:
        schema = Schema.read(stream)
        found.schemas[schema.id] = schema
    elif opcode == Opcode.CHANNEL:
        channel = Channel.read(stream)
        found.channels[channel.id] = channel
    elif opcode == Opcode.MESSAGE:
        channel_id, _, log_time, _ = MESSAGE.unpack_from(content)
        _count(found, channel_id, log_time, content)
    elif opcode == Opcode.METADATA:
        record = Metadata.read(stream)
        found.metadata.append(MetadataIndex(begin, end - begin, record.name))
        if record.name == CUSTOM:
            found.custom.update(record.metadata)
    elif opcode == Opcode.MESSAGE_INDEX and found.indexed is not None:
        channel_id = MessageIndex.read(stream).channel_id
        found.indexed.message_index_offsets[channel_id] = begin
        found.indexed.message_index_length += end - begin
        found.missing = [index for index in found.missing if index.channel_id != channel_id]
    elif opcode == Opcode.CHUNK:
        chunk = Chunk.read(stream)
        found.indexed, found.missing = None, []
        try:
            found.missing = _look_into(found, _unpacked(chunk))
        except DAMAGE:
            found.skipped += 1  # its bytes stay; no index leads to them
            return
        found.indexed = ChunkIndex(
            message_start_time=chunk.message_start_time, message_end_time=chunk.message_end_time,
            chunk_start_offset=begin, chunk_length=end - begin, message_index_offsets={},
            message_index_length=0, compression=chunk.compression, compressed_size=len(chunk.data),
            uncompressed_size=chunk.uncompressed_size,
        )  # fmt: skip
        found.chunks.append(found.indexed)


def _unpacked(chunk: Chunk) -> bytes:
    """The records of a chunk; one of ``DAMAGE`` when they are not what was written."""
    stream, length = get_chunk_data_stream(chunk, validate_crc=True)
    if length != chunk.uncompressed_size:
        raise ValueError("size")
    return stream.read(length)


def _look_into(found: Scan, data: bytes) -> list[MessageIndex]:
    """Counts the records of a chunk in, all or none; the message indexes that must follow it."""
    indexes: dict[int, MessageIndex] = {}
    messages: list[tuple[int, int, bytes]] = []
    at = 0
    while at < len(data):
        opcode, length = HEAD.unpack_from(data, at)
        content = data[at + HEAD.size : at + HEAD.size + length]
        if opcode == Opcode.MESSAGE:
            channel_id, _, log_time, _ = MESSAGE.unpack_from(content)
            if channel_id not in found.channels:
                raise ValueError(f"channel {channel_id} was in a chunk that is damaged")
            indexes.setdefault(channel_id, MessageIndex(channel_id, [])).records.append((log_time, at))
            messages.append((channel_id, log_time, content))
        else:
            _take(found, opcode, content, 0)
        at += HEAD.size + length
    for message in messages:
        _count(found, *message)
    return list(indexes.values())


def _count(found: Scan, channel_id: int, log_time: int, content: bytes) -> None:
    found.counts[channel_id] += 1
    found.first, found.last = min(found.first, log_time), max(found.last, log_time)
    if found.channels[channel_id].topic.endswith(NOTES):
        found.shares.note(log_time, content[MESSAGE.size :])
