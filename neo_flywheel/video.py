"""Pictures as h264, one message a picture: small, and every picture is there as soon as it was taken.

The messages are ``foxglove_msgs/msg/CompressedVideo``: Foxglove, Lichtblick and rerun decode that type, and
``foxglove_compressed_video_transport`` plays it as images; ``sensor_msgs/CompressedImage`` with the format
``h264`` they show as a broken picture, for its readers expect one that stands alone. What its definition asks
for (docs.foxglove.dev, CompressedVideo): Annex B, whole pictures, no B frames, parameter sets with every key.
"""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from neo_description.errors import NeoError
from neo_flywheel import cdr
from neo_flywheel.message_types import SEPARATOR, MessageType

VIDEO = "foxglove_msgs/msg/CompressedVideo"
VIDEO_TYPE = MessageType(  # not among the ROS wheels; a bag carries it, so no reader has to have it
    VIDEO,
    "builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\nstring format\n"
    f"{SEPARATOR}\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n",
    "RIHS01_32039eafc3770e589c86c4dabff9c392ce9955ebffd43f5f60763011d43d8d1d",
)
FORMAT = "h264"
RAW = {"rgb8": ("rgb24", 3), "bgr8": ("bgr24", 3), "mono8": ("gray", 1)}  # encoding → (pixel format, bytes)


class Encoder:
    """One camera's stream. A key picture every ``key_every`` pictures, and where the size changes.

    ``quality``: x264's constant rate factor, 0 (lossless) to 51. x264's fastest preset, one thread: 3.2 ms a
    640 × 480 picture where it was measured.
    """

    def __init__(self, quality: int = 23, key_every: int = 10):
        self._quality, self._key_every = quality, key_every
        self._codec: av.VideoCodecContext | None = None
        self._count = 0

    def encode(self, image: bytes) -> tuple[bytes, bool]:
        """A serialised ``sensor_msgs/msg/Image`` → a serialised CompressedVideo, and whether it is a key.

        NeoError when its encoding is none of rgb8, bgr8, mono8, or its size does not fit its data.
        """
        picture = cdr.image(image)
        data, key = self.encode_array(pixels(picture), RAW[picture.encoding][0])
        made = cdr.Picture(picture.sec, picture.nanosec, picture.frame_id, FORMAT, data)
        return cdr.compressed_video_cdr(made), key

    def encode_array(self, array: np.ndarray, pixel_format: str = "bgr24") -> tuple[bytes, bool]:
        """(H, W, 3) or (H, W) uint8 → Annex B bytes of one picture, and whether it is a key."""
        height, width = array.shape[0] // 2 * 2, array.shape[1] // 2 * 2  # 4:2:0 has no odd sizes
        if self._codec is None or (self._codec.width, self._codec.height) != (width, height):
            self._codec = self._made(width, height)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array[:height, :width]), format=pixel_format)
        frame.pts = self._count
        self._count += 1
        packets = self._codec.encode(frame)
        return b"".join(bytes(packet) for packet in packets), any(packet.is_keyframe for packet in packets)

    def _made(self, width: int, height: int) -> av.VideoCodecContext:
        codec = av.CodecContext.create("libx264", "w")
        assert isinstance(codec, av.VideoCodecContext)
        codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
        codec.time_base = Fraction(1, 30)
        codec.gop_size, codec.max_b_frames, codec.thread_count = self._key_every, 0, 1
        codec.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": str(self._quality)}
        return codec


class Decoder:
    """The pictures of one stream, in order; none before its first key."""

    def __init__(self) -> None:
        codec = av.CodecContext.create(FORMAT, "r")
        assert isinstance(codec, av.VideoCodecContext)
        codec.thread_count = 1  # with more, pictures come late
        self._codec = codec
        self._seen_key = False

    def decode(self, data: bytes) -> np.ndarray | None:
        """(H, W, 3) uint8 BGR of one message's ``data``; None where the stream cannot be read yet."""
        self._seen_key = self._seen_key or is_key(data)
        if not self._seen_key:
            return None
        try:
            frames = self._codec.decode(av.Packet(data))
        except av.FFmpegError:
            return None
        return frames[-1].to_ndarray(format="bgr24") if frames else None


def pixels(picture: cdr.Picture) -> np.ndarray:
    """(H, W, 3) or (H, W) uint8 of a raw picture, in its own order of colours."""
    if picture.encoding not in RAW:
        raise NeoError(f"an image in {picture.encoding!r}; video is made of {', '.join(RAW)}")
    size = RAW[picture.encoding][1]
    rows = np.frombuffer(picture.data, np.uint8)
    if picture.step < picture.width * size or rows.size < picture.step * picture.height or not rows.size:
        raise NeoError(
            f"an image of {picture.width} × {picture.height} px with rows of {picture.step} bytes has "
            f"{rows.size} bytes"
        )
    rows = rows[: picture.step * picture.height].reshape(picture.height, picture.step)
    rows = rows[:, : picture.width * size]
    return rows if size == 1 else rows.reshape(picture.height, picture.width, size)


def is_key(data: bytes) -> bool:
    """Whether h264 in Annex B holds a picture that needs none before it (NAL unit type 5)."""
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        if data[at + 3] & 0x1F == 5:
            return True
        at = data.find(b"\x00\x00\x01", at + 3)
    return False
