"""Secrets that are in the environment, or in files, turn up nowhere else: real commands, then a search."""

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from neo_bringup.console import access
from neo_bringup.flywheel_bench import bags, s3
from neo_bringup.stack import Stack
from neo_ros import graph

ROOT = Path(__file__).parents[2]
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "canary-aws-7f3a91c2",
    "AWS_SESSION_TOKEN": "canary-session-0b77e1aa",
    "NEO_KEY_PASSPHRASE": "canary-passphrase-55d0c9",
    "RAY_AUTH_TOKEN": "ca4a59" * 10,
}
DEADLINE = 60.0  # s


def forms(secret):
    """As it is, and as it may hide."""
    text = secret.encode()
    return [text, base64.b64encode(text).rstrip(b"="), text.hex().encode(), text.decode().encode("utf-16-le")]


def leaks(folder, more=(), but=()):
    """Files under ``folder``, and named texts, in which one of the secrets stands."""
    texts = {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file() and file not in but}
    texts |= {name: text.encode() for name, text in dict(more).items()}
    return sorted(
        {
            name
            for name, text in texts.items()
            for value in SECRETS.values()
            for form in forms(value)
            if form in text
        }
    )


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder for everything; HOME and ROS logs are in it, and the secrets in the environment."""
    for name, value in {**s3.CREDENTIALS, **SECRETS, "NEO_DEBUG": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    (tmp_path / "home").mkdir()
    return tmp_path


def neo(place, *words):
    """Runs `neo`; all that it said."""
    done = subprocess.run(
        [sys.executable, "-m", "neo_bringup.cli", *map(str, words)],
        cwd=place, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=DEADLINE * 4,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_search_finds_a_leak(tmp_path):
    for index, form in enumerate(forms(SECRETS["NEO_KEY_PASSPHRASE"])):
        (tmp_path / f"file{index}").write_bytes(b"..." + form + b"...")
    assert len(leaks(tmp_path, {"said": SECRETS["RAY_AUTH_TOKEN"]})) == 5


def test_keys_are_made_and_used_without_saying_the_passphrase(place):
    said = {}
    for words in (
        ("keys", "create", "KEYS"), ("keys", "list", "KEYS"),
        ("release", "init", "--fleet", "FLEET", "--keys", "KEYS"),
        ("release", "robot", "neo-1", "--canary", "--fleet", "FLEET", "--keys", "KEYS"),
        ("update", "enrol", "--home", "robot", "--robot", "neo-1", "--source", "FLEET", "--canary"),
        ("update", "check", "--home", "robot"),
    ):  # fmt: skip
        code, said[" ".join(words)] = neo(place, *words)
        assert code == 0 or words[:2] == ("update", "check"), said
    assert all(b"ENCRYPTED" in key.read_bytes() for key in (place / "KEYS").rglob("*.pem"))
    assert leaks(place, said) == []


def test_a_wrong_passphrase_is_not_repeated(place, monkeypatch):
    assert neo(place, "keys", "create", "KEYS")[0] == 0
    monkeypatch.setenv("NEO_KEY_PASSPHRASE", "canary-passphrase-55d0c9-wrong")
    code, said = neo(place, "release", "init", "--fleet", "FLEET", "--keys", "KEYS")
    assert code != 0
    assert "does not open" in said
    assert leaks(place, {"said": said}) == []


def test_a_library_on_s3_holds_no_credentials(place):
    bags.made(place / "run" / "bag", 1, states=50)
    said = {}
    with s3.server() as endpoint:
        s3.client(endpoint).create_bucket(Bucket="canary")
        library = place / "library"
        library.mkdir()
        (library / "objects.yaml").write_text(f"url: s3://canary/some\nendpoint: {endpoint}\n")
        for words in (("add", "run"), ("list", "--json"), ("show", "1")):
            code, said[words[0]] = neo(place, "data", *words, "--library", library)
            assert code == 0, said
    code, said["gone"] = neo(place, "data", "add", "run", "--tag", "again", "--library", library)
    assert leaks(place, said) == []


def test_a_recording_and_the_logs_hold_no_environment(place, ros_domain):
    process = subprocess.Popen(
        [sys.executable, "-c", "from neo_flywheel.recorder_node import main; main()", "--ros-args",
         "-p", "min_free:=0.0", "-p", "start:=true", "-p", f"directory:={place}/run"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        with Stack("", "tester") as stack:
            state = graph.publisher(stack.node, "safety/state")
            assert stack.wait(lambda: state.get_subscription_count() > 0, DEADLINE)
            bag = place / "run" / "bag"
            assert stack.wait(lambda: any(bag.glob("*.mcap")), DEADLINE)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=DEADLINE)[0]
    finally:
        process.kill()
        process.wait()
    assert (bag / "metadata.yaml").is_file(), said
    assert leaks(place, {"recorder": said}) == []


def test_the_console_s_token_stays_in_its_file(place, ros_domain, monkeypatch):
    assert neo(place, "access", "create", "access", "--name", "127.0.0.1")[0] == 0
    token = (place / "access" / access.TOKEN).read_text().strip()
    monkeypatch.setitem(SECRETS, "token", token)
    process = subprocess.Popen(
        [sys.executable, "-m", "neo_bringup.cli", "view", "--port", "0", "--access", "access"],
        cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        said = process.stdout.readline()
        assert said.startswith("console: https://127.0.0.1:"), said
        process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=DEADLINE)[0]
    finally:
        process.kill()
        process.wait()
    assert leaks(place, {"console": said}, but=[place / "access" / access.TOKEN]) == []
