"""Recordings cut in pieces and put together, message for message; what they lie in appears all at once.

    pieces = split(bag, Path("pieces"), every=60.0)
    merge(pieces, Path("whole"))

Times, types, quality of service and custom data stay; publish times become log times, as in the recorder.
"""

from __future__ import annotations

import heapq
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcap.reader import make_reader

from neo_description.errors import NeoError
from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.message_types import MessageType, TypeBook
from neo_flywheel.store import bag_metadata
from neo_flywheel.store.validate import validate

Say = Callable[[str], None]
OF_THE_WHOLE = ("autonomy", "provenance")  # custom data that are not true of a part, or of a sum


@dataclass(frozen=True)
class Message:
    """One message; ``time``: ns since the epoch."""

    time: int
    topic: str
    data: bytes


class BagReader:
    """A recording that was found whole. NeoError says what is wrong with it."""

    def __init__(self, folder: Path, say: Say = lambda _: None):
        self.folder = folder
        self.checked = _checked(folder, say)
        self.custom = self.checked.custom
        rows = bag_metadata.topics(bag_metadata.load(folder))
        self.topics = {name: row["topic_metadata"] for name, row in rows.items()}
        self.counts: dict[str, int] = {name: row["message_count"] for name, row in rows.items()}
        self.types: dict[str, MessageType] = {}
        for file in self.checked.files:
            with file.open("rb") as stream:
                summary = make_reader(stream).get_summary()
            for schema in summary.schemas.values() if summary else ():
                hashes = (
                    t.get("type_description_hash") for t in self.topics.values() if t["type"] == schema.name
                )
                kept = MessageType(schema.name, schema.data.decode(), next(hashes, "") or "")
                self.types.setdefault(schema.name, kept)

    def messages(self) -> Iterator[Message]:
        """All, in order of time."""
        for file in self.checked.files:
            with file.open("rb") as stream:
                for _, channel, message in make_reader(stream).iter_messages(log_time_order=True):
                    yield Message(message.log_time, channel.topic, message.data)

    def qos(self, topic: str) -> Qos:
        """Of the first publisher."""
        offered = bag_metadata.profiles(self.topics[topic].get("offered_qos_profiles") or [])
        if not offered:
            return Qos()
        return Qos(
            reliable=offered[0]["reliability"] != "best_effort",
            latched=offered[0]["durability"] == "transient_local",
            depth=offered[0]["depth"],
        )


class _Book(TypeBook):
    """The types that recordings bring along."""

    def __init__(self, types: dict[str, MessageType]):
        super().__init__([])
        self._types = types

    def find(self, name: str) -> MessageType:
        if name not in self._types:
            raise NeoError(f"the recording has no definition of {name}")
        return self._types[name]


def split(
    folder: Path,
    out: Path,
    every: float | None = None,
    at: Sequence[float] = (),
    gap: float | None = None,
    topic: str = "",
    repeat_latched: bool = False,
    say: Say = lambda _: None,
) -> list[Path]:
    """The pieces of a recording, folders in ``out``, which must not be there.

    One of: ``every`` so many s; ``at`` so many s from the begin; where ``topic`` (empty: every topic) is
    silent for more than ``gap`` s. ``repeat_latched``: a piece begins with the last latched messages before
    it, so that it stands alone. NeoError when nothing or more than one is asked for.
    """
    if (every is not None) + bool(at) + (gap is not None) != 1:
        raise NeoError("split by one of every, at and gap")
    if min([every or 1.0, gap or 1.0, *at]) <= 0.0 or every == 0.0 or gap == 0.0:
        raise NeoError("every, at and gap are in s, above 0")
    reader = BagReader(folder, say)
    if topic and topic not in reader.topics:
        raise NeoError(f"{folder} has no topic {topic}; it has {', '.join(sorted(reader.topics))}")
    cut = _Cut(reader.checked.first, every, sorted(at), gap, topic)
    custom = {name: value for name, value in reader.custom.items() if name not in OF_THE_WHOLE}
    latched = {name for name in reader.topics if reader.qos(name).latched}
    last: dict[str, Message] = {}
    with _all_at_once(out) as scratch, ExitStack() as opened:
        writer: _Writer | None = None
        names: list[str] = []
        for message in reader.messages():
            if cut.here(message) or writer is None:
                opened.close()
                names.append(f"{folder.name}_{len(names):03d}")
                part = {**custom, "split_from": folder.name, "part": str(len(names) - 1)}
                writer = opened.enter_context(_Writer(scratch / names[-1], [reader], part))
                for old in last.values() if repeat_latched else ():
                    writer.write(Message(message.time, old.topic, old.data))
                say(f"{names[-1]}: from {(message.time - reader.checked.first) / 1e9:.1f} s")
            writer.write(message)
            if message.topic in latched:
                last[message.topic] = message
    return [out / name for name in names]


def merge(folders: Sequence[Path], out: Path, say: Say = lambda _: None) -> Path:
    """One recording ``out`` with every message of ``folders``, in order of time.

    Custom data that do not agree are left out; ``merged_from`` names the parts. NeoError when a topic has two
    types, or a type two definitions.
    """
    if len(folders) < 2:
        raise NeoError(f"merge takes two recordings or more; {len(folders)} given")
    readers = [BagReader(folder, say) for folder in folders]
    kept = dict(readers[0].custom)
    for reader in readers[1:]:
        kept = {name: value for name, value in kept.items() if reader.custom.get(name) == value}
    custom = {name: value for name, value in kept.items() if name not in (*OF_THE_WHOLE, "part")}
    custom["merged_from"] = ", ".join(folder.name for folder in folders)
    total, done = sum(reader.checked.messages for reader in readers), 0
    with _all_at_once(out) as scratch, _Writer(scratch / out.name, readers, custom) as writer:
        for message in heapq.merge(*(r.messages() for r in readers), key=lambda message: message.time):
            writer.write(message)
            done += 1
            if done % 50_000 == 0:
                say(f"{done} of {total} messages")
    inner = out / out.name  # the recording is the folder itself
    for file in inner.iterdir():
        file.rename(out / file.name)
    inner.rmdir()
    return out


class _Writer:
    def __init__(self, folder: Path, readers: Sequence[BagReader], custom: dict[str, str]):
        types: dict[str, MessageType] = {}
        topics: dict[str, tuple[str, Qos]] = {}
        for reader in readers:
            for name, kind in reader.types.items():
                if types.setdefault(name, kind).definition != kind.definition:
                    raise NeoError(f"{name} is another type in {reader.folder}: recorded by other software")
            for name, about in reader.topics.items():
                if topics.setdefault(name, (about["type"], reader.qos(name)))[0] != about["type"]:
                    raise NeoError(
                        f"{name} is {about['type']} in {reader.folder}, and {topics[name][0]} before"
                    )
        self._bag = BagWriter(folder, _Book(types), custom, flush_period=math.inf)  # same in, same bytes out
        known = {name: row for name, row in topics.items() if row[0] in types}  # others have no message
        self._topics = {name: self._bag.add_topic(name, *row) for name, row in known.items()}

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._bag.close()
        self._give_up()

    def write(self, message: Message) -> None:
        if not self._bag.write(self._topics[message.topic], message.time, message.data):
            self._give_up()

    def _give_up(self) -> None:
        if self._bag.error:
            raise NeoError(self._bag.error)


@dataclass
class _Cut:
    begin: int
    every: float | None
    at: list[float]
    gap: float | None
    topic: str
    _last: int = 0
    _next: int = 0

    def here(self, message: Message) -> bool:
        """Whether a new piece begins with this message."""
        since = message.time - self.begin
        if self.gap is not None:
            if self.topic and message.topic != self.topic:
                return False
            silent, self._last = message.time - (self._last or message.time), message.time
            return silent > self.gap * 1e9
        if self.every is not None:
            piece = int(since // round(self.every * 1e9))
        else:
            piece = sum(since >= round(at * 1e9) for at in self.at)
        begins, self._next = piece > self._next, max(piece, self._next)
        return begins


def _checked(folder: Path, say: Say) -> Any:
    try:
        return validate(folder, progress=lambda line: say(f"{folder}: {line}"))
    except NeoError as error:
        raise NeoError(f"{folder}: {error}") from None


@contextmanager
def _all_at_once(out: Path) -> Iterator[Path]:
    """A folder to write into that becomes ``out`` when all went well, and goes when not."""
    if out.exists():
        raise NeoError(f"{out} is there already; name a new folder")
    scratch = out.with_name(f".{out.name}.partial")
    shutil.rmtree(scratch, ignore_errors=True)  # of one that was killed
    try:
        scratch.mkdir(parents=True)
        yield scratch
        scratch.rename(out)
    except OSError as error:
        raise NeoError(f"cannot write {out}: {error.strerror}") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
