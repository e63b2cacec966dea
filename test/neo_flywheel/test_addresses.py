"""Names and passwords in addresses are refused, and not repeated."""

import pytest

from neo_bringup import cli
from neo_description.errors import NeoError
from neo_flywheel import addresses
from neo_flywheel.store.objects import ObjectStore

CANARY = "canary-9d41"


@pytest.mark.parametrize(
    "address", ["s3://bucket/some@prefix", "https://host:8080/a@b", "/folder/of@mine", "folder"]
)
def test_an_address_without_them_is_taken(address):
    addresses.check(address, "store", "")


@pytest.mark.parametrize(
    "give",
    [
        lambda: ObjectStore(f"s3://me:{CANARY}@bucket/prefix"),
        lambda: ObjectStore("s3://bucket", {"endpoint": f"http://me:{CANARY}@127.0.0.1:1"}),
        lambda: ObjectStore(f"https://{CANARY}@host/"),
    ],
)
def test_an_object_store_wants_them_in_the_environment(give):
    with pytest.raises(NeoError, match="carries a name or password") as refused:
        give()
    assert CANARY not in str(refused.value)


def test_a_source_of_updates_has_none(tmp_path, capsys):
    words = ["update", "enrol", "--home", str(tmp_path / "home"), "--robot", "neo-1"]
    assert cli.main([*words, "--source", f"http://me:{CANARY}@127.0.0.1:1/fleet"]) == 2
    said = capsys.readouterr()
    assert "carries a name or password" in said.err
    assert CANARY not in said.out + said.err
    assert not (tmp_path / "home" / "robot.json").exists()
