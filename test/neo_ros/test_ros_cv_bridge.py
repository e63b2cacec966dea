"""CvBridge semantics for every encoding used, for our own door and for ROS 2's where it is installed."""

import sys

import cv2
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from neo_description.errors import NeoError
from neo_ros import cv_bridge

BRIDGES = list({cv_bridge.OwnCvBridge, cv_bridge.CvBridge})  # the second differs where ROS 2 brings its own
RNG = np.random.default_rng(3)
BYTES = {"mono8": (6, 5), "rgb8": (6, 5, 3), "bgr8": (6, 5, 3), "rgba8": (6, 5, 4), "bgra8": (6, 5, 4)}
IMAGES = {
    **{encoding: RNG.integers(0, 256, shape).astype(np.uint8) for encoding, shape in BYTES.items()},
    "16UC1": RNG.integers(0, 65536, (6, 5)).astype(np.uint16),
    "mono16": RNG.integers(0, 65536, (6, 5)).astype(np.uint16),
    "32FC1": RNG.uniform(0.2, 5.0, (6, 5)).astype(np.float32),
}


@pytest.fixture(params=BRIDGES, ids=lambda kind: kind.__module__)
def bridge(request):
    return request.param()


@pytest.mark.parametrize("encoding", IMAGES)
def test_an_image_comes_back_bit_for_bit(bridge, encoding):
    """PyPI's ROS 1 bridge corrupts 16UC1."""
    image = IMAGES[encoding]
    message = bridge.cv2_to_imgmsg(image, encoding, Header(frame_id="camera"))
    message = deserialize_message(serialize_message(message), Image)
    assert (message.encoding, message.header.frame_id) == (encoding, "camera")
    assert (message.height, message.width) == image.shape[:2]
    assert message.step == image[0].nbytes
    assert bytes(message.data) == image.tobytes()
    back = bridge.imgmsg_to_cv2(message)
    assert back.dtype == image.dtype
    np.testing.assert_array_equal(back, image)


@pytest.mark.parametrize(
    ("source", "desired", "code"),
    [
        ("rgb8", "bgr8", cv2.COLOR_RGB2BGR),
        ("bgr8", "rgb8", cv2.COLOR_BGR2RGB),
        ("rgb8", "mono8", cv2.COLOR_RGB2GRAY),
        ("bgr8", "mono8", cv2.COLOR_BGR2GRAY),
        ("mono8", "bgr8", cv2.COLOR_GRAY2BGR),
        ("mono8", "rgb8", cv2.COLOR_GRAY2RGB),
        ("bgra8", "bgr8", cv2.COLOR_BGRA2BGR),
        ("rgba8", "rgb8", cv2.COLOR_RGBA2RGB),
    ],
)
def test_colour_is_converted_as_opencv_does(bridge, source, desired, code):
    message = bridge.cv2_to_imgmsg(IMAGES[source], source)
    np.testing.assert_array_equal(bridge.imgmsg_to_cv2(message, desired), cv2.cvtColor(IMAGES[source], code))


def test_passthrough_keeps_the_layout(bridge):
    assert bridge.cv2_to_imgmsg(IMAGES["bgr8"]).encoding == "8UC3"
    assert bridge.cv2_to_imgmsg(IMAGES["32FC1"]).encoding == "32FC1"


def test_padded_rows_are_read(bridge):
    image = IMAGES["mono8"]
    padded = np.zeros((6, 8), np.uint8)
    padded[:, :5] = image
    message = Image(height=6, width=5, step=8, encoding="mono8", data=padded.tobytes())
    np.testing.assert_array_equal(bridge.imgmsg_to_cv2(message), image)


def test_the_other_byte_order_is_read(bridge):
    image = IMAGES["16UC1"]
    other = ">" if sys.byteorder == "little" else "<"
    message = bridge.cv2_to_imgmsg(image, "16UC1")
    message.is_bigendian = int(other == ">")
    message.data = image.astype(f"{other}u2").tobytes()
    np.testing.assert_array_equal(bridge.imgmsg_to_cv2(message), image)


def test_a_part_of_a_larger_image_is_sent_alone(bridge):
    part = IMAGES["bgr8"][1:4, 1:3]
    np.testing.assert_array_equal(bridge.imgmsg_to_cv2(bridge.cv2_to_imgmsg(part, "bgr8")), part)


@pytest.mark.parametrize(("form", "error"), [("png", 0), ("jpg", 12)])
def test_compressed_images_come_back(bridge, form, error):
    smooth = cv2.resize(IMAGES["bgr8"], (50, 60), interpolation=cv2.INTER_CUBIC)
    message = bridge.cv2_to_compressed_imgmsg(smooth, form)
    message = deserialize_message(serialize_message(message), CompressedImage)
    assert message.format == form
    back = bridge.compressed_imgmsg_to_cv2(message)
    assert np.abs(back.astype(int) - smooth).mean() <= error
    np.testing.assert_array_equal(
        bridge.compressed_imgmsg_to_cv2(message, "rgb8"), cv2.cvtColor(back, cv2.COLOR_BGR2RGB)
    )


def test_what_does_not_fit_is_refused_with_what_is_allowed():
    own = cv_bridge.OwnCvBridge()
    with pytest.raises(NeoError, match="encoding rgb8 needs uint8 x 3, not float32 x 1"):
        own.cv2_to_imgmsg(IMAGES["32FC1"], "rgb8")
    with pytest.raises(NeoError, match="encoding 'yuv422'; one of rgb8"):
        own.imgmsg_to_cv2(Image(encoding="yuv422"))
    with pytest.raises(NeoError, match="32FC1 cannot be converted to bgr8"):
        own.imgmsg_to_cv2(own.cv2_to_imgmsg(IMAGES["32FC1"], "32FC1"), "bgr8")
    with pytest.raises(NeoError, match="image 5x6 mono8: step 5 and 3 bytes; at least 5 and 30 are needed"):
        own.imgmsg_to_cv2(Image(height=6, width=5, step=5, encoding="mono8", data=b"abc"))
    with pytest.raises(NeoError, match="compressed image of 3 bytes"):
        own.compressed_imgmsg_to_cv2(CompressedImage(format="jpg", data=b"abc"))
