"""Serialised messages that are none are refused, not a crash of who reads them."""

import pytest
from neo_msgs.msg import HandState
from rclpy.serialization import serialize_message

from neo_description.errors import RefusedError
from neo_ros.raw_stamp import decoded, raw_tick


def test_a_whole_message_is_read_and_its_tick_told():
    message = HandState(tick=1250)
    message.header.stamp.sec, message.header.stamp.nanosec = 2, 500_000_000
    raw = serialize_message(message)
    assert raw_tick(raw) == 1250
    assert decoded(raw, HandState).tick == 1250


@pytest.mark.parametrize("length", [0, 4, 11])
def test_too_few_bytes_for_a_stamp_are_refused(length):
    with pytest.raises(RefusedError, match=f"{length} bytes"):
        raw_tick(bytes(length))


def test_a_message_that_is_cut_off_is_refused_with_its_type():
    raw = serialize_message(HandState())
    with pytest.raises(RefusedError, match="no HandState"):
        decoded(raw[: len(raw) // 2], HandState)
