"""What ``neo bench console`` makes of its samples."""

import pytest

from neo_bringup.bench import console, harness


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
