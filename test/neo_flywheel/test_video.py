"""h264 in a bag: messages that a foreign typestore reads, pictures that a decoder gives back."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from sensor_msgs.msg import CompressedImage, Image

from neo_description.errors import NeoError
from neo_flywheel import cdr
from neo_flywheel.message_types import TypeBook
from neo_flywheel.video import VIDEO, VIDEO_TYPE, Decoder, Encoder, is_key, pixels


def scene(i, height=48, width=64):
    """(H, W, 3) BGR: a bright ball that goes to the right."""
    image = np.full((height, width, 3), (60, 40, 20), np.uint8)
    return cv2.circle(image, (8 + 2 * i, height // 2), 6, (40, 200, 240), -1)


def serialised(message):
    return serialize_message(message)


def image_message(array, encoding, padding=0):
    rows = np.pad(array.reshape(array.shape[0], -1), ((0, 0), (0, padding)))
    message = Image(height=array.shape[0], width=array.shape[1], encoding=encoding, step=rows.shape[1])
    message.header.stamp.sec, message.header.stamp.nanosec, message.header.frame_id = 7, 8, "eye"
    message.data.frombytes(rows.tobytes())
    return serialised(message)


def test_the_definition_hashes_to_what_rosbags_works_out():
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(VIDEO_TYPE.definition, VIDEO))
    assert store.hash_rihs01(VIDEO) == VIDEO_TYPE.type_hash
    assert TypeBook([Path(sys.prefix)], [VIDEO_TYPE]).find(VIDEO) == VIDEO_TYPE


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8"])
def test_every_picture_comes_back_at_once_and_looks_like_the_one_sent(encoding):
    encoder, decoder = Encoder(key_every=5), Decoder()
    for i in range(12):
        bgr = scene(i)
        sent = bgr if encoding == "bgr8" else bgr[..., ::-1]
        message, key = encoder.encode(image_message(sent, encoding, padding=6))
        video = cdr.compressed_video(message)
        assert (video.sec, video.nanosec, video.frame_id, video.encoding) == (7, 8, "eye", "h264")
        assert key == (i % 5 == 0) == is_key(video.data)
        found = decoder.decode(video.data)
        assert found is not None, i
        assert np.abs(found.astype(int) - bgr).mean() < 6.0


def test_a_foreign_typestore_reads_the_message():
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(VIDEO_TYPE.definition, VIDEO))
    message, _ = Encoder().encode(image_message(scene(0), "bgr8"))
    found = store.deserialize_cdr(message, VIDEO)
    assert (found.timestamp.sec, found.frame_id, found.format) == (7, "eye", "h264")
    assert bytes(found.data) == cdr.compressed_video(message).data


def test_a_stream_that_begins_between_keys_shows_nothing_before_the_next():
    encoder, decoder = Encoder(key_every=4), Decoder()
    data = [encoder.encode_array(scene(i))[0] for i in range(8)]
    assert [decoder.decode(d) is not None for d in data[1:]] == [False] * 3 + [True] * 4


def test_odd_sizes_lose_their_last_row_and_a_new_size_begins_with_a_key():
    encoder = Encoder()
    first, key = encoder.encode_array(scene(0, 49, 65))
    assert Decoder().decode(first).shape == (48, 64, 3)
    second, key = encoder.encode_array(scene(1, 32, 80))
    assert key
    assert Decoder().decode(second).shape == (32, 80, 3)


def test_images_that_are_none_are_refused_with_what_is_allowed():
    with pytest.raises(NeoError, match="'32FC1'; video is made of rgb8, bgr8, mono8"):
        Encoder().encode(serialised(Image(encoding="32FC1")))
    with pytest.raises(NeoError, match=r"an image of 64 × 48 px .* has 0 bytes"):
        Encoder().encode(serialised(Image(encoding="rgb8", width=64, height=48, step=192)))
    with pytest.raises(NeoError, match="ends within"):
        cdr.image(image_message(scene(0), "bgr8")[:100])
    with pytest.raises(NeoError, match="little-endian"):
        cdr.image(b"\x00\x00\x00\x00")


def test_compressed_images_keep_their_bytes_through_reading_and_writing():
    message = CompressedImage(format="jpeg")
    message.header.frame_id, message.header.stamp.sec = "outside", 3
    message.data.frombytes(b"\xff\xd8picture")
    picture = cdr.compressed_image(serialised(message))
    assert (picture.encoding, picture.data, picture.frame_id) == ("jpeg", b"\xff\xd8picture", "outside")
    again = deserialize_message(cdr.compressed_image_cdr(picture), CompressedImage)
    assert again == message


def test_grey_rows_may_be_padded():
    grey = scene(0)[..., 0].copy()
    picture = cdr.image(image_message(grey, "mono8", padding=3))
    assert np.array_equal(pixels(picture), grey)
