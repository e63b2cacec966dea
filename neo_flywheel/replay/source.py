"""What a bag has for a node, in the order of its log: rosbag2 in MCAP or sqlite3, ours or somebody else's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rosbags.rosbag2 import Reader, ReaderError

from neo_description.errors import NeoError
from neo_flywheel import cdr
from neo_flywheel.recorder import RAW_IMAGE
from neo_flywheel.replay import codec
from neo_flywheel.replay.codec import Codec
from neo_flywheel.replay.pictures import TWINS, Pictures
from neo_flywheel.replay.table import Call, Row, type_of


@dataclass(frozen=True)
class Step:
    """One thing to do: send ``data`` on ``topic``, or ``call``. ``stamp``: ns, of messages that drive."""

    topic: str = ""
    data: bytes = b""
    stamp: int = 0
    call: Call | None = None


@dataclass
class Source:
    """``steps`` in order; ``driven`` of them drive. ``migrated``: types whose definition is another today.

    ``sha256``: of the messages' values, so the same for a bag that was split, compressed or made anew.
    ``answers``: what the node said when the bag was recorded, where it is there.
    """

    bag: Path
    steps: list[Step]
    driven: int
    sha256: str
    migrated: list[str] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)


def stamp_of(data: bytes) -> int:
    """Stamp (ns) of a serialised message that begins with a header."""
    reader = cdr.Reader(data)
    return reader.number("i") * 1_000_000_000 + reader.number("I")


def read(bag: Path, row: Row, definition: codec.Definition) -> Source:
    """All that ``row`` takes from ``bag``, a folder or one file; ``definition``: of types as they are today.

    NeoError when it cannot be read, lacks the messages that drive, or holds those of several robots.
    """
    new, rows = Codec(definition), list(_messages(bag, row, definition))
    rows.sort(key=lambda message: message[0])  # the files of a bag may overlap
    changed, steps, calls, digest = set(), list[Step](), _Calls(row, new), hashlib.sha256()
    answers, pictures = list[bytes](), Pictures(new)
    for _, topic, ending, data, own in rows:
        kind, old = type_of(topic), own or new
        if ending:
            raw = pictures.raw(topic, ending, data)
            if raw is None:
                continue
            data, own, old = raw, None, new
        if topic in row.wanted:
            message = old.encode(old.decode(data, kind), kind)  # the bytes between fields may be anything
            digest.update(f"{topic} {len(message)}\n".encode() + message)
        if own is not None and not codec.same(own, new, kind):
            changed.add(kind)
            data = codec.migrated(data, kind, own, new)
        if topic == row.answer:
            answers.append(data)
        calls.look(topic, data)
        if topic == row.drive or topic in row.inputs:
            steps.append(Step(topic, data, stamp_of(data) if topic == row.drive else 0))
    driven = sum(step.topic == row.drive for step in steps)
    if not driven:
        raise NeoError(f"{bag} has no message of {row.drive}, which drives {row.node}")
    return Source(bag, calls.among(steps), driven, digest.hexdigest(), sorted(changed), answers)


def _messages(bag: Path, row: Row, definition: codec.Definition) -> Any:
    """(log time in ns, our name of the topic, what follows it there, message, who reads its definition)."""
    try:
        with Reader(bag) as reader:
            taken = _taken(bag, reader, row)
            wanted = [one for one in reader.connections if one.topic in taken]
            texts = {one.msgtype: one.msgdef.data for one in wanted}
            old = Codec(_own(texts, definition))  # a bag of sqlite3 may lack definitions
            for connection, time_ns, data in reader.messages(wanted) if wanted else ():
                own = old if texts[connection.msgtype] else None
                yield time_ns, *taken[connection.topic], bytes(data), own
    except (OSError, ReaderError) as error:
        raise NeoError(f"cannot read {bag}: {error}") from None


def _taken(bag: Path, reader: Reader, row: Row) -> dict[str, tuple[str, str]]:
    """Topic in the bag → our name and what follows it there: nothing, or how its pictures are compressed."""
    taken: dict[str, tuple[str, str]] = {}
    for one in reader.connections:
        found = _ours(one.topic, row)
        if found is None:
            continue
        name, ending = found
        kind = TWINS[ending] if ending else type_of(name)
        if one.msgtype != kind:
            raise NeoError(f"{bag}: {one.topic} is {one.msgtype}; {name}{ending} is {kind}")
        other = next((t for t, n in taken.items() if n == found and t != one.topic), None)
        if other is not None:
            raise NeoError(f"{bag} has {other} and {one.topic}: split it, one robot a bag")
        taken[one.topic] = found
    there = set(taken.values())
    best = {name: next(e for e in ("", *TWINS) if (name, e) in there) for name, _ in there}
    return {topic: (name, ending) for topic, (name, ending) in taken.items() if best[name] == ending}


def _ours(topic: str, row: Row) -> tuple[str, str] | None:
    """Which topic of ``row`` a bag's ``topic`` is, in whatever namespace, and what follows its name."""
    for name in (*row.wanted, row.answer):
        for ending in ("", *(TWINS if type_of(name) == RAW_IMAGE else ())):
            if f"/{topic}".endswith(f"/{name.lstrip('/')}{ending}"):
                return name, ending
    return None


def _own(texts: dict[str, str], today: codec.Definition) -> Callable[[str], str]:
    return lambda name: texts.get(name) or today(name)


class _Calls:
    """Finds out when services were called, by what was said of it."""

    def __init__(self, row: Row, new: Codec):
        self._row, self._codec = row, new
        self._was = {id(call): True for call in row.calls}  # a bag that begins with it: called before
        self._made: list[tuple[int, Call]] = []

    def look(self, topic: str, data: bytes) -> None:
        """The next message."""
        for call in self._row.calls:
            if call.told_by != topic:
                continue
            message = self._codec.decode(data, type_of(topic))
            now = all(codec.at(message, name) == value for name, value in call.when.items())
            if now and not self._was[id(call)]:
                self._made.append((stamp_of(data), call))
            self._was[id(call)] = now

    def among(self, steps: list[Step]) -> list[Step]:
        """``steps`` with the calls, each behind the state with its stamp; none before the first state: what
        had been heard when the recorder began is not in the bag."""
        result, left, known = list[Step](), sorted(self._made, key=lambda made: made[0]), False
        for step in steps:
            drives = step.topic == self._row.drive
            while drives and known and left and left[0][0] < step.stamp:
                result.append(Step(call=left.pop(0)[1]))
            result.append(step)
            known = known or drives
        return result + [Step(call=call) for _, call in left]
