"""Objects in a folder and on real S3 servers: whole, once each, and taken up again after a kill."""

import hashlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from neo_bringup.flywheel_bench import s3 as servers
from neo_description.errors import NeoError
from neo_flywheel.store.objects import ObjectStore

PART = 1000
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["folder", "moto", "swift"])
def make(request, tmp_path, monkeypatch):
    """Opens the same store again and again."""
    if request.param == "folder":
        return lambda: ObjectStore(tmp_path / "objects", part_size=PART)
    endpoint, bucket = request.getfixturevalue(request.param), f"b{os.urandom(6).hex()}"
    for name, value in servers.CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    servers.client(endpoint).create_bucket(Bucket=bucket)
    return lambda: ObjectStore(f"s3://{bucket}/some/prefix", {"endpoint": endpoint}, part_size=PART)


@pytest.fixture
def file(tmp_path):
    found = tmp_path / "file"
    found.write_bytes(random.Random(1).randbytes(5 * PART + 123))
    return found


@pytest.mark.parametrize("size", [0, 1, PART, 5 * PART + 123])
def test_what_comes_back_is_what_was_put_under_its_hash(make, tmp_path, size):
    data = random.Random(size).randbytes(size)
    (tmp_path / "file").write_bytes(data)
    digest = make().put(tmp_path / "file")
    assert digest == hashlib.sha256(data).hexdigest()
    make().get(digest, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == data
    assert make().get_bytes(digest) == data
    assert (make().size(digest), make().has(digest)) == (size, True)
    assert make().put_bytes(data) == digest


def test_what_is_there_is_not_sent_again(make, file, tmp_path):
    store = make()
    store.put(file)
    sent = store.sent
    store.put(file)
    assert store.sent == sent
    (tmp_path / "other").write_bytes(file.read_bytes()[: 2 * PART] + b"else")  # two parts are known
    store.put(tmp_path / "other")
    assert sent < store.sent < sent + PART


def test_a_part_that_was_cut_short_is_sent_again(make, file):
    store = make()
    first = file.read_bytes()[:PART]
    key = f"parts/{hashlib.sha256(first).hexdigest()[:2]}/{hashlib.sha256(first).hexdigest()}"
    store._write(key, first[:10])
    assert store.get_bytes(store.put(file)) == file.read_bytes()


def test_other_bytes_than_the_name_says_are_never_given_out(make, file, tmp_path):
    store = make()
    digest = store.put(file)
    first = hashlib.sha256(file.read_bytes()[:PART]).hexdigest()
    store._write(f"parts/{first[:2]}/{first}", bytes(PART))
    with pytest.raises(NeoError, match="other bytes than it should"):
        store.get(digest, tmp_path / "back")
    assert not (tmp_path / "back").exists()
    with pytest.raises(NeoError, match="other bytes than it should"):
        store.get_bytes(digest)


def test_a_download_goes_on_where_it_was_cut_off(make, file, tmp_path, monkeypatch):
    store, read = make(), []
    digest = store.put(file)
    data = bytearray(file.read_bytes()[: 3 * PART + 10])
    data[0] ^= 1  # and one of the parts that are there is broken
    (tmp_path / "back.partial").write_bytes(data)
    real = store._read
    monkeypatch.setattr(store, "_read", lambda key: read.append(key) or real(key))
    store.get(digest, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == file.read_bytes()
    assert len([key for key in read if key.startswith("parts")]) == 4  # the broken one and three missing ones


def test_what_is_not_there_is_named(make):
    with pytest.raises(NeoError, match=f"holds no objects/00/{'0' * 64}.json"):
        make().get_bytes("0" * 64)
    with pytest.raises(NeoError, match=r"'\.\./secret' names no object"):
        make().get_bytes("../secret")


UPLOAD = """
import sys
from pathlib import Path
from neo_flywheel.store.objects import ObjectStore
store = ObjectStore(sys.argv[1], {"endpoint": sys.argv[2]}, part_size=1000)
print(store.put(Path(sys.argv[3]), lambda done, size: print("at", done, flush=True)), store.sent, flush=True)
"""


def test_an_upload_killed_at_some_part_is_finished_by_the_next_one_without_duplicates(s3, tmp_path):
    servers.client(s3).create_bucket(Bucket="killed")
    file = tmp_path / "file"
    file.write_bytes(random.Random(2).randbytes(40 * PART))
    command = [sys.executable, "-c", UPLOAD, "s3://killed", s3, str(file)]
    for stop in (3, 11, 25):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(stop):
            assert process.stdout.readline().startswith("at ")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not any(key.startswith("objects") for key in servers.keys(s3, "killed"))
        there = sum(servers.keys(s3, "killed").values())
        assert there >= stop * PART
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    digest, sent = done.stdout.split()[-2:]
    found = servers.keys(s3, "killed")
    listed = found.pop(f"objects/{digest[:2]}/{digest}.json")
    assert int(sent) == 40 * PART - there + listed
    parts = [file.read_bytes()[i : i + PART] for i in range(0, 40 * PART, PART)]
    assert found == {f"parts/{h[:2]}/{h}": PART for h in (hashlib.sha256(p).hexdigest() for p in parts)}


def test_a_server_that_is_not_there_and_a_bucket_that_is_not_there_are_told(s3, file):
    with pytest.raises(NeoError, match=r"cannot write .* in s3://nowhere"):
        ObjectStore("s3://nowhere", {"endpoint": s3}).put(file)
    gone = ObjectStore("s3://nowhere", {"endpoint": "http://127.0.0.1:9"})
    with pytest.raises(NeoError, match=r"cannot look for .* in s3://nowhere"):
        gone.put(file)


def test_settings_that_are_not_known_are_refused(tmp_path):
    with pytest.raises(NeoError, match="setting secret; one of endpoint, region"):
        ObjectStore("s3://bucket", {"secret": "x"})
    with pytest.raises(NeoError, match="a folder or s3://bucket/prefix is allowed"):
        ObjectStore("ftp://host/folder")
    (tmp_path / "file").touch()
    with pytest.raises(NeoError, match="cannot open"):
        ObjectStore(tmp_path / "file" / "folder")


def test_a_server_that_asks_who_we_are_refuses_another_key(swift, file, monkeypatch):
    """moto asks nobody; Swift does."""
    bucket, canary = f"b{os.urandom(6).hex()}", "canary-5f0c"
    servers.client(swift).create_bucket(Bucket=bucket)
    for spoilt in servers.CREDENTIALS:
        for name, value in servers.CREDENTIALS.items():
            monkeypatch.setenv(name, canary if name == spoilt else value)
        store = ObjectStore(f"s3://{bucket}", {"endpoint": swift})
        for action, given in ((store.put, file), (store.has, "0" * 64), (store.get_bytes, "0" * 64)):
            with pytest.raises(NeoError, match="the server does not let us") as refused:
                action(given)
            assert canary not in str(refused.value)
    assert servers.keys(swift, bucket) == {}
