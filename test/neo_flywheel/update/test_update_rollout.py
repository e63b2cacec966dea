"""Staged roll-out: who has a release, when it goes on, when it stops, and why."""

from datetime import UTC, datetime, timedelta

import pytest

from neo_bringup.flywheel_bench.update_lab import NEW, OLD
from neo_description.errors import NeoError
from neo_flywheel.update import director, release
from neo_flywheel.update.report import own_key, signed
from neo_flywheel.update.rollout import Gate, Rollout, Stage

BEGAN = datetime(2026, 11, 28, tzinfo=UTC)
LATER = BEGAN + timedelta(hours=25)
ROBOTS = {f"neo-{i}": i < 2 for i in range(40)}
ID = "1.1@abcd0000"


def begun():
    return Rollout.begin("canary/1.1", ID, "stable/1.0", Gate(), BEGAN)


def report(robot, good=True, tasks=15, errors=0, refused="", release=ID):
    return {"robot": robot, "release": release, "good": good, "tasks": tasks, "errors": errors,
            "refused": {ID: refused} if refused else {}, "time": BEGAN.isoformat()}  # fmt: skip


def reports(rollout, **other):
    return [report(robot, **other) for robot in sorted(rollout.covered(ROBOTS))]


def test_canaries_a_tenth_all_done():
    rollout, now, sizes = begun(), BEGAN, []
    while not rollout.over:
        sizes.append(len(rollout.covered(ROBOTS)))
        now += timedelta(hours=25)
        rollout.step(ROBOTS, reports(rollout), True, now)
    assert rollout.stage == Stage.DONE
    assert sizes[0] == 2
    assert 4 <= sizes[1] <= 6  # four of forty, and the canaries
    assert sizes[2] == 40
    assert [d["what"] for d in rollout.decisions] == ["canary", "tenth", "all", "done"]
    assert all(d["reason"] and d["time"] for d in rollout.decisions)


def test_each_stage_contains_the_one_before():
    rollout = begun()
    canaries = rollout.covered(ROBOTS)
    rollout.step(ROBOTS, reports(rollout), True, LATER)
    assert canaries < rollout.covered(ROBOTS) < set(ROBOTS)


def test_another_release_has_another_tenth_and_the_same_one_always_the_same():
    tenths = []
    for name in (ID, ID, "1.2@ffff0000"):
        rollout = Rollout.begin("stable/x", name, "", Gate(), BEGAN, Stage.TENTH)
        tenths.append(rollout.covered(ROBOTS))
    assert tenths[0] == tenths[1] != tenths[2]


@pytest.mark.parametrize(
    ("given", "now", "promoted", "why"),
    [
        ({}, BEGAN + timedelta(hours=1), True, "1.0 of 24 h"),
        ({"tasks": 3}, LATER, True, "6 of 20 tasks"),
        ({"good": False}, LATER, True, "0 of 2 run it"),
        ({"release": "1.0@0"}, LATER, True, "0 of 2 run it"),
        ({}, LATER, False, "neo release promote"),
    ],
)
def test_it_waits_and_says_for_what(given, now, promoted, why):
    rollout = begun()
    said = rollout.step(ROBOTS, reports(rollout, **given), promoted, now)
    assert rollout.stage == Stage.CANARY
    assert why in said
    assert why in rollout.decisions[-1]["reason"]


def test_waiting_for_the_same_is_noted_once():
    rollout = begun()
    for _ in range(3):
        rollout.step(ROBOTS, [], True, LATER)
    assert [d["what"] for d in rollout.decisions] == ["canary", "waits"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            {"refused": "replay: act.onnx is off", "good": False, "release": "1.0@0"},
            "replay: act.onnx is off",
        ),
        ({"errors": 4}, "8 errors in 30 tasks"),
    ],
)
def test_it_stops_at_failures_and_at_errors_before_the_time_is_over(given, why):
    rollout = begun()
    said = rollout.step(ROBOTS, reports(rollout, **given), True, BEGAN + timedelta(minutes=5))
    assert rollout.stage == Stage.STOPPED
    assert why in said
    assert rollout.covered(ROBOTS) == set()
    assert "stopped" in rollout.step(ROBOTS, reports(rollout), True, LATER)


def test_few_errors_in_few_tasks_stop_nothing_yet():
    rollout = begun()
    rollout.step(ROBOTS, reports(rollout, tasks=1, errors=1), True, LATER)
    assert rollout.stage == Stage.CANARY


def test_one_failed_robot_in_forty_does_not_stop_all():
    rollout = Rollout.begin("stable/1.1", ID, "", Gate(), BEGAN, Stage.ALL)
    heard = reports(rollout)
    heard[0] = report("neo-0", good=False, refused="latency: 60 ms", release="1.0@0")
    rollout.step(ROBOTS, heard, True, LATER)
    assert rollout.stage == Stage.DONE


def test_reports_of_robots_that_do_not_have_it_count_for_nothing():
    rollout = begun()
    heard = [report(name, good=False, refused="bad") for name, canary in ROBOTS.items() if not canary]
    rollout.step(ROBOTS, heard, True, LATER)
    assert rollout.stage == Stage.CANARY


def test_a_fleet_without_canaries_waits():
    assert "no robot is a canary" in begun().step({"neo-9": False}, [], True, LATER)


def test_it_is_the_same_after_it_was_stored():
    rollout = begun()
    rollout.step(ROBOTS, [], True, LATER)
    assert Rollout.of(rollout.row()) == rollout


# --- with a real director


@pytest.fixture
def fleet(lab):
    """Forty robots, two of them canaries, on the old release; the new one published to canaries."""
    fleet = lab.fleet()
    from neo_flywheel import files

    files.write_json(lab.fleet_folder / "robots.json", ROBOTS)
    half = own_key(lab.root / "neo-0", BEGAN).private.with_suffix(".json")
    for robot in ROBOTS:  # one key for all: making forty takes its time
        files.write(lab.fleet_folder / "robot_keys" / f"{robot}.json", half.read_bytes())
    fleet.apply()
    release.publish(lab.image(), lab.root / "models" / NEW, NEW, "canary", {})
    fleet.begin(NEW, "canary", Gate(soak=0.0, tasks=0))
    return fleet


def assigned(fleet, lab):
    rows = director.assignments(lab.director())
    return {name: row["release"].split("@")[0] for name, row in rows.items()}


def heard(fleet, lab, **other):
    rollout, key = fleet.rollout(), own_key(lab.root / "neo-0", BEGAN)
    for robot in rollout.covered(fleet.robots()):
        fleet.take_report(signed(key, {**report(robot, **other), "release": rollout.id}))


def test_the_director_assigns_stage_by_stage_and_only_what_is_promoted(fleet, lab):
    now = assigned(fleet, lab)
    assert {name for name, what in now.items() if what == f"canary/{NEW}"} == {"neo-0", "neo-1"}
    heard(fleet, lab)
    assert "neo release promote" in fleet.step()
    release.promote(lab.image(), NEW)
    fleet.step()
    now = assigned(fleet, lab)
    assert 4 <= sum(what == f"stable/{NEW}" for what in now.values()) <= 6
    assert f"canary/{NEW}" not in now.values()
    heard(fleet, lab)
    fleet.step()
    assert set(assigned(fleet, lab).values()) == {f"stable/{NEW}"}


def test_an_emergency_stop_assigns_everybody_what_they_had(fleet, lab):
    numbers = {name: row["number"] for name, row in director.assignments(lab.director()).items()}
    fleet.stop("a person saw it drop a cup")
    assert set(assigned(fleet, lab).values()) == {f"stable/{OLD}"}
    after = {name: row["number"] for name, row in director.assignments(lab.director()).items()}
    assert {name for name in after if after[name] != numbers[name]} == {"neo-0", "neo-1"}
    assert after["neo-0"] > max(numbers.values())


def test_a_decision_that_died_before_it_was_acted_on_is_acted_on_next(fleet, lab):
    rollout = fleet.rollout()
    rollout.stop("by hand", LATER)
    fleet._save(rollout)  # and then the power went
    assert f"canary/{NEW}" in assigned(fleet, lab).values()
    fleet.step()
    assert set(assigned(fleet, lab).values()) == {f"stable/{OLD}"}


def test_one_roll_out_at_a_time(fleet, lab):
    with pytest.raises(NeoError, match=r"canary/1.1 is being rolled out \(canary\)"):
        fleet.begin(OLD, "stable", Gate())


def test_a_report_that_its_robot_did_not_sign_is_not_taken(fleet, lab):
    key, other = (own_key(lab.root / name, BEGAN) for name in ("neo-0", "thief"))
    with pytest.raises(NeoError, match="no robot 'hal'"):
        fleet.take_report(signed(key, report("hal")))
    with pytest.raises(NeoError, match="no robot None"):
        fleet.take_report(report("neo-0"))
    row = signed(key, report("neo-0"))
    for forged in (
        signed(other, report("neo-0")),
        {**row, "signed": report("neo-0", errors=9)},
        {**row, "sig": ""},
    ):
        with pytest.raises(NeoError, match="did not sign"):
            fleet.take_report(forged)
    assert fleet.reports() == []
    fleet.take_report(row)
    assert fleet.reports() == [report("neo-0")]


def test_an_old_report_does_not_replace_a_newer_one_and_without_a_key_none_is_believed(fleet, lab):
    key = own_key(lab.root / "neo-0", BEGAN)
    fleet.take_report(signed(key, report("neo-0") | {"time": LATER.isoformat()}))
    with pytest.raises(NeoError, match="there is one from"):
        fleet.take_report(signed(key, report("neo-0")))
    (lab.fleet_folder / "robot_keys" / "neo-1.json").unlink()
    with pytest.raises(NeoError, match="neo release robot neo-1 --key"):
        fleet.take_report(signed(key, report("neo-1")))
