"""Any message of a bag at once: the same as reading it through."""

import shutil
from pathlib import Path

import pytest
from mcap.reader import make_reader

from neo_description.errors import NeoError
from neo_flywheel.seek import CHUNKS_KEPT, SeekableBag

BAG = Path(__file__).parents[1] / "bags" / "grasp"
STATE = "/r_hand/state"


@pytest.fixture(scope="module")
def through():
    """Time and bytes of every message of the topic, read from begin to end."""
    with (BAG / "grasp_0.mcap").open("rb") as stream:
        return [(m.log_time, m.data) for _, _, m in make_reader(stream).iter_messages(topics=[STATE])]


def test_the_last_message_at_a_time_is_the_one_that_reading_through_finds(through):
    with SeekableBag(BAG) as bag:
        assert bag.first_ns <= through[0][0]
        for number in (0, 1, 600, 77, len(through) - 1):  # forwards and backwards
            time_ns, data = through[number]
            for at in (time_ns, time_ns + 1):
                found = bag.latest(STATE, at)
                assert (found.time_ns, found.data) == (time_ns, data)
        assert bag.latest(STATE, through[0][0] - 1) is None
        assert bag.latest("/nobody", through[-1][0]) is None


def test_all_messages_come_in_order_and_few_chunks_are_kept(through):
    with SeekableBag(BAG) as bag:
        assert [(said.time_ns, said.data) for said in bag.all(STATE)] == through
        assert len(bag._chunks) <= CHUNKS_KEPT


def test_messages_are_decoded_by_the_definition_in_the_bag():
    with SeekableBag(BAG / "grasp_0.mcap") as bag:
        state = bag.decoded(STATE, bag.said(STATE, 500))
        assert bag.topics[STATE] == "neo_msgs/msg/HandState"
        assert len(state.tendon_tension) == 44


def test_what_is_no_whole_bag_is_refused(tmp_path):
    with pytest.raises(NeoError, match=r"holds no \.mcap file"):
        SeekableBag(tmp_path)
    cut = tmp_path / "cut_0.mcap"
    shutil.copy(BAG / "grasp_0.mcap", cut)
    with cut.open("r+b") as stream:
        stream.truncate(cut.stat().st_size // 2)
    with pytest.raises(NeoError, match="neo bag recover"):
        SeekableBag(tmp_path)
    cut.write_bytes(b"no bag")
    with pytest.raises(NeoError, match="cannot be read"):
        SeekableBag(tmp_path)
