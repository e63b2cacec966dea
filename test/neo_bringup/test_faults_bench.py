"""The fault table's own logic: which faults are tried, and what its figures make of the samples."""

import numpy as np
import pytest
from neo_msgs.msg import BodyState, GraspStatus, HandCommand, ObjectArray
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState

from neo_bringup.bench import faults, harness
from neo_bringup.bench.harness import Request
from neo_bringup.faults_bench import (
    bad_commands,
    commands,
    fuzz,
    hardware,
    random_messages,
    runstop,
    silent,
    soak,
    stale,
    starved,
)
from neo_bringup.faults_bench.privileged_drives import TABLES, unsafe
from neo_description.errors import RefusedError
from neo_description.signals import DriveMode, TendonCommand
from neo_hand_control.commands import refusal
from neo_ros import convert
from neo_ros.raw_stamp import decoded


def request(tmp_path, quick):
    return Request("faults", (0,), quick, "empty", "", tmp_path)


def by_id(figures):
    return {figure.id: figure for figure in figures}


def test_every_figure_has_a_target_and_parts_name_their_room(tmp_path):
    wanted = harness.known_targets("faults")
    assert wanted
    for quick in (False, True):
        for part in faults.parts(request(tmp_path, quick)):
            assert part.split("/")[1] in faults.ROOMS


@pytest.mark.parametrize("topic", bad_commands.TOPICS)
def test_a_full_run_tries_every_fault_of_every_topic_often_enough(topic):
    assert int(commands.PARTS[0].split("-")[1]) >= 100
    every = sum(len(bad_commands.kinds(t)) for t in bad_commands.TOPICS)
    assert int(commands.QUICK[0].split("-")[1]) >= every
    assert len(bad_commands.kinds(topic)) >= 10


def test_the_good_hand_command_is_accepted_and_each_fault_is_its_own():
    topic, tick = "l_hand/command", 2000
    good = bad_commands.good(topic, tick)
    assert refusal(convert.hand_command(good), 4.0, False) is None
    for kind, make in bad_commands.kinds(topic).items():
        assert make(tick) != good, kind
    assert bad_commands.good(topic, tick) == good


def test_an_unsafe_command_is_told_without_the_gate():
    table = TABLES["body"]
    command = TendonCommand(1, DriveMode.TENSION, 1.5 * table.pretension)
    assert unsafe("body", command) is None
    command.tension[2] = np.nan
    assert "finite" in unsafe("body", command)
    assert "outside" in unsafe("body", TendonCommand(1, DriveMode.TENSION, 2.0 * table.tension_max))
    assert "61 tensions" in unsafe("body", TendonCommand(1, DriveMode.TENSION, table.pretension[:61]))
    assert unsafe("body", TendonCommand(1, DriveMode.HOLD, np.full(3, np.nan))) is None


def test_what_reached_and_what_was_not_told_is_counted_and_named():
    run = {"topic": "t", "kind": "nan", "reached": False, "reason_s": 0.1, "reason": "r"}
    bad = {**run, "kind": "inf", "reached": True, "reason_s": None}
    sample = {"runs": [run, {**run, "reason_s": 0.4}, bad], "unsafe": [], "fell": False, "standing": True}
    rows = by_id(commands.figures({"0/commands/bad-3": sample}))
    assert (rows["faults.commands_reached"].value, rows["faults.commands_reached"].n) == (1, 3)
    assert rows["faults.commands_untold"].note == "t inf"
    assert rows["faults.commands_reason_s_max"].value == 0.4
    assert rows["faults.commands_stopped"].value == 0


@pytest.mark.parametrize("kind", [HandCommand, BodyState, ObjectArray, GraspStatus, JointState])
def test_random_messages_are_well_typed_and_follow_the_seed(kind):
    for seed in range(20):
        made = [random_messages.well_typed(kind, np.random.default_rng(seed)) for _ in range(2)]
        assert str(made[0]) == str(made[1])  # serialised, the padding is whatever was there
        assert serialize_message(made[0])


def test_spoilt_messages_are_of_every_sort_and_mostly_no_message():
    rng, unread = np.random.default_rng(0), 0
    for _ in range(200):
        try:
            decoded(random_messages.malformed(BodyState, rng), BodyState)
        except RefusedError:
            unread += 1
    assert 60 < unread < 200


def test_a_random_message_that_a_node_dies_of_is_a_crash_and_named():
    sample = {"node": "n", "crashes": {"/t: ValueError": 2}, "unsafe": {}, "topics": {"/t": 7}, "sent": 10}
    rows = by_id(fuzz.figures({"0/fuzz/n-5": sample}))
    assert (rows["faults.fuzz_crashes"].value, rows["faults.fuzz_messages_min"].value) == (2, 5)
    assert "n /t: ValueError" in rows["faults.fuzz_crashes"].note


def test_a_moving_fingers_encoder_that_jumps_is_found_though_its_tendons_cross_other_joints():
    off = [("offset", "r_ring_dip_flex"), ("offset", "l_little_pip_flex")]
    runs = hardware.struck(0, off, print, moving=True, sim={"arm_error": hardware.ARMS})
    assert [(run["found"], run["false"]) for run in runs] == 2 * [(["encoder wrong"], [])]


def test_a_cut_finger_tendon_accuses_no_encoder_of_the_joints_it_crosses():
    cut = [("cut", "l_little_pip_flex_plus"), ("cut", "r_ring_mcp_flex_minus")]
    runs = hardware.struck(0, cut, print, moving=True)
    assert [(bool(run["found"]), run["false"]) for run in runs] == 2 * [(True, [])]


def test_memory_that_grows_after_the_start_up_has_a_slope():
    rows = [(60.0 * i, 500.0 - 40.0 * max(0, 3 - i)) for i in range(12)]
    assert abs(soak.slope(rows)) < 1e-6
    grows = [(t, m + 2.0 * t / 3600.0) for t, m in rows]
    assert soak.slope(grows) == pytest.approx(2.0)
    assert np.isnan(soak.slope(rows[:2]))


def test_an_operator_who_falls_silent_is_let_go_within_the_time_out():
    sample = stale.measure("teleop-5", 1, None, print)
    assert all(0.15 < s <= 0.2 + 1e-9 for s in sample["lets_go_s"])
    assert [f.id for f in stale.figures({"p": sample}) if f.n] == ["faults.stale_teleop_ms_max"]


def test_a_stop_that_does_not_stay_is_loose():
    good = {"by": "service", "hold_ms": 2.0, "latched": True, "held_on": True}
    runs = [good, {**good, "by": "console", "latched": False, "hold_ms": 24.0}]
    rows = by_id(runstop.figures({"p": {"runs": runs, "fell": False}}))
    assert (rows["faults.runstop_loose"].value, rows["faults.runstop_loose"].note) == (1, "console")
    assert rows["faults.runstop_hold_ms_max"].value == 24.0


def test_a_planner_is_late_by_its_own_period_and_a_dropped_plum_is_not_held():
    def planned(name):
        return {"planner": name, "hold_s": 0.45, "speed": 0.2, "speed_after": 0.001, "fell": False}

    runs = [planned("privileged_scripted"), planned("world_model")]
    runs.append({"held": False, "peak_grip_n": 1e6, "sank_m": 0.4})
    found = by_id(silent.figures({"1/silent/x": {"runs": runs}, "1/silent/camera": {"ages": [0.1, 0.3]}}))
    assert found["faults.silent_planner_periods_max"].value == pytest.approx(2.25)
    assert found["faults.silent_touch_held"].value == 0.0
    assert found["faults.silent_touch_crushed"].value == 1
    assert found["faults.stale_camera_ms_max"].value == pytest.approx(300.0)


def test_pictures_that_end_are_not_shown_for_long():
    (age,) = silent.measure("camera-1", 3, None, print)["ages"]
    assert 0.0 <= age <= 0.2


def test_whoever_starves_ends_with_a_reason_and_the_robot_does_not_notice(tmp_path):
    runs = starved.measure("trainer-1", 1, tmp_path, print)["runs"]
    found = by_id(starved.figures({"1/starved/trainer": {"runs": runs}}))
    assert {figure.id: figure.value for figure in found.values()} == dict.fromkeys(found, 0)
    odd = {"what": "full", "ended": False, "why": "", "held": 1, "fell": False}
    assert all(figure.value == 1 for figure in starved.figures({"1/starved/full": {"runs": [odd]}}))
