"""What ``neo bench console`` makes of its samples, and the tick at which the robot of its runs stood."""

from types import SimpleNamespace

import pytest
from neo_msgs.msg import SafetyState

from neo_bringup.bench import console, harness
from neo_bringup.bench.parity import RosRun
from neo_description.signals import DriveMode
from neo_description.tables import CONTROL_DT
from neo_ros import convert


def page(hosts):
    return {"paints": [900.0, 400.0, 500.0], "shown": [3e3] * 3, "idle": 0.01, "watched": 0.1, "hosts": hosts}


def test_a_host_outside_is_counted_and_named():
    made = {f.id: f for f in console.figures({"page": page(["127.0.0.1", "cdn.example"])})}
    assert made["console.first_paint_ms"].value == 500.0
    assert made["console.cpu_watched"].value == pytest.approx(10.0)
    outside = made["console.outside_hosts"]
    assert (outside.value, outside.note) == (1, "cdn.example")


def test_what_a_page_holds_in_itself_asks_no_host():
    assert console._host("data:image/png;base64,AAAA") == ""
    assert console._host("wss://127.0.0.1:8080/") == "127.0.0.1"
    assert console._host("http://cdn.example/x.js") == "cdn.example"


def test_a_run_that_differs_is_named_and_the_shortest_run_counts():
    samples = {
        f"lockstep/{kind}": {"compared": n, "differences": d, "first": None}
        for kind, n, d in (("none", 13, 0), ("watching", 15, 2), ("stopped", 12, 0))
    }
    made = {f.id: f for f in console.figures(samples)}
    assert (made["console.loop_differences"].value, made["console.loop_differences"].note) == (2, "watching")
    assert made["console.loop_compared"].value == 12
    assert set(made) <= set(harness.known_targets("console"))


def test_the_tick_of_standing_survives_a_missed_answer():
    run = RosRun.__new__(RosRun)
    run.stood_at = None
    run._on_command(SimpleNamespace(mode=DriveMode.HOLD, tick=50))
    run._on_command(SimpleNamespace(mode=DriveMode.TENSION, tick=61))  # 59 and 60 were missed
    safety = SafetyState(state=SafetyState.STANDING_UP)
    safety.header.stamp = convert.to_time(58 * CONTROL_DT)
    run._on_safety(safety)
    assert run.stood_at == 59
    run._on_safety(SafetyState(state=SafetyState.STOP))
    run._on_command(SimpleNamespace(mode=DriveMode.TENSION, tick=62))
    assert run.stood_at == 59
