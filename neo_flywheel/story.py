"""What happened in a bag, as far as campaigns ask for it: surprise, tasks, who acted, what was seen.

Read with the definitions that the bag itself carries; no ROS needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.records import Channel, Message, Schema
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from neo_description.errors import NeoError
from neo_flywheel import cdr
from neo_flywheel.provenance import NOTES

SURPRISE = "world_model/surprise"
OBJECTS = "perception/objects"
SURE = 0.5  # confidence from which on an object counts as seen
AWAY = 5.0  # s after which it counts as seen anew
EXCUSED = ("done", "cancelled", "refused")


@dataclass(frozen=True)
class Event:
    """``kind``: prompt, outcome, provenance, trigger, object or intervention, with its words."""

    time_ns: int
    kind: str
    words: str


@dataclass
class Story:
    """``surprise``: (time in ns, quantile) as the world model said them."""

    first_ns: int = 0
    last_ns: int = 0
    events: list[Event] = field(default_factory=list)
    surprise: list[tuple[int, float]] = field(default_factory=list)

    @property
    def failures(self) -> list[Event]:
        """Outcomes of tasks that were not done, and not refused or cancelled."""
        return [e for e in self.events if e.kind == "outcome" and e.words.partition(":")[0] not in EXCUSED]


def bag_file(folder: Path) -> Path:
    """The file of a bag folder, or the file itself; NeoError where there is none, or it is cut off."""
    files = [folder] if folder.is_file() else sorted(folder.glob("*.mcap"))
    if len(files) != 1:
        raise NeoError(f"{folder} holds {len(files)} .mcap files; a bag of ours has one")
    return files[0]


def messages(file: Path, **options: Any) -> Iterator[tuple[Schema | None, Channel, Message]]:
    """All messages as ``mcap`` reads them; ``options`` as of its ``iter_messages``. NeoError: unreadable."""
    try:
        with file.open("rb") as stream:
            yield from make_reader(stream).iter_messages(**options)
    except (OSError, McapError) as error:
        raise NeoError(f"cannot read {file} ({error}); `neo bag recover` mends what was cut off") from None


def read(folder: Path) -> Story:
    """The story of a bag."""
    file, story, teller = bag_file(folder), Story(), _Teller()
    with file.open("rb") as stream:
        try:
            summary = make_reader(stream).get_summary()
        except McapError:
            summary = None
    if summary is None or summary.statistics is None:
        raise NeoError(f"{file} has no summary; `neo bag recover {folder}` makes it")
    story.first_ns = summary.statistics.message_start_time
    story.last_ns = summary.statistics.message_end_time
    wanted = [c.topic for c in summary.channels.values() if c.topic.endswith((SURPRISE, OBJECTS, NOTES))]
    if not wanted:
        return story
    for schema, channel, message in messages(file, topics=wanted):
        if channel.topic.endswith(NOTES):
            teller.note(story, message)
        elif schema is not None:
            told = teller.decoded(schema, message)
            if channel.topic.endswith(SURPRISE):
                story.surprise.append((message.log_time, float(told.value)))
            else:
                teller.objects(story, message.log_time, told.objects)
    return story


class _Teller:
    def __init__(self) -> None:
        self._store = get_typestore(Stores.EMPTY)
        self._known: set[str] = set()
        self._seen: dict[str, int] = {}
        self._task = False

    def decoded(self, schema: Schema, message: Message) -> Any:
        if schema.name not in self._known:
            self._known.add(schema.name)
            self._store.register(get_types_from_msg(schema.data.decode(), schema.name))
        return self._store.deserialize_cdr(message.data, schema.name)

    def note(self, story: Story, message: Message) -> None:
        kind, words = cdr.key_value(message.data)
        story.events.append(Event(message.log_time, kind, words))
        if kind in ("prompt", "outcome"):
            self._task = kind == "prompt"
        if kind == "provenance" and words == "teleop" and self._task:
            story.events.append(Event(message.log_time, "intervention", ""))

    def objects(self, story: Story, time_ns: int, seen: Any) -> None:
        for thing in seen:
            if thing.confidence < SURE or thing.visible_fraction <= 0.0:
                continue
            name = f"{thing.color} {thing.class_name}".strip()
            if time_ns - self._seen.get(name, -(10**18)) > AWAY * 1e9:
                story.events.append(Event(time_ns, "object", name))
            self._seen[name] = time_ns
