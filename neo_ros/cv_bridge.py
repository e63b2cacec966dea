"""The one door between ``sensor_msgs`` images and numpy, with the semantics of ROS 2's ``CvBridge``.

Where a ROS 2 installation has ``cv_bridge`` its own class is handed out; elsewhere (the wheels lack it) the
few lines here do the same for the encodings this project uses. The ``cv-bridge`` of PyPI is ROS 1's, breaks
16UC1 and is never used. Depth is 32FC1 in metres.
"""

from __future__ import annotations

import sys
from array import array
from typing import Any

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from neo_description.errors import NeoError

# encoding: (dtype, channels)
ENCODINGS: dict[str, tuple[type, int]] = {
    "rgb8": (np.uint8, 3),
    "bgr8": (np.uint8, 3),
    "rgba8": (np.uint8, 4),
    "bgra8": (np.uint8, 4),
    "mono8": (np.uint8, 1),
    "mono16": (np.uint16, 1),
    "8UC1": (np.uint8, 1),
    "8UC3": (np.uint8, 3),
    "16UC1": (np.uint16, 1),
    "32FC1": (np.float32, 1),
}
_COLORS = {"rgb8": "RGB", "bgr8": "BGR", "rgba8": "RGBA", "bgra8": "BGRA", "mono8": "GRAY"}
_TYPES = {"uint8": "8U", "uint16": "16U", "float32": "32F"}


class CvBridgeError(NeoError, TypeError):
    """An image cannot be converted; a TypeError too, as the real bridge's is."""


class OwnCvBridge:
    """``CvBridge`` for :data:`ENCODINGS`."""

    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = "passthrough") -> np.ndarray:
        """(height, width[, channels]) of a message; colour is converted when another encoding is desired."""
        dtype, channels = _layout(img_msg.encoding)
        item = np.dtype(dtype).newbyteorder(">" if img_msg.is_bigendian else "<")
        row = img_msg.width * channels * item.itemsize
        if img_msg.step < row or len(img_msg.data) < img_msg.step * img_msg.height:
            raise CvBridgeError(
                f"image {img_msg.width}x{img_msg.height} {img_msg.encoding}: step {img_msg.step} and "
                f"{len(img_msg.data)} bytes; at least {row} and {row * img_msg.height} are needed"
            )
        data = np.frombuffer(img_msg.data, np.uint8, img_msg.step * img_msg.height)
        pixels = data.reshape(img_msg.height, img_msg.step)[:, :row]
        image = np.ascontiguousarray(pixels).view(item).reshape(img_msg.height, img_msg.width, channels)
        if img_msg.is_bigendian == (sys.byteorder == "little"):
            image = image.astype(dtype)
        image = image[:, :, 0] if channels == 1 else image
        return _convert(image, img_msg.encoding, desired_encoding)

    def cv2_to_imgmsg(
        self, cvim: np.ndarray, encoding: str = "passthrough", header: Header | None = None
    ) -> Image:
        """The message of an image; CvBridgeError when its type does not fit ``encoding``."""
        if encoding == "passthrough":
            encoding = _plain_encoding(cvim)
        dtype, channels = _layout(encoding)
        given = 1 if cvim.ndim == 2 else cvim.shape[2]
        if cvim.dtype != dtype or given != channels:
            raise CvBridgeError(
                f"encoding {encoding} needs {np.dtype(dtype)} x {channels}, not {cvim.dtype} x {given}"
            )
        message = Image(height=cvim.shape[0], width=cvim.shape[1], encoding=encoding)
        if header is not None:
            message.header = header
        message.is_bigendian = int(sys.byteorder == "big")
        message.step = cvim.shape[1] * channels * cvim.dtype.itemsize
        message.data = array("B", np.ascontiguousarray(cvim).tobytes())
        return message

    def compressed_imgmsg_to_cv2(
        self, cmprs_img_msg: CompressedImage, desired_encoding: str = "passthrough"
    ) -> np.ndarray:
        """The decoded image: bgr8 as OpenCV decodes it, converted when another encoding is desired."""
        data = np.frombuffer(cmprs_img_msg.data, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
        if image is None:
            raise CvBridgeError(
                f"compressed image of {len(data)} bytes, format {cmprs_img_msg.format!r}: no image"
            )
        if desired_encoding == "passthrough":
            return image
        return _convert(image, "mono8" if image.ndim == 2 else "bgr8", desired_encoding)

    def cv2_to_compressed_imgmsg(self, cvim: np.ndarray, dst_format: str = "jpg") -> CompressedImage:
        """The compressed message of a bgr8 or mono8 image."""
        try:
            done, data = cv2.imencode(f".{dst_format}", cvim)
        except cv2.error as error:
            raise CvBridgeError(f"format {dst_format!r}: {error}") from None
        if not done:
            raise CvBridgeError(f"format {dst_format!r}: the image could not be encoded")
        return CompressedImage(format=dst_format, data=array("B", data.tobytes()))


def _layout(encoding: str) -> tuple[type, int]:
    if encoding not in ENCODINGS:
        raise CvBridgeError(f"encoding {encoding!r}; one of {', '.join(ENCODINGS)}")
    return ENCODINGS[encoding]


def _plain_encoding(image: np.ndarray) -> str:
    channels = 1 if image.ndim == 2 else image.shape[2]
    return f"{_TYPES.get(str(image.dtype), str(image.dtype))}C{channels}"


def _convert(image: np.ndarray, source: str, desired: str) -> np.ndarray:
    if desired in ("passthrough", source):
        return image
    layout = _layout(desired)
    if source in _COLORS and desired in _COLORS:
        return cv2.cvtColor(image, getattr(cv2, f"COLOR_{_COLORS[source]}2{_COLORS[desired]}"))
    if ENCODINGS[source] == layout:
        return image
    raise CvBridgeError(f"{source} cannot be converted to {desired}")


def _ros_bridge() -> Any:
    """The class of ROS 2's cv_bridge, or None. Ament is asked: it does not know PyPI's ROS 1 package."""
    from ament_index_python.packages import PackageNotFoundError, get_package_prefix

    try:
        get_package_prefix("cv_bridge")
        import cv_bridge
    except (PackageNotFoundError, ImportError, OSError):
        return None
    return cv_bridge.CvBridge


CvBridge: Any = _ros_bridge() or OwnCvBridge
