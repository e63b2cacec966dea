"""Pictures that a bag holds compressed, as the raw images that nodes take.

A recorder keeps ``head_camera/left/image_raw/compressed`` (JPEG) or ``…/image_raw/h264``; nodes listen to
``head_camera/left/image_raw``.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from neo_description.errors import NeoError
from neo_flywheel import cdr
from neo_flywheel.recorder import RAW_IMAGE, TWIN
from neo_flywheel.replay.codec import Codec
from neo_flywheel.video import VIDEO, Decoder

H264 = "/h264"
TWINS = {TWIN: "sensor_msgs/msg/CompressedImage", H264: VIDEO}  # what a topic's name ends with → its type


class Pictures:
    """Serialised images of each topic in turn; ``codec`` writes them."""

    def __init__(self, codec: Codec):
        self._codec = codec
        self._decoders: dict[str, Decoder] = {}

    def raw(self, topic: str, ending: str, data: bytes) -> bytes | None:
        """The image in ``data``, of ``topic`` + ``ending``; None before a video's first key picture.

        NeoError when it cannot be decoded.
        """
        if ending == H264:
            picture = cdr.compressed_video(data)
            image = self._decoders.setdefault(topic, Decoder()).decode(picture.data)
            if image is None:
                return None
        else:
            picture = cdr.compressed_image(data)
            image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
            if image is None:
                raise NeoError(f"{topic}{ending}: {len(picture.data)} bytes are no picture")
        return self._message(picture, np.asarray(image))

    def _message(self, picture: cdr.Picture, image: np.ndarray) -> bytes:
        """``image`` (H, W, 3) uint8 BGR as ``sensor_msgs/msg/Image`` in rgb8."""
        self._codec.fields(RAW_IMAGE)
        types: dict[str, Any] = self._codec.store.types
        stamp = types["builtin_interfaces/msg/Time"](picture.sec, picture.nanosec)
        header = types["std_msgs/msg/Header"](stamp, picture.frame_id)
        height, width = image.shape[:2]
        pixels = np.ascontiguousarray(image[..., ::-1]).reshape(-1)
        message = types[RAW_IMAGE](header, height, width, "rgb8", 0, 3 * width, pixels)
        return self._codec.encode(message, RAW_IMAGE)
