"""``neo keys``, ``release`` and ``update`` as a lab uses them."""

import argparse
import json
import re
from pathlib import Path

import pytest
from neo_msgs.msg import SafetyState
from rclpy.node import Node

from neo_bringup import cli
from neo_bringup.commands import update
from neo_bringup.flywheel_bench import toy_model
from neo_ros import graph


@pytest.fixture
def lab(tmp_path, monkeypatch, capsys):
    """Keys, a fleet with a canary and another robot, and two models; all in the working directory."""
    monkeypatch.chdir(tmp_path)
    for seed, name in ((1, "first"), (2, "second")):
        toy_model.write(tmp_path / "models" / name, seed)
    assert neo("keys create KEYS") == 0
    assert neo("release init --fleet FLEET --keys KEYS") == 0
    assert neo("release robot neo-1 --canary --fleet FLEET --keys KEYS") == 0
    assert neo("release robot neo-2 --fleet FLEET --keys KEYS") == 0
    assert neo("update enrol --home H1 --robot neo-1 --source FLEET --canary --timeout 240") == 0
    assert neo("update enrol --home H2 --robot neo-2 --source FLEET --timeout 240") == 0
    for number in (1, 2):
        (half,) = Path(f"H{number}/keys").glob("*.json")
        assert neo(f"release robot neo-{number} --key {half} --fleet FLEET --keys KEYS") == 0
    assert "not believed" not in said(capsys).splitlines()[-1]
    assert json.loads(Path("FLEET/robots.json").read_text()) == {"neo-1": True, "neo-2": False}
    capsys.readouterr()
    return tmp_path


def neo(words):
    return cli.main(words.split())


def said(capsys):
    return capsys.readouterr().out


def step(capsys, homes):
    """Reports of these robots, and what the roll-out decides."""
    files = ""
    capsys.readouterr()
    for home in homes:
        assert neo(f"update report --home {home} --tasks 30") == 0
        with open(f"{home}.json", "w") as stream:
            stream.write(said(capsys))
        files += f" --report {home}.json"
    assert neo(f"release step{files} --fleet FLEET --keys KEYS") == 0
    return said(capsys)


def test_from_keys_to_all_robots_and_back(lab, capsys):
    publish = "release publish models/first --version 1.0 --soak 0 --fleet FLEET --keys KEYS"
    assert neo(publish) == 0
    assert "canary/1.0: 9 files signed, roll-out at canary" in said(capsys)
    assert neo("update install --home H1 --idle") == 0
    assert said(capsys).strip() == str(lab / "H1/slots/a")
    assert neo("update check --home H2") == 2
    assert "assigns nothing to robot neo-2" in capsys.readouterr().err
    assert "neo release promote" in step(capsys, ["H1"])
    assert neo("release promote 1.0 --fleet FLEET --keys KEYS") == 0
    assert "tenth: 1 of 1 run it, 0 errors in 30 tasks" in step(capsys, ["H1"])
    if neo("update check --home H2") == 2:  # the tenth of two robots is one of them
        assert "all: 1 of 1" in step(capsys, ["H1"])
    assert neo("update install --home H2 --idle") == 0
    while not (decided := step(capsys, ["H1", "H2"])).startswith("done"):
        assert decided.startswith("all: 2 of 2 run it")
    assert neo("update check --home H1") == 0  # promoted: the same release, nothing to install
    assert said(capsys) == "nothing new\n"

    assert neo("release publish models/second --version 2.0 --to all --fleet FLEET --keys KEYS") == 0
    assert neo("update install --home H1 --idle") == 0
    capsys.readouterr()
    assert neo("release stop dropped --fleet FLEET --keys KEYS") == 0
    assert neo("update install --home H1 --idle") == 0
    assert said(capsys).strip().endswith(str(lab / "H1/slots/a"))
    assert neo("update status --home H1 --json") == 0
    status = json.loads(said(capsys))
    assert status["slots"][status["active"]]["release"].startswith("1.0@")
    assert neo("release withdraw 2.0 --fleet FLEET --keys KEYS") == 0
    assert neo("release list --fleet FLEET --keys KEYS") == 0
    assert "stable: 1.0\n" in said(capsys)


def test_a_person_rolls_back(lab, capsys):
    to_all = "--to all --soak 0 --tasks 0 --fleet FLEET --keys KEYS"
    assert neo(f"release publish models/first --version 1.0 {to_all}") == 0
    for home in ("H1", "H2"):
        assert neo(f"update install --home {home} --idle") == 0
    capsys.readouterr()
    assert "done: 2 of 2 run it" in step(capsys, ["H1", "H2"])
    assert neo(f"release publish models/second --version 2.0 {to_all}") == 0
    assert neo("update install --home H2 --idle") == 0
    capsys.readouterr()
    assert neo("update rollback shakes --home H2 --idle") == 0
    assert said(capsys).strip() == str(lab / "H2/slots/a")
    assert neo("update install --home H2 --idle") == 2
    assert "is not installed again: shakes" in capsys.readouterr().err
    assert neo("update status --home H2") == 0
    assert re.search(
        r"→ slot a: 1.0@.*, good\n  slot b: 2.0@.*, good\n  refused 2.0@\w+: shakes", said(capsys)
    )


def test_two_roll_outs_at_once_are_refused_before_anything_is_signed(lab, capsys):
    assert neo("release publish models/first --version 1.0 --fleet FLEET --keys KEYS") == 0
    assert neo("release publish models/second --version 2.0 --fleet FLEET --keys KEYS") == 2
    assert "canary/1.0 is being rolled out" in capsys.readouterr().err
    assert not (lab / "FLEET/image/targets/canary/2.0").exists()


def test_keys_are_listed_rotated_and_revoked(lab, capsys):
    assert neo("keys rotate timestamp --fleet FLEET --keys KEYS") == 0
    old, new = re.search(r"image timestamp: (\w+) is believed no more, (\w+) is", said(capsys)).groups()
    assert neo(f"keys revoke {new} --fleet FLEET --keys KEYS") == 0
    capsys.readouterr()
    assert neo("keys list KEYS --fleet FLEET") == 0
    rows = {line.split()[0]: line for line in said(capsys).splitlines()[1:]}
    assert rows[old].rstrip().endswith("nothing")
    assert rows[new].rstrip().endswith("nothing")
    assert sum("image timestamp" in row for row in rows.values()) == 1
    assert neo("keys list KEYS --fleet FLEET --json") == 0
    facts = {row["key"][:8]: row["trusted"] for row in json.loads(said(capsys))}
    assert facts[old] == facts[new] == []
    assert sum("image timestamp" in roles for roles in facts.values()) == 1
    assert neo("release list --fleet FLEET --json") == 0
    fleet = json.loads(said(capsys))
    assert fleet["robots"]["neo-1"] == {"canary": True, "assigned": ""}
    assert fleet["rollout"] is None
    assert neo("release publish models/first --version 1.0 --fleet FLEET --keys KEYS") == 0
    assert neo("update check --home H1") == 0


def test_a_root_key_is_named_to_be_rotated(lab, capsys):
    assert neo("keys rotate root --fleet FLEET --keys KEYS") == 2
    err = capsys.readouterr().err
    assert "--old names 3 keys of root" in err
    one = err.split("one of ")[1].split(",")[0]
    assert neo(f"keys rotate root --old {one} --fleet FLEET --keys KEYS") == 0


def test_a_key_that_could_not_take_over_is_not_left_behind(lab, capsys):
    for file in (lab / "KEYS/image").glob("root-*.pem"):
        file.unlink()
    before = sorted((lab / "KEYS").rglob("*"))
    assert neo("keys rotate targets --fleet FLEET --keys KEYS") == 2
    assert "must be signed by 2 of the keys" in capsys.readouterr().err
    assert sorted((lab / "KEYS").rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("release list --fleet NONE", "no fleet in NONE"),
        ("release step --fleet FLEET --keys KEYS", "nothing is rolled out"),
        ("release withdraw 9 --fleet FLEET --keys KEYS", "there are none"),
        ("release publish models/none --version 1 --fleet FLEET --keys KEYS", "no model folder models/none"),
        ("keys create KEYS", "never written over"),
        ("keys create KEYS --role boss", "no role 'boss'; one of root, targets, canary"),
        ("keys revoke zz --fleet FLEET --keys KEYS", "names 0 trusted keys"),
        ("update status --home NONE", "neo update enrol"),
        ("update start --home H1", "no model is installed"),
        ("update enrol --home H3 --robot a/b --source FLEET", "robot 'a/b'"),
        ("update enrol --home H3 --robot neo-3 --source NONE", "cannot be read"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(lab, capsys, words, why):
    assert neo(words) == 2
    assert why in capsys.readouterr().err


class Body(Node):
    """Says in what state the body is, as body control does."""

    def __init__(self, state):
        super().__init__("body_control")
        self._publisher = graph.publisher(self, "safety/state")
        self._publisher.publish(SafetyState(state=state))


@pytest.mark.parametrize(
    ("state", "why"),
    [(SafetyState.ACTIVE, "it has left STOP"), (SafetyState.STOP, ""), (None, "no robot was heard")],
)
def test_the_model_of_a_robot_that_moves_is_not_exchanged(ros, state, why, monkeypatch):
    """Silence was once taken for a yes, on a machine too busy for a robot to be heard."""
    monkeypatch.setattr(update, "LISTEN", 0.5 if state is None else 120.0)
    body = Body(state) if state is not None else None
    said = update.at_rest(argparse.Namespace(namespace=""))
    assert said.startswith(why)
    assert bool(said) == bool(why)
    if body:
        body.destroy_node()
