"""What may leave the robot: a decimated log without pictures, and clips whose faces are covered.

Both are single MCAP files (profile ``ros2``) in memory. Only types that are listed here are let through, so a
topic that somebody adds stays on the robot until somebody decides otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from mcap.records import Channel, Message, Schema
from mcap.writer import CompressionType, Writer

from neo_description.errors import NeoError
from neo_flywheel import cdr, story
from neo_flywheel.faces import AROUND, LOOK_EVERY, Faces, cover
from neo_flywheel.metadata import CUSTOM
from neo_flywheel.provenance import NOTE_TYPE
from neo_flywheel.video import VIDEO, Decoder, Encoder

COMPRESSED = "sensor_msgs/msg/CompressedImage"
LOGGED = (
    NOTE_TYPE, "nav_msgs/msg/Odometry", "neo_msgs/msg/BodyState",
    "neo_msgs/msg/Consequences", "neo_msgs/msg/GraspStatus", "neo_msgs/msg/HandState",
    "neo_msgs/msg/SafetyState", "neo_msgs/msg/Surprise",
)  # fmt: skip
CLIPPED = (
    *LOGGED, "geometry_msgs/msg/WrenchStamped", "neo_msgs/msg/HandCommand", "neo_msgs/msg/ObjectArray",
    "neo_msgs/msg/TendonCommand", "neo_msgs/msg/WholeBodyCommand", "rosgraph_msgs/msg/Clock",
    "sensor_msgs/msg/CameraInfo", "sensor_msgs/msg/Imu", "sensor_msgs/msg/JointState", "std_msgs/msg/Bool",
    "tf2_msgs/msg/TFMessage",
)  # fmt: skip
PICTURES = (COMPRESSED, VIDEO)
LEAD = 5.0  # s before a clip from which a video is decoded, to have a key picture
JPEG_QUALITY = 90


class _Out:
    """An MCAP file in memory with the channels that it is given."""

    def __init__(self, about: dict[str, str]):
        self._stream = BytesIO()
        self._writer = Writer(self._stream, compression=CompressionType.ZSTD)
        self._writer.start(profile="ros2", library="neo_flywheel")
        self._writer.add_metadata(CUSTOM, about)
        self._schemas: dict[int, int] = {}
        self._channels: dict[int, int] = {}
        self.messages = 0

    def write(self, schema: Schema, channel: Channel, time_ns: int, data: bytes) -> None:
        if schema.id not in self._schemas:
            self._schemas[schema.id] = self._writer.register_schema(schema.name, schema.encoding, schema.data)
        if channel.id not in self._channels:
            self._channels[channel.id] = self._writer.register_channel(
                channel.topic, channel.message_encoding, self._schemas[schema.id], dict(channel.metadata)
            )
        self._writer.add_message(self._channels[channel.id], time_ns, data, time_ns)
        self.messages += 1

    def end(self) -> bytes:
        self._writer.finish()
        return self._stream.getvalue()


def decimated(
    folder: Path, rate: float, about: dict[str, str], leave_out: Callable[[int], bool] = lambda _: False
) -> bytes:
    """The log of a bag: of each topic among ``LOGGED`` at most ``rate`` messages a second (Hz); no pictures.
    Of notes every one: they are few, and hold on.

    ``leave_out(time_ns)``: moments of which nothing is taken.
    """
    if rate <= 0.0:
        raise NeoError(f"a log at {rate} Hz; above 0 is allowed")
    out, due = _Out(about), dict[int, int]()
    for schema, channel, message in story.messages(story.bag_file(folder)):
        if schema is None or schema.name not in LOGGED:
            continue
        if schema.name != NOTE_TYPE and message.log_time < due.get(channel.id, 0):
            continue
        if leave_out(message.log_time):
            continue
        due[channel.id] = message.log_time + round(1e9 / rate)
        out.write(schema, channel, message.log_time, message.data)
    return out.end()


def cut(
    folder: Path, first_ns: int, last_ns: int, about: dict[str, str], images: bool, also: Collection[str] = ()
) -> bytes:
    """The messages of a bag from ``first_ns`` to ``last_ns``, every picture with its faces covered.

    ``also``: types that go besides those in ``CLIPPED``. ``images`` false: no pictures.

    What is latched (``/tf_static``, notes …) stands at the beginning, whenever it was said. NeoError when
    pictures are wanted and there is no face detector.
    """
    file = story.bag_file(folder)
    pictures = _Pictures()
    if images:
        for schema, channel, message in _window(file, first_ns, last_ns):
            if schema.name in PICTURES:
                pictures.look(schema, channel, message, first_ns - round(AROUND * 1e9))
    out, standing = _Out(about), dict[tuple[int, bytes], tuple[Schema, Channel, bytes]]()
    for kind, channel, message in story.messages(file, ending_before=first_ns):
        if kind is not None and kind.name in CLIPPED and "transient_local" in str(channel.metadata):
            standing[channel.id, _key(kind, message)] = kind, channel, message.data
    for kind, channel, data in standing.values():
        out.write(kind, channel, first_ns, data)
    pictures.rewind()
    for schema, channel, message in _window(file, first_ns, last_ns):
        if message.log_time < first_ns:
            if images and schema.name == VIDEO:
                pictures.decoded(schema, channel, message)
        elif images and schema.name in PICTURES:
            covered = pictures.covered(schema, channel, message)
            if covered is not None:
                out.write(schema, channel, message.log_time, covered)
        elif schema.name in CLIPPED or schema.name in also:
            out.write(schema, channel, message.log_time, message.data)
    return out.end()


def _key(schema: Schema, message: Message) -> bytes:
    if schema.name == NOTE_TYPE:
        return cdr.key_value(message.data)[0].encode()
    return message.data if schema.name == "tf2_msgs/msg/TFMessage" else b""


def _window(file: Path, first_ns: int, last_ns: int) -> Iterator[tuple[Schema, Channel, Message]]:
    """Messages of a clip, and those of a few seconds before it."""
    start = max(0, first_ns - round(LEAD * 1e9))
    for schema, channel, message in story.messages(file, starting_at=start, ending_at=last_ns):
        if schema is not None:
            yield schema, channel, message


class _Pictures:
    """Decodes, covers and encodes the pictures of each topic; cameras of one head share their faces."""

    def __init__(self) -> None:
        self._faces: dict[str, Faces] = {}
        self._due: dict[int, int] = {}
        self._decoders: dict[int, Decoder] = {}
        self._encoders: dict[int, Encoder] = {}

    def look(self, schema: Schema, channel: Channel, message: Message, from_ns: int) -> None:
        """First pass: where are faces, from ``from_ns`` on?"""
        due = max(from_ns, self._due.get(channel.id, 0))
        if message.log_time < due and schema.name != VIDEO:
            return
        picture, image = self.decoded(schema, channel, message)
        if picture is not None and image is not None and message.log_time >= due:
            self._due[channel.id] = message.log_time + round(LOOK_EVERY * 1e9)
            self._of(channel).see(message.log_time, image)

    def rewind(self) -> None:
        """Before the second pass."""
        self._decoders.clear()

    def covered(self, schema: Schema, channel: Channel, message: Message) -> bytes | None:
        """Second pass: the message with its faces covered; None when it cannot be decoded, so cannot go."""
        picture, image = self.decoded(schema, channel, message)
        if picture is None or image is None:
            return None
        cover(image, self._of(channel).at(message.log_time))
        if schema.name == VIDEO:
            encoder = self._encoders.setdefault(channel.id, Encoder())
            data, _ = encoder.encode_array(image)
            return cdr.compressed_video_cdr(dataclasses.replace(picture, data=data))
        _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return cdr.compressed_image_cdr(dataclasses.replace(picture, data=jpeg.tobytes(), encoding="jpeg"))

    def _of(self, channel: Channel) -> Faces:
        name = channel.topic.replace("/left/", "/").replace("/right/", "/")
        return self._faces.setdefault(name, Faces())

    def decoded(
        self, schema: Schema, channel: Channel, message: Message
    ) -> tuple[cdr.Picture | None, np.ndarray | None]:
        """The message, and (H, W, 3) uint8 BGR where it can be read; of a video, every message in order."""
        try:
            if schema.name == VIDEO:
                picture = cdr.compressed_video(message.data)
                decoder = self._decoders.setdefault(channel.id, Decoder())
                image = decoder.decode(picture.data)
            else:
                picture = cdr.compressed_image(message.data)
                image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
        except (NeoError, cv2.error):
            return None, None
        return picture, None if image is None else np.array(image)
