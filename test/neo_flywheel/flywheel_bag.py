"""A bag as the recorder leaves it, for tests: states, surprise, objects, notes and pictures of a face."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from neo_msgs.msg import BodyState, DetectedObject, ObjectArray, Surprise
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, PointCloud2
from tf2_msgs.msg import TFMessage

from neo_flywheel import cdr
from neo_flywheel.bag import BagWriter, Qos
from neo_flywheel.message_types import TypeBook
from neo_flywheel.provenance import NOTE_TYPE
from neo_flywheel.video import VIDEO_TYPE, Encoder

START = 1_795_852_800 * 10**9  # 2026-11-28 08:00 UTC, ns
SIZE = (424, 240)  # px
FACE = (230, 60, 90, 100)  # column, row, width, height in px: where the face is in the picture
LEFT, RIGHT = (f"/head_camera/{eye}/image_raw/compressed" for eye in ("left", "right"))
VIDEO = "/head_camera/left/image_raw/h264"


def portrait() -> np.ndarray:
    """(240, 424, 3) BGR: a photograph of a person before a wall."""
    folder = Path(matplotlib.__file__).parent / "mpl-data" / "sample_data"
    photo = cv2.imread(str(folder / "grace_hopper.jpg"))
    photo = cv2.resize(photo, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    image = np.full((SIZE[1], SIZE[0], 3), (120, 130, 125), np.uint8)
    image[:, 130 : 130 + photo.shape[1]] = photo[: SIZE[1]]
    return image


def jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


def write(
    folder: Path,
    seconds: float = 20.0,
    surprises: dict[float, float] | None = None,
    objects: dict[float, tuple[str, str]] | None = None,
    notes: dict[float, tuple[str, str]] | None = None,
    pictures: bool = True,
    start_ns: int = START,
    seed: int = 0,
) -> Path:
    """``surprises`` etc.: s after the start → what. States at 50 Hz, surprise at 5 Hz, pictures at 2.5 Hz."""
    book = TypeBook([Path(sys.prefix)], [VIDEO_TYPE])
    writer = BagWriter(folder, book, {"task": "test"})
    topics = {
        name: writer.add_topic(name, kind, qos)
        for name, kind, qos in (
            ("/body/state", "neo_msgs/msg/BodyState", Qos(reliable=False, depth=1)),
            ("/world_model/surprise", "neo_msgs/msg/Surprise", Qos()),
            ("/perception/objects", "neo_msgs/msg/ObjectArray", Qos()),
            ("/perception/points", "sensor_msgs/msg/PointCloud2", Qos()),
            ("/recorder/notes", NOTE_TYPE, Qos(latched=True)),
            ("/tf_static", "tf2_msgs/msg/TFMessage", Qos(latched=True)),
            (LEFT, "sensor_msgs/msg/CompressedImage", Qos()),
            (RIGHT, "sensor_msgs/msg/CompressedImage", Qos()),
            (VIDEO, VIDEO_TYPE.name, Qos()),
        )
    }
    rng, encoder = np.random.default_rng(seed), Encoder()
    face, photo = portrait(), jpeg(portrait())

    def say(name, message, at):
        data = message if isinstance(message, bytes) else serialize_message(message)
        assert writer.write(topics[name], start_ns + round(at * 1e9), data)

    say("/tf_static", TFMessage(), 0.0)
    told = [(at, "/recorder/notes", cdr.key_value_cdr(*row)) for at, row in (notes or {}).items()]
    for at, (color, kind) in (objects or {}).items():
        thing = DetectedObject(class_name=kind, color=color, confidence=0.9, visible_fraction=1.0)
        told.append((at, "/perception/objects", ObjectArray(objects=[thing])))
    told.sort(key=lambda row: row[0])
    sudden = dict(surprises or {})
    for i in range(round(seconds * 50)):
        at = i / 50
        while told and told[0][0] <= at:
            _, name, message = told.pop(0)
            say(name, message, at)
        say("/body/state", BodyState(tick=10 * i, joint_position=rng.normal(size=31)), at)
        if i % 10:
            continue
        value = max([sudden.pop(t) for t in list(sudden) if t <= at], default=0.3)
        say("/world_model/surprise", Surprise(value=value), at)
        if not pictures or i % 20:
            continue
        say("/perception/points", PointCloud2(data=b"secret points"), at)
        for name in (LEFT, RIGHT):
            message = CompressedImage(format="jpeg")
            message.data.frombytes(photo)
            say(name, message, at)
        picture = cdr.Picture(0, 0, "eye", "h264", encoder.encode_array(face)[0])
        say(VIDEO, cdr.compressed_video_cdr(picture), at)
    writer.close()
    assert not writer.error
    return folder
