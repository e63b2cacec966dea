"""A recorded robot for the page: messages of a bag at the playhead, as :mod:`reading` wants them.

One robot a bag, in whatever namespace. Nodes count as there while they were heard; video is made JPEG again.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2

from neo_bringup.console.playhead import Playhead
from neo_bringup.console.reading import EVERY, EYES, LATCHED, LATEST, Reading
from neo_bringup.console.snapshot import Snapshot, TaskView
from neo_description.errors import NeoError
from neo_flywheel import cdr
from neo_flywheel.provenance import NOTES
from neo_flywheel.seek import SeekableBag
from neo_flywheel.video import Decoder, is_key

BACK = 3.0  # s before a jump's end that the lists of nodes are filled from
QUALITY = 80  # of pictures that come out of a video
MARKED = ("prompt", "outcome", "trigger")
VIDEO = "/h264"


class Film:
    """The pictures of a video topic, in any order."""

    def __init__(self, bag: SeekableBag, topic: str) -> None:
        self._bag, self._topic = bag, topic
        self._decoder, self._last = Decoder(), -1

    def jpeg(self, number: int) -> bytes | None:
        """Picture ``number``; decoded from the last one on, or from the key picture before it."""
        first = self._last + 1
        if number < first or any(is_key(self._data(i)) for i in range(first + 1, number + 1)):
            first = next((i for i in range(number, -1, -1) if is_key(self._data(i))), 0)
            self._decoder = Decoder()
        image = None
        for at in range(first, number + 1):
            image = self._decoder.decode(self._data(at))
        self._last = number
        if image is None:
            return None
        return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()

    def _data(self, number: int) -> bytes:
        return cdr.compressed_video(self._bag.said(self._topic, number).data).data


class BagMessages:
    """A :class:`~neo_bringup.console.reading.Messages` of ``bag`` at ``playhead``; times in s from its begin.

    NeoError when it holds two robots, or nothing that the page shows.
    """

    def __init__(self, bag: SeekableBag, playhead: Playhead) -> None:
        self._bag, self._playhead = bag, playhead
        self._names = {name: found for name in (*LATEST, *EVERY, *LATCHED) if (found := _own(bag, name))}
        spaces = [f"/{found.strip('/')}".removesuffix(name) for name, found in self._names.items()]
        self.prefix = next((space for space in spaces if space.endswith("/")), "/")
        self._films: dict[str, Film] = {}
        for name in EYES.values():
            found = _own(bag, name.removesuffix("/compressed") + VIDEO)
            if found and name not in self._names:
                self._names[name], self._films[name] = found, Film(bag, found)
        if not self._names:
            raise NeoError(f"{bag.folder} holds nothing that the console shows, only {', '.join(bag.topics)}")
        self.unread: dict[str, str] = {}  # topic → why a message of it could not be read
        self._given: dict[str, int] = {}
        self._heard: dict[str, float] = {}
        self._at = 0.0

    def move(self) -> bool:
        """Take the playhead's position; True when it jumped, so that what was read holds no more."""
        before, self._at = self._at, self._playhead.position
        jumped = self._at < before or self._at > before + BACK
        if jumped:
            self._given.clear()
            self._heard.clear()
        return jumped

    def take(self, topic: str) -> Any:
        """Of topics with many publishers every message, of others the last one."""
        found = self._names.get(topic)
        if found is None:
            return None
        number, given = self._bag.index(found, self._ns(self._at)), self._given.get(topic, -1)
        if topic in EVERY:
            given = max(given, self._bag.index(found, self._ns(self._at - BACK)))
            number = min(number, given + 1)
        if number == given:
            return None
        self._given[topic] = number
        if topic in self._films:
            jpeg = self._films[topic].jpeg(number)
            return None if jpeg is None else SimpleNamespace(format="jpeg", data=jpeg)
        try:
            message = self._bag.decoded(found, self._bag.said(found, number))
        except NeoError as error:  # the others are shown all the same
            self.unread[found] = str(error)
            return None
        if topic == "safety/heartbeat":
            self._heard[message.node] = self._at
        elif topic == "/diagnostics":
            self._heard |= dict.fromkeys((status.name for status in message.status), self._at)
        return message

    def age(self, topic: str) -> float | None:
        """s at the playhead since ``topic`` was last recorded."""
        found = self._names.get(topic)
        number = -1 if found is None else self._bag.index(found, self._ns(self._at))
        if found is None or number < 0:
            return None
        return max(0.0, self._at - 1e-9 * (self._bag.time(found, number) - self._bag.first_ns))

    def said_by(self, topic: str) -> int:
        """Whether ``topic`` was recorded before the playhead, as a number."""
        return int(self.age(topic) is not None)

    def now(self) -> float:
        """The playhead, s from the begin."""
        return self._at

    def present(self) -> list[str]:
        """Nodes that were heard before the playhead."""
        return list(self._heard)

    def _ns(self, at: float) -> int:
        return self._bag.first_ns + round(1e9 * at)


class Recording(Reading):
    """Fills a snapshot from the bag in ``folder``; ``task`` and ``marks`` are of the recorder's notes."""

    def __init__(self, folder: Path, silent_after: float) -> None:
        self._bag = SeekableBag(folder)
        try:
            self.playhead = Playhead(1e-9 * (self._bag.last_ns - self._bag.first_ns))
            self._moments = BagMessages(self._bag, self.playhead)
            self.marks = _marks(self._bag)
        except NeoError:
            self._bag.close()
            raise
        self.name = folder.resolve().name if folder.name != "bag" else "/".join(folder.resolve().parts[-2:])
        self.task = TaskView()
        super().__init__(self._moments, silent_after)

    @property
    def unread(self) -> dict[str, str]:
        """Topics of which a message could not be read → why."""
        return dict(self._moments.unread)

    def watch(self, watched: bool) -> None:
        """A recording plays on whoever looks."""

    def motion(self, snapshot: Snapshot) -> None:
        """Go to where the playhead is; after a jump everything is read anew."""
        if self._moments.move():
            snapshot.clear()
            self.forget_times()
        self.task = _task(self.marks, self.playhead.position)
        super().motion(snapshot)

    def close(self) -> None:
        self._bag.close()


def _own(bag: SeekableBag, name: str) -> str:
    """The bag's topic that is ``name`` in its robot's namespace; empty when there is none."""
    found = [topic for topic in bag.topics if f"/{topic}".endswith(f"/{name.lstrip('/')}")]
    if len(found) > 1:
        raise NeoError(f"{bag.folder} has {found[0]} and {found[1]}: split it, one robot a bag")
    return found[0] if found else ""


def _marks(bag: SeekableBag) -> list[tuple[float, str, str]]:
    """s, kind and words of what the recorder noted: prompts, outcomes, triggers."""
    topic = _own(bag, NOTES)
    notes = [(said.time_ns, *cdr.key_value(said.data)) for said in bag.all(topic)] if topic else []
    return [
        (1e-9 * (at - bag.first_ns), kind, words) for at, kind, words in notes if kind in MARKED and words
    ]


def _task(marks: list[tuple[float, str, str]], position: float) -> TaskView:
    """The task at ``position``; how far it was nobody recorded."""
    task = TaskView()
    for at, kind, words in marks:
        if at > position:
            break
        if kind == "prompt":
            task = TaskView(prompt=words, running=True, progress=float("nan"))
        elif kind == "outcome" and task.prompt:
            reason, _, sentence = words.partition(": ")
            done = reason == "done"
            task = TaskView(task.prompt, False, progress=float(done), success=done, outcome=sentence or words)
    return task
