"""Downloads: gone on with where they ended, from folders and from servers with and without ranges."""

import threading

import pytest

from neo_bringup.flywheel_bench.update_lab import served
from neo_description.errors import NeoError
from neo_flywheel.update import source
from neo_flywheel.update.manifest import Content

SIZE = 300_000


@pytest.fixture
def big(tmp_path):
    (tmp_path / "from").mkdir()
    file = tmp_path / "from" / "big"
    file.write_bytes(bytes(i * i % 251 for i in range(SIZE)))
    return file


def fetch(where, big, to):
    lines = []
    source.download(where, "big", to, Content.of(big), lines.append)
    return lines


def test_a_folder_is_read_from_where_an_earlier_try_ended(big, tmp_path):
    to = tmp_path / "to"
    (tmp_path / "to.part").write_bytes(big.read_bytes()[:200_000])
    lines = fetch(str(big.parent), big, to)
    assert to.read_bytes() == big.read_bytes()
    assert not (tmp_path / "to.part").exists()
    assert lines[0] == f"get big: 265536 of {SIZE} bytes"


def test_a_server_with_ranges_is_asked_for_the_rest_only(big, tmp_path):
    (tmp_path / "to.part").write_bytes(big.read_bytes()[:200_000])
    with served(big.parent) as (address, asked):
        fetch(address, big, tmp_path / "to")
    assert asked == ["/big bytes=200000-"]
    assert (tmp_path / "to").read_bytes() == big.read_bytes()


def test_a_server_without_ranges_gives_the_file_anew(big, tmp_path):
    (tmp_path / "to.part").write_bytes(b"x" * 200_000)
    with served(big.parent, ranges=False) as (address, _):
        fetch(address, big, tmp_path / "to")
    assert (tmp_path / "to").read_bytes() == big.read_bytes()


def test_a_connection_that_breaks_again_and_again_gets_there(big, tmp_path):
    with served(big.parent, cut=40_000) as (address, asked):
        fetch(address, big, tmp_path / "to")
    assert (tmp_path / "to").read_bytes() == big.read_bytes()
    assert len(asked) == 8
    assert asked[1] == "/big bytes=40000-"


def test_what_a_power_cut_spoilt_is_fetched_anew_once(big, tmp_path):
    """Zeros where blocks were not yet on the disk."""
    (tmp_path / "to.part").write_bytes(bytes(200_000))
    with served(big.parent) as (address, asked):
        fetch(address, big, tmp_path / "to")
    assert asked == ["/big bytes=200000-", "/big"]
    assert (tmp_path / "to").read_bytes() == big.read_bytes()


def test_a_part_that_is_too_long_is_dropped(big, tmp_path):
    (tmp_path / "to.part").write_bytes(bytes(SIZE + 1))
    fetch(str(big.parent), big, tmp_path / "to")
    assert (tmp_path / "to").read_bytes() == big.read_bytes()


def test_what_is_whole_is_not_fetched_again(big, tmp_path):
    (tmp_path / "to").write_bytes(big.read_bytes())
    assert fetch(str(tmp_path / "nowhere"), big, tmp_path / "to") == []


def test_another_content_is_refused_and_not_kept(big, tmp_path):
    wanted = Content(SIZE, "0" * 64)
    with pytest.raises(source.UntrustedError, match="its hash is another"):
        source.download(str(big.parent), "big", tmp_path / "to", wanted, lambda line: None)
    assert not list(tmp_path.glob("to*"))


def test_another_content_over_a_connection_that_breaks_is_refused_in_the_end(big, tmp_path):
    """It was taken for spoilt by a power cut again and again."""
    with (
        served(big.parent, cut=100_000) as (address, asked),
        pytest.raises(source.UntrustedError, match="its hash is another"),
    ):
        source.download(address, "big", tmp_path / "to", Content(SIZE, "0" * 64), lambda line: None)
    assert len(asked) == 3


def test_an_empty_file_is_a_file(big, tmp_path):
    (big.parent / "empty").write_bytes(b"")
    wanted = Content.of(big.parent / "empty")
    source.download(str(big.parent), "empty", tmp_path / "to", wanted, lambda line: None)
    assert (tmp_path / "to").read_bytes() == b""


def test_no_more_than_was_signed_is_taken(big, tmp_path):
    """A stream that never ends."""
    with (
        served(big.parent, endless="/big") as (address, _),
        pytest.raises(source.UntrustedError),
    ):
        source.download(address, "big", tmp_path / "to", Content(SIZE, "0" * 64), lambda line: None)
    assert not list(tmp_path.glob("to*"))


def test_a_server_that_drips_is_given_up_and_what_came_is_kept(big, tmp_path, monkeypatch):
    """Slow retrieval: each byte in time, the file never."""
    monkeypatch.setattr(source, "GRACE", 0.3)
    monkeypatch.setattr(source, "SLOWEST", 1e9)
    stop = threading.Event()
    with served(big.parent, drips=stop) as (address, _), pytest.raises(NeoError, match="too slow"):
        fetch(address, big, tmp_path / "to")
    stop.set()
    came = (tmp_path / "to.part").read_bytes()
    assert came
    assert big.read_bytes().startswith(came)


@pytest.mark.parametrize("where", ["folder", "server"])
def test_a_file_that_is_not_there_is_named(big, tmp_path, where):
    wanted = Content.of(big)
    with served(tmp_path / "from") as (address, _):
        place = address if where == "server" else str(tmp_path / "from")
        with pytest.raises(NeoError, match=r"none stops at 0 of 300000 bytes"):
            source.download(place, "none", tmp_path / "to", wanted, lambda line: None)
