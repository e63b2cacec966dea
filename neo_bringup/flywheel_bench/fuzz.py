"""Recordings spoilt at random, and what an independent reader (``rosbags``) makes of them."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from neo_bringup.flywheel_bench import bags
from neo_flywheel.bag import BagWriter, Qos

CHUNK = 6
Facts = tuple[int, int, int, list[tuple[int, str, str, str, bytes]]]


def independent(folder: Path) -> Facts | str:
    """Counts, times and every message, decoded without complaint; or why not."""
    try:
        with Reader(folder) as reader:
            found, store = [], get_typestore(Stores.EMPTY)
            for connection in reader.connections:
                store.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
            for connection, at, data in reader.messages():
                store.deserialize_cdr(data, connection.msgtype)
                found.append((at, connection.topic, connection.msgtype, connection.digest, bytes(data)))
            return reader.message_count, reader.start_time, reader.duration, found
    except Exception as error:  # it says so in many ways
        return f"{type(error).__name__}: {error}"[:200]


def flip_bits(bag: Path, rng: random.Random) -> None:
    """One to eight bits of the MCAP file."""
    file = _mcap(bag)
    data = bytearray(file.read_bytes())
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    file.write_bytes(data)


def truncate(bag: Path, rng: random.Random) -> None:
    """Somewhere, as a full disk or a lost battery does."""
    file = _mcap(bag)
    file.write_bytes(file.read_bytes()[: rng.randrange(file.stat().st_size)])


def swap_chunks(bag: Path, rng: random.Random) -> None:
    """Two chunks change places, or two halves of one that is alone."""
    file = _mcap(bag)
    data = file.read_bytes()
    chunks = [(at, end) for at, opcode, end in _records(data) if opcode == CHUNK]
    if len(chunks) > 1:
        (a, b), (c, d) = sorted(rng.sample(chunks, 2))
    else:
        (a, d), c = chunks[0], sum(chunks[0]) // 2
        b = c
    file.write_bytes(data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:])


def cut_out(bag: Path, rng: random.Random) -> None:
    """A stretch is missing, there twice, or zeros: blocks that a disk lost."""
    file = _mcap(bag)
    data = file.read_bytes()
    a = rng.randrange(len(data) - 1)
    b = min(len(data), a + rng.randint(1, 2000))
    file.write_bytes(data[:a] + rng.choice([b"", data[a:b] * 2, bytes(b - a)]) + data[b:])


def edit_metadata(bag: Path, rng: random.Random) -> None:
    """One entry is missing, another number, or something else altogether."""
    file = bag / "metadata.yaml"
    content = yaml.safe_load(file.read_text())
    places: list[tuple[Any, Any]] = []
    _places(content, places)
    within, key = rng.choice(places)
    if rng.random() < 0.3:
        del within[key]
    else:
        within[key] = rng.choice([None, -1, 7, "../../x", [], {"a": 1}, 2**70, "mcap", 1.5])
    file.write_text(yaml.safe_dump(content))


def spoil_metadata(bag: Path, rng: random.Random) -> None:
    """Bytes of ``metadata.yaml`` are others, or it is cut off."""
    file = bag / "metadata.yaml"
    data = bytearray(file.read_bytes())
    if rng.random() < 0.3:
        del data[rng.randrange(len(data)) :]
    else:
        for _ in range(rng.randint(1, 5)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    file.write_bytes(data)


def wrong_type(bag: Path, rng: random.Random) -> None:
    """The same messages, written as if they were of another type; all sums are right."""
    with Reader(bag) as reader:
        rows = [(c.topic, c.msgtype, at, bytes(data)) for c, at, data in reader.messages()]
    topics = sorted({(topic, kind) for topic, kind, *_ in rows})
    wrong, right = rng.choice(topics)
    other = rng.choice(sorted({kind for _, kind in topics} - {right}))
    for file in bag.iterdir():
        file.unlink()
    bag.rmdir()
    with BagWriter(bag, bags.book()) as writer:
        numbers = {
            name: writer.add_topic(name, other if name == wrong else kind, Qos()) for name, kind in topics
        }
        for topic, _, at, data in rows:
            writer.write(numbers[topic], at, data)


def replace(bag: Path, rng: random.Random) -> None:
    """A file is gone, empty, noise, or the other one."""
    mcap, metadata = _mcap(bag), bag / "metadata.yaml"
    file = rng.choice([mcap, metadata])
    what = rng.randrange(4)
    if what == 0:
        file.unlink()
    else:
        other = (metadata if file == mcap else mcap).read_bytes()
        file.write_bytes([b"", rng.randbytes(3000), other][what - 1])


SPOIL: tuple[Callable[[Path, random.Random], None], ...] = (
    flip_bits, flip_bits, truncate, swap_chunks, cut_out, edit_metadata, edit_metadata, spoil_metadata,
    wrong_type, replace,
)  # fmt: skip


def _mcap(bag: Path) -> Path:
    return next(bag.glob("*.mcap"))


def _records(data: bytes) -> list[tuple[int, int, int]]:
    """Begin, opcode and end of each."""
    at, found = 8, []
    while at + 9 <= len(data) - 8:
        opcode, length = struct.unpack_from("<BQ", data, at)
        found.append((at, opcode, at + 9 + length))
        at += 9 + length
    return found


def _places(within: Any, found: list[tuple[Any, Any]]) -> None:
    rows = within.items() if isinstance(within, dict) else enumerate(within)
    for key, value in rows:
        found.append((within, key))
        if isinstance(value, (dict, list)):
            _places(value, found)
