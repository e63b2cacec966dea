"""Makes a whole bag of what is left of one: after ``kill -9``, a power cut or a full disk.

    recover(Path("runs/TIME/bag"))      # every whole chunk stays, byte for byte; a new summary follows
    reindex(Path("runs/TIME/bag"))      # whole files, only metadata.yaml is made anew

A cut-off file lacks its end: a part of the last record, the summary, the footer. Recovery copies all records
up to the last whole one and derives the rest, so what it wrote begins with the bytes that were there. The
original stays beside it as ``NAME.mcap.cut``.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import DataEnd, Footer, Statistics, SummaryOffset
from mcap.writer import MCAP0_MAGIC as MAGIC

from neo_description.errors import NeoError
from neo_flywheel.metadata import TopicRow, read_custom, write_metadata
from neo_flywheel.scan import Scan, files, scan

CUT, PARTIAL = ".cut", ".recovering"


@dataclass(frozen=True)
class Recovered:
    """What was done with a file: ``lost`` bytes behind its last whole record, 0 when it was whole."""

    file: Path
    messages: int
    lost: int
    skipped: int
    whole: bool


def recover(path: Path) -> list[Recovered]:
    """Recovers a bag folder, or one ``.mcap`` file with the ``metadata.yaml`` beside it.

    NeoError when there is nothing to recover; nothing has changed then.
    """
    scans = [scan(file) for file in files(path)]
    for found in scans:
        if found.skipped and not found.chunks:
            raise NeoError(f"{found.file}: the chunk that says what the others hold is damaged; no way back")
    done = [_mend(found) for found in scans]
    _describe(scans)
    return done


def reindex(path: Path) -> list[Recovered]:
    """Makes ``metadata.yaml`` anew; NeoError when a file is cut off."""
    scans = [scan(file) for file in files(path)]
    for found in scans:
        if not found.ended:
            raise NeoError(f"{found.file} is cut off; `neo bag recover {path}` mends it")
    _describe(scans)
    return [Recovered(found.file, found.messages, 0, found.skipped, True) for found in scans]


def _mend(found: Scan) -> Recovered:
    """Writes the file anew when it is cut off or damaged; until it is whole the old one stays in place."""
    file = found.file
    if found.ended and not found.skipped:
        return Recovered(file, found.messages, 0, 0, True)
    partial, kept = file.with_name(file.name + PARTIAL), file.with_name(file.name + CUT)
    lost = 0 if found.ended else file.stat().st_size - found.end
    try:
        with file.open("rb") as source, partial.open("wb") as target:
            left = found.end
            while left:
                block = source.read(min(left, 1 << 20))
                target.write(block)
                left -= len(block)
            target.write(_ending(found))
            target.flush()
            os.fsync(target.fileno())
        kept.unlink(missing_ok=True)
        os.link(file, kept)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise NeoError(f"cannot recover {file}: {error.strerror}; it is as it was") from None
    return Recovered(file, found.messages, lost, found.skipped, False)


def _ending(found: Scan) -> bytes:
    """What follows the last whole record: message indexes that were cut off, summary, footer."""
    front = RecordBuilder()
    for index in found.missing:
        chunk = found.chunks[-1]  # of which they are
        begin = front.count
        chunk.message_index_offsets[index.channel_id] = found.end + begin
        index.write(front)
        chunk.message_index_length += front.count - begin
    DataEnd(0).write(front)
    data = front.end()
    start = found.end + len(data)
    statistics = Statistics(
        attachment_count=0, channel_count=len(found.channels), channel_message_counts=dict(found.counts),
        chunk_count=len(found.chunks), message_count=found.messages, metadata_count=len(found.metadata),
        message_start_time=found.first if found.messages else 0, message_end_time=found.last,
        schema_count=len(found.schemas),
    )  # fmt: skip
    groups: list[tuple[int, list[Any]]] = [
        (Opcode.SCHEMA, list(found.schemas.values())),
        (Opcode.CHANNEL, list(found.channels.values())),
        (Opcode.STATISTICS, [statistics]),
        (Opcode.CHUNK_INDEX, found.chunks),
        (Opcode.METADATA_INDEX, found.metadata),
    ]
    summary, offsets = RecordBuilder(), []
    for opcode, records in groups:
        begin = summary.count
        for record in records:
            record.write(summary)
        if records:
            offsets.append(SummaryOffset(opcode, start + begin, summary.count - begin))
    offsets_at = start + summary.count
    for offset in offsets:
        offset.write(summary)
    body = summary.end()
    footer_head = struct.pack("<BQQQ", Opcode.FOOTER, 8 + 8 + 4, start, offsets_at)
    end = RecordBuilder()
    Footer(start, offsets_at, zlib.crc32(footer_head, zlib.crc32(body))).write(end)
    return data + body + end.end() + MAGIC


def _describe(scans: list[Scan]) -> None:
    folder = scans[0].file.parent
    topics: dict[str, TopicRow] = {}
    for found in scans:
        for channel in found.channels.values():
            schema = found.schemas.get(channel.schema_id)
            row = topics.setdefault(
                channel.topic,
                TopicRow(
                    channel.topic,
                    schema.name if schema else "",
                    channel.metadata.get("topic_type_hash", ""),
                    yaml.safe_load(channel.metadata.get("offered_qos_profiles") or "[]"),
                ),
            )
            row.count += found.counts.get(channel.id, 0)
    custom = read_custom(folder)
    for found in scans:
        custom.update(found.custom)
    last = scans[-1]
    custom.update(last.shares.custom(last.last))
    try:
        write_metadata(folder, [found.row(found.file.name) for found in scans], list(topics.values()), custom)
    except OSError as error:
        raise NeoError(f"cannot write {folder}/metadata.yaml: {error.strerror}") from None
