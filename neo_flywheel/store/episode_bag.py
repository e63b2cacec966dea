"""An episode as a recording: one rosbag2 MCAP, so that it is validated, read and uploaded as every other.

    save(episode, Path("outbox/r001-00"), book, "neo_1", begin_ns, {"release": "2"})
    episode = load(Path("outbox/r001-00"))

``/ROBOT/episode/NAME`` holds a field's step as float32, ``/ROBOT/episode/privileged/NAME`` a label that only
a simulator knows, each eye's topic a picture without loss; notes say who chose each step and what was asked
for. What an episode says of itself stands as JSON in the custom data, under ``episode``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from neo_description.errors import NeoError
from neo_flywheel import cdr, story
from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.message_types import TypeBook
from neo_flywheel.metadata import read_custom
from neo_flywheel.provenance import NOTE_TYPE, NOTES
from neo_flywheel.store.episode_file import ABOUT
from neo_world_model.episode import LABELS, Episode
from neo_world_model.modalities import PROVENANCE, shapes, table

NUMBERS = "std_msgs/msg/Float32MultiArray"
PICTURE = "sensor_msgs/msg/CompressedImage"
EYES = ("head_camera/left/image_raw/compressed", "head_camera/right/image_raw/compressed")
FIELD, LABEL = "episode/", "episode/privileged/"
KEY = "episode"  # of the custom data


def save(
    episode: Episode, folder: Path, book: TypeBook, robot: str, begin_ns: int, custom: dict[str, str]
) -> None:
    """Writes the new ``folder``, whole at the end. ``begin_ns``: since the epoch; ``custom``: more data."""
    about = {name: getattr(episode, name) for name in ABOUT} | {"things": list(episode.things)}
    outcome = {True: "done", False: "failed", None: ""}[episode.success]
    given = {
        KEY: json.dumps(about, sort_keys=True),
        "robot": robot,
        "prompt": episode.prompt,
        "outcome": outcome,
    }
    period = round(1e9 / table()["rate"])
    # never flushed by the clock: the same episode is the same bytes
    with BagWriter(folder, book, given | custom, flush_period=math.inf) as bag:
        notes = bag.add_topic(f"/{robot}/{NOTES}", NOTE_TYPE, Qos(latched=True))
        topics = {name: bag.add_topic(f"/{robot}/{name}", NUMBERS, Qos()) for name in _numbers(episode)}
        eyes = [
            bag.add_topic(f"/{robot}/{eye}", PICTURE, Qos()) for eye in EYES if "vision" in episode.fields
        ]
        bag.write(notes, begin_ns, cdr.key_value_cdr("prompt", episode.prompt))
        numbers, by = _numbers(episode), ""
        for step in range(len(episode)):
            at, was = begin_ns + step * period, by
            by = PROVENANCE[episode.provenance[step]]
            if by != was:
                bag.write(notes, at, cdr.key_value_cdr("provenance", by))
            for name, topic in topics.items():
                bag.write(topic, at, _numbers_cdr(numbers[name][step]))
            for eye, topic in enumerate(eyes):
                bag.write(topic, at, _picture_cdr(episode.fields["vision"][step, eye], at))
    if bag.error:
        raise NeoError(bag.error)


def holds(folder: Path) -> bool:
    """Whether the recording in ``folder`` is an episode as :func:`save` writes it."""
    return KEY in read_custom(folder)


def load(folder: Path) -> Episode:
    """The episode; NeoError when the recording holds none, or a broken one."""
    custom = read_custom(folder)
    if KEY not in custom:
        raise NeoError(f"{folder} is a recording of no episode")
    rows, pictures, by = _read(folder)
    try:
        about: dict[str, Any] = json.loads(custom[KEY])
        about["things"] = tuple(about["things"])
        fields: dict[str, np.ndarray] = {}
        labels: dict[str, np.ndarray] = {}
        progress = None
        for name, values in rows.items():
            if name.startswith(LABEL):
                label = name.removeprefix(LABEL)
                labels[label] = np.array(values, np.float32).reshape(-1, *LABELS[label])
            elif name == FIELD + "progress":
                progress = np.array(values, np.float32).reshape(-1)
            else:
                field = name.removeprefix(FIELD)
                shape, dtype = shapes()[field]
                fields[field] = np.array(values).reshape(-1, *shape).astype(dtype)
        if pictures:
            fields["vision"] = np.stack([np.stack(pictures[eye]) for eye in EYES], axis=1)
        return Episode(
            fields=fields, provenance=np.array(by, np.int8), progress=progress, privileged=labels, **about
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NeoError(f"{folder} holds a broken episode: {error!r}") from None


def _read(folder: Path) -> tuple[dict[str, list[np.ndarray]], dict[str, list[np.ndarray]], list[int]]:
    """Of every step: numbers by their topic without the robot, pictures by eye, who chose."""
    rows: dict[str, list[np.ndarray]] = {}
    pictures: dict[str, list[np.ndarray]] = {}
    notes: list[tuple[int, int]] = []
    times: dict[int, None] = {}
    for _, channel, message in story.messages(story.bag_file(folder)):
        name = channel.topic.removeprefix("/").partition("/")[2]
        if name == NOTES:
            key, value = cdr.key_value(message.data)
            if key == "provenance" and value in PROVENANCE:
                notes.append((message.log_time, PROVENANCE.index(value)))
        elif name in EYES:
            pictures.setdefault(name, []).append(_picture(message.data))
        elif name.startswith(FIELD):
            times[message.log_time] = None
            rows.setdefault(name, []).append(_numbers_of(message.data))
    return rows, pictures, list(_holding(notes, list(times)))


def _holding(notes: list[tuple[int, int]], times: list[int]) -> Iterator[int]:
    """What the newest note said at each of ``times``; both in order."""
    said, left = 0, list(reversed(notes))
    for time in times:
        while left and left[-1][0] <= time:
            said = left.pop()[1]
        yield said


def _numbers(episode: Episode) -> dict[str, np.ndarray]:
    """Topic, without the robot → (T, …); all but pictures."""
    found = {FIELD + name: values for name, values in episode.fields.items() if name != "vision"}
    if episode.progress is not None:
        found[FIELD + "progress"] = episode.progress
    return found | {LABEL + name: values for name, values in episode.privileged.items()}


def _numbers_cdr(values: np.ndarray) -> bytes:
    """A ``Float32MultiArray`` without a layout: the names of fields say their shapes."""
    data = np.ascontiguousarray(values, "<f4").ravel()
    empty = cdr.Writer().number("I", 0).number("I", 0)
    return empty.number("I", data.size).end() + data.tobytes()


def _numbers_of(raw: bytes) -> np.ndarray:
    reader = cdr.Reader(raw)
    if reader.number("I"):
        raise NeoError("an array with a layout; episodes have none")
    reader.number("I")
    count = reader.number("I")
    return np.frombuffer(raw, "<f4", count, len(raw) - 4 * count)


def _picture_cdr(image: np.ndarray, at: int) -> bytes:
    """(H, W, 3) uint8 RGB as PNG."""
    _, png = cv2.imencode(".png", image[..., ::-1])
    second, rest = divmod(at, 10**9)
    return cdr.compressed_image_cdr(cdr.Picture(second, rest, "", "png", png.tobytes()))


def _picture(raw: bytes) -> np.ndarray:
    """(H, W, 3) uint8 RGB; NeoError when it is no picture."""
    image = cv2.imdecode(np.frombuffer(cdr.compressed_image(raw).data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise NeoError("a picture that cannot be decoded")
    return np.asarray(image)
