"""Rounds of a whole fleet, with toy models: what comes of them, and that nothing is lost or done twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import fleet_stand_ins as stand_ins
import pytest

from neo_bringup import engine
from neo_bringup.fleet import held_out, robot, rows
from neo_bringup.fleet.rounds import Rounds
from neo_flywheel import files
from neo_flywheel.store import episode_bag
from neo_flywheel.store.library import Library

SCRIPT = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import fleet_stand_ins as stand_ins
from neo_bringup.fleet.rounds import Rounds
from neo_bringup.fleet.settings import Place

def say(line):
    if sys.argv[3] and sys.argv[3] in line:
        os.kill(os.getpid(), signal.SIGKILL)

place = Place(Path(sys.argv[2]))
engine = stand_ins.Engine()
Rounds(place, place.settings(), stand_ins.learn, engine, say, stand_ins.ACT, stand_ins.TRIAL).run(1)
"""
POINTS = (
    "version 0 is", "1 of 2 robots had their turn (prompts)", "in the library", "version 0: 3 held-out",
    "learns from", "1 of 1 robots had their turn (canary)", "version 1: tenth",
)  # fmt: skip


@pytest.fixture(scope="module")
def done(begin, run, tmp_path_factory):
    """Two rounds of three robots."""
    place, settings = begin(tmp_path_factory.mktemp("done") / "fleet", robots=3, prompts=2)
    said = []
    run(place, settings, 2, said=said)
    return place, settings, said


def test_each_round_is_a_row_with_success_before_and_after(done):
    place, _, _ = done
    first, second = rows.read(place)
    assert [row["step"] for row in (first, second)] == ["done", "done"]
    assert first["before"]["version"] == "0"
    assert first["after"] == second["before"]
    assert first["after"]["version"] == "1"
    for row in (first, second):
        tried = [held_out.known(place, row[when]["version"]) for when in ("before", "after")]
        assert tried[0].keys() == tried[1].keys()
        assert row["difference"]["trials"] == 10
        gain = sum(tried[1].values()) / 10 - sum(tried[0].values()) / 10
        assert row["difference"]["value"] == pytest.approx(gain)
        assert row["difference"]["low"] <= gain <= row["difference"]["high"]
        assert 0.0 < row["field"]["autonomy"] <= 1.0
        assert 0.0 < row["field"]["surprise"] < 1.0


def test_a_release_goes_to_a_canary_then_a_tenth_then_all_who_get_it_at_their_next_turn(done):
    place, _, said = done
    first, second = rows.read(place)
    stages = [line for line in said if "round 1: version 1: " in line and "trials" not in line]
    assert [line.split(": ")[2] for line in stages[:2]] == ["tenth", "all"]
    assert first["released"]["version"] == "1"
    assert first["versions"]["neo_1"] == "1"
    assert "0" in first["versions"].values()
    for name in ("neo_1", "neo_2", "neo_3"):
        assert files.read_json(place.turn(name, "r001"), "")["release"].startswith("0@")
        assert files.read_json(place.turn(name, "r002"), "")["release"].startswith("1@")
    assert second["released"]["version"] == "2"


def test_nothing_of_the_robot_without_consent_is_anywhere_on_the_server(done):
    place, _, _ = done
    row = rows.read(place)[0]
    assert sorted(folder.name for folder in (place.inbox / "episode").iterdir()) == ["neo_1", "neo_2"]
    with Library(place.library) as library:
        robots = {found.robot for found in library.catalogue.find(limit=100)}
    assert robots == {"neo_1", "neo_2"}
    assert row["recorded"]["episodes"] == 6
    assert row["uploaded"]["episodes"] == 4
    assert row["stays"] == {"neo_3": ["no consent to clips"]}


def test_the_catalogue_tells_from_an_episode_to_the_robots_that_learned_from_it(done, tmp_path):
    place, _, _ = done
    with Library(place.library) as library:
        oldest = library.catalogue.find(limit=100)[-1]
        led = library.catalogue.episode_led_to(oldest.id)
        for product in (
            ("dataset", "round-1"),
            ("run", "round-1"),
            ("evaluation", "round-1"),
            ("release", "1"),
        ):
            assert product in led
        assert {name for kind, name in led if kind == "robot"} == {"neo_1", "neo_2", "neo_3"}
        assert "round:1" in oldest.tags
        assert oldest.autonomy is not None
        episode = episode_bag.load(library.fetch(oldest, tmp_path / "bag"))
    assert robot.SEEDS[0] <= episode.seed < robot.SEEDS[1]
    assert episode.seed not in held_out.known(place, "0")


def test_a_fleet_that_is_done_does_nothing_when_asked_again(done, run):
    place, settings, _ = done
    before, said = rows.read(place), []
    turns = {file: file.stat().st_mtime_ns for file in place.root.rglob("turns/*.json")}
    assert run(place, settings, 2, said=said) == before
    assert not [line for line in said if "turn" in line or "trials" in line or "learns" in line]
    assert {file: file.stat().st_mtime_ns for file in place.root.rglob("turns/*.json")} == turns


def test_when_the_gate_refuses_nothing_is_released_and_the_reason_stands_in_the_row(begin, run, tmp_path):
    place, settings = begin(tmp_path / "fleet", robots=1)
    (row,) = run(place, settings, 1, stand_ins.refuse)
    assert row["gate"] == {
        "passed": False,
        "reasons": ["success 0.1 is less than 0.4"],
        "notes": [],
        "figures": {"episodes": 1},
    }
    assert row["released"]["version"] == ""
    assert "success 0.1 is less than 0.4" in row["released"]["why"]
    assert row["versions"] == {"neo_1": "0"}
    assert row["after"] == row["before"]
    assert not (place.models / "1").exists()


def test_a_round_in_which_nobody_sends_anything_is_refused_with_that_reason(begin, run, tmp_path):
    place, settings = begin(tmp_path / "fleet", robots=1, trials=0)
    place.robot("neo_1").mkdir(parents=True)
    (place.robot("neo_1") / "privacy.yaml").write_text("clips: false\n")
    (row,) = run(place, settings, 1)
    assert row["gate"]["reasons"] == ["no robot sent anything that could be used"]
    assert row["difference"]["value"] is None


def test_what_arrives_spoilt_goes_to_quarantine_and_is_said(begin, run, tmp_path, monkeypatch):
    from neo_bringup.fleet import server

    place, settings = begin(tmp_path / "fleet", robots=1, trials=0)
    honest = server.ingest

    def spoil(place, number, say):
        (note,) = place.inbox.rglob("*.json")
        with Library(place.library) as library:
            digest = library.objects.put_bytes(b"\x89MCAP0\r\n" + bytes(100))
        files.write_json(note, {"sha256": digest, "size": 108})
        return honest(place, number, say)

    monkeypatch.setattr(server, "ingest", spoil)
    (row,) = run(place, settings, 1)
    assert len(row["quarantined"]) == 1
    assert row["gate"]["reasons"] == ["no robot sent anything that could be used"]
    with Library(place.library) as library:
        assert library.catalogue.count()["quarantine"] == 1


@pytest.fixture(scope="module")
def whole(begin, run, tmp_path_factory):
    """A round of two robots that nobody disturbs."""
    place, settings = begin(tmp_path_factory.mktemp("whole") / "fleet", robots=2, prompts=2)
    run(place, settings, 1)
    return place


def test_a_round_on_a_ray_cluster_comes_to_the_same(whole, begin, tmp_path):
    place, settings = begin(tmp_path / "ray", robots=2, prompts=2)
    with engine.make("ray", 2) as jobs:
        Rounds(place, settings, stand_ins.learn, jobs, print, stand_ins.ACT, stand_ins.TRIAL).run(1)
    assert list(map(rows.kept, rows.read(place))) == list(map(rows.kept, rows.read(whole)))
    assert _volumes(place) == _volumes(whole)


def test_a_fleet_that_is_killed_again_and_again_comes_to_the_same(whole, begin, tmp_path):
    place, _ = begin(tmp_path / "killed", robots=2, prompts=2)
    for point in POINTS:
        assert _run(place, point) == -signal.SIGKILL, point
    assert _run(place, "") == 0
    (killed,), (uninterrupted,) = rows.read(place), rows.read(whole)
    assert rows.kept(killed) == rows.kept(uninterrupted)
    assert _volumes(place) == _volumes(whole)


def _run(place, point):
    words = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(place.root), point]
    return subprocess.run(
        words, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL
    ).returncode


def _volumes(place):
    """What lies in outboxes, turns, the inbox and the catalogue."""
    with Library(place.library) as library:
        counted = library.catalogue.count()
    notes = sorted(json.loads(file.read_text())["size"] for file in place.inbox.rglob("*.json"))
    turns = sorted(str(file.relative_to(place.root)) for file in place.root.rglob("turns/*.json"))
    outbox = sorted(str(file.relative_to(place.root)) for file in place.root.rglob("outbox/*/*.mcap"))
    return counted, notes, turns, outbox


def test_two_fleets_never_work_in_one_folder(begin, run, tmp_path):
    place, settings = begin(tmp_path / "fleet", robots=1)
    with (
        files.lock(place.root, "fleet"),
        pytest.raises(Exception, match="another process works on the fleet"),
    ):
        run(place, settings, 1)
