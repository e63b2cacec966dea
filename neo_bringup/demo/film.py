"""A short film of a run: head camera and outside camera side by side over a caption bar, h264 in MP4."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from mcap.reader import make_reader
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage

from neo_description.errors import NeoError

HEAD = "head_camera/left/image_raw/compressed"
OUTSIDE = "outside_camera/image_raw/compressed"
HEIGHT = 270  # px: of the pictures
BAR = 42  # px
MAX_BYTES = 5_000_000
RATES = (24, 30, 36, 42)  # x264 constant rate factors, tried until the film is small enough
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class Caption:
    """From ``time`` (s of plant time) on the bar says ``text``."""

    time: float
    text: str


def pictures(bag: Path, topic: str) -> list[tuple[float, np.ndarray]]:
    """(plant time, JPEG bytes) of ``topic`` (its last part is enough) in the bag folder."""
    found = []
    for file in sorted(bag.glob("*.mcap")):
        with file.open("rb") as stream:
            for _, channel, message in make_reader(stream).iter_messages():
                if channel.topic.endswith(f"/{topic}"):
                    image = deserialize_message(message.data, CompressedImage)
                    stamp = image.header.stamp
                    found.append((stamp.sec + 1e-9 * stamp.nanosec, np.frombuffer(image.data, np.uint8)))
    return sorted(found, key=lambda row: row[0])


def _decoded(jpeg: np.ndarray) -> np.ndarray:
    image = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    if image is None:
        return np.zeros((HEIGHT, HEIGHT, 3), np.uint8)
    return cv2.resize(image, (round(image.shape[1] * HEIGHT / image.shape[0]), HEIGHT))


def frames(bag: Path, captions: list[Caption]) -> Iterator[np.ndarray]:
    """BGR frames, one for each head picture; NeoError when the bag holds none."""
    head, outside = pictures(bag, HEAD), pictures(bag, OUTSIDE)
    if not head:
        raise NeoError(f"no pictures of {HEAD} in {bag}")
    times = [time for time, _ in outside]
    starts = [caption.time for caption in captions]
    for time, jpeg in head:
        views = [_decoded(jpeg)]
        if outside:
            views.append(_decoded(outside[max(bisect.bisect_right(times, time) - 1, 0)][1]))
        picture = np.concatenate(views, axis=1)
        bar = np.full((BAR, picture.shape[1], 3), 24, np.uint8)
        at = bisect.bisect_right(starts, time) - 1
        text = captions[at].text if at >= 0 else ""
        cv2.putText(bar, text, (10, 27), FONT, 0.52, (235, 235, 235), 1, cv2.LINE_AA)
        clock = f"{time:6.2f} s"
        (width, _), _ = cv2.getTextSize(clock, FONT, 0.5, 1)
        cv2.putText(
            bar, clock, (picture.shape[1] - width - 10, 27), FONT, 0.5, (160, 200, 240), 1, cv2.LINE_AA
        )
        yield np.concatenate([picture, bar], axis=0)


def encode(images: Iterable[np.ndarray], file: Path, fps: int = 10, crf: int = 24) -> int:
    """Writes BGR ``images`` of one size as h264 yuv420p; bytes written."""
    with av.open(str(file), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": str(crf), "preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, fps)
        for i, image in enumerate(images):
            if i == 0:
                stream.height, stream.width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(image[: stream.height, : stream.width]), format="bgr24"
            )
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.stat().st_size


def make(bag: Path, captions: list[Caption], file: Path, fps: int = 10) -> int:
    """The film of ``bag`` in ``file``, at most 5 MB; its size in bytes."""
    shown = list(frames(bag, captions))
    size = 0
    for crf in RATES:
        size = encode(shown, file, fps, crf)
        if size <= MAX_BYTES:
            break
    return size


def make_gif(bag: Path, captions: list[Caption], file: Path, width: int = 480, every: int = 3) -> None:
    """A small animated picture for a README."""
    from PIL import Image

    images = []
    for i, frame in enumerate(frames(bag, captions)):
        if i % every == 0:
            small = cv2.resize(frame, (width, round(frame.shape[0] * width / frame.shape[1])))
            images.append(Image.fromarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB)).quantize(64))
    images[0].save(file, save_all=True, append_images=images[1:], duration=100 * every, loop=0)
