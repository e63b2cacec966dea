"""Whether a folder is a whole, sane rosbag2 recording. NeoError says what is wrong; nothing else is raised.

Checked: ``metadata.yaml`` and what it says of files, topics, types, counts and times; every MCAP file from
end to end (:mod:`mcap_file`); every type's definition against its name and hash, and some messages of each
topic against the definition; clocks. An empty recording is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mcap.records import Channel, Schema
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from neo_description.errors import NeoError
from neo_flywheel.store import bag_metadata, mcap_file

EARLIEST = 1_577_836_800  # s since the epoch, 2020: before, a clock was never set
AHEAD = 86_400.0  # s that a clock may be ahead
BACK = 1.0  # s that time may step back from one message to the next
DECODED = 3  # messages of a topic that are decoded
READ = ("/recorder/notes", "/world_model/surprise")  # decoded all: the catalogue wants to know
Decode = Callable[[bytes], Any]


@dataclass
class Checked:
    """A bag that is whole. Times: ns since the epoch; ``said``: topic of ``READ`` → its decoded messages."""

    files: list[Path]
    custom: dict[str, str]
    topics: dict[str, str]  # name → type
    first: int
    last: int
    messages: int
    said: dict[str, list[Any]] = field(default_factory=dict)


def validate(
    folder: Path, now: float | None = None, progress: Callable[[str], None] = lambda _: None
) -> Checked:
    """The facts of a bag. ``now``: s since the epoch. NeoError: what is wrong with it."""
    try:
        return _Check(folder, time.time() if now is None else now, progress).run()
    except NeoError:
        raise
    except Exception as error:  # a bag is what others wrote: whatever it provokes is its fault, not a crash
        said = " ".join(str(error).split())[:300]
        raise NeoError(f"cannot be read: {type(error).__name__}: {said}") from None


class _Check:
    def __init__(self, folder: Path, now: float, progress: Callable[[str], None]):
        self._folder, self._now, self._progress = folder, now, progress
        self._decode: dict[str, Decode] = {}

    def run(self) -> Checked:
        about = bag_metadata.load(self._folder)
        names = about["relative_file_paths"]
        files = [self._file(name) for name in names]
        others = {file.name for file in self._folder.glob("*.mcap")} - set(names)
        if not files or others:
            raise NeoError(f"metadata.yaml leaves out {', '.join(sorted(others)) or 'every file'}")
        said = bag_metadata.topics(about)
        found = Checked(files, bag_metadata.custom(about), {}, 2**63 - 1, 0, 0)
        counts: dict[str, int] = {}
        for file in files:
            self._progress(f"reading {file.name}, {file.stat().st_size / 1e6:.0f} MB")
            contents = self._scan(file, said, found)
            self._agrees(file.name, about, contents)
            for number, n in contents.counts.items():
                topic = contents.channels[number].topic
                counts[topic] = counts.get(topic, 0) + n
            if contents.backwards > BACK * 1e9:
                raise NeoError(f"{file.name}: its clock steps back by {contents.backwards / 1e9:.1f} s")
            found.first, found.last = min(found.first, contents.first), max(found.last, contents.last)
            found.messages += contents.messages
        if not found.messages:
            raise NeoError("it is empty: not one message")
        self._agree(about, said, counts, found)
        self._clock(found)
        return found

    def _file(self, name: str) -> Path:
        file = self._folder / name
        if not file.is_file() or file.is_symlink():
            raise NeoError(f"{name} is missing, metadata.yaml names it")
        return file

    def _scan(self, file: Path, said: dict[str, Any], found: Checked) -> mcap_file.Contents:
        samples: dict[str, list[bytes]] = {}

        def take(channel: Channel, _: int, data: bytes) -> None:
            kept = samples.setdefault(channel.topic, [])
            if len(kept) < DECODED or channel.topic.endswith(READ):
                kept.append(data)

        contents = mcap_file.scan(file, take)
        for channel in contents.channels.values():
            schema = contents.schemas.get(channel.schema_id)
            if schema is None or channel.message_encoding != "cdr":
                raise NeoError(f"{file.name}: {channel.topic} has no type, or is not CDR")
            row = said.get(channel.topic)
            if row is None:
                raise NeoError(f"metadata.yaml leaves out the topic {channel.topic}")
            about = row["topic_metadata"]
            if about.get("type") != schema.name:
                raise NeoError(f"{channel.topic} is {schema.name}; metadata.yaml says {about.get('type')}")
            offered = channel.metadata.get("offered_qos_profiles")
            listed = bag_metadata.profiles(about["offered_qos_profiles"])
            if offered and bag_metadata.profiles(offered) != listed:
                raise NeoError(f"{channel.topic} was offered with another quality than metadata.yaml says")
            decode = self._decoder(schema, about.get("type_description_hash"))
            for data in samples.get(channel.topic, []):
                message = _decoded(decode, data, channel.topic, schema.name)
                if channel.topic.endswith(READ):
                    found.said.setdefault(channel.topic, []).append(message)
            found.topics[channel.topic] = schema.name
        return contents

    def _decoder(self, schema: Schema, type_hash: Any) -> Decode:
        """Bytes → message, by the definition in the bag, which has to be what its name and hash say."""
        if schema.name not in self._decode:
            if schema.encoding != "ros2msg" or not schema.data:
                raise NeoError(f"the type {schema.name} has no definition")
            store = get_typestore(Stores.EMPTY)
            try:
                store.register(get_types_from_msg(schema.data.decode(), schema.name))
                worked_out = store.hash_rihs01(schema.name)
            except Exception as error:  # rosbags raises what it meets
                raise NeoError(f"the definition of {schema.name} is broken: {error}") from None
            if type_hash and type_hash != worked_out:
                raise NeoError(f"the type {schema.name} is not what its hash in metadata.yaml says")
            self._decode[schema.name] = partial(_deserialize, store, schema.name)
        return self._decode[schema.name]

    def _agree(
        self, about: dict[str, Any], said: dict[str, Any], counts: dict[str, int], found: Checked
    ) -> None:
        """metadata.yaml with what was found in the files."""
        for topic, row in said.items():
            if row.get("message_count") != counts.get(topic, 0):
                given = row.get("message_count")
                raise NeoError(f"{topic} has {counts.get(topic, 0)} messages; metadata.yaml says {given}")
        numbers = {
            "message_count": (about["message_count"], found.messages),
            "starting_time": (about["starting_time"]["nanoseconds_since_epoch"], found.first),
            "duration": (about["duration"]["nanoseconds"], found.last - found.first),
        }
        for name, (given, true) in numbers.items():
            if given != true:
                raise NeoError(f"metadata.yaml says {name} {given}; the messages say {true}")

    def _agrees(self, name: str, about: dict[str, Any], contents: mcap_file.Contents) -> None:
        """One file with what metadata.yaml says of it, where that version says something."""
        for row in about.get("files", ()):
            if row["path"] == name and contents.messages:
                given = (row["starting_time"]["nanoseconds_since_epoch"], row["duration"]["nanoseconds"])
                true = (contents.first, contents.last - contents.first)
                if (*given, row["message_count"]) != (*true, contents.messages):
                    raise NeoError(f"metadata.yaml says times or counts of {name} that its messages do not")

    def _clock(self, found: Checked) -> None:
        if found.first < EARLIEST * 10**9:
            raise NeoError(f"its clock was not set: it begins {found.first / 1e9:.0f} s after 1970")
        if found.last > (self._now + AHEAD) * 1e9:
            raise NeoError(f"its clock is {found.last / 1e9 - self._now:.0f} s ahead; a day is allowed")


def _deserialize(store: Any, name: str, data: bytes) -> Any:
    return store.deserialize_cdr(data, name)


def _decoded(decode: Decode, data: bytes, topic: str, name: str) -> Any:
    try:
        return decode(data)
    except Exception as error:  # rosbags raises what it meets
        raise NeoError(f"{topic} holds a message that is no {name}: {type(error).__name__} {error}") from None
