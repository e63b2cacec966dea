"""Diagnostics as others receive them."""

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node

from neo_description.errors import RefusedError
from neo_ros import graph
from neo_ros.diagnostics import SHOWN, Diagnostics


@pytest.fixture
def heard(ros, spinning):
    """A diagnosed node and what /diagnostics carries about it, received over DDS."""
    node, listener = Node("worker", namespace="/neo"), Node("listener")
    statuses = []
    graph.subscription(listener, "/diagnostics", lambda message: statuses.extend(message.status))
    diagnostics = Diagnostics(node)
    spin = spinning(node, listener)
    spin.until(lambda: node.count_subscribers("/diagnostics") == 1)
    yield diagnostics, statuses, spin
    node.destroy_node(), listener.destroy_node()


def values(status):
    return {row.key: row.value for row in status.values}


def test_it_speaks_by_itself_once_a_second(heard):
    _, statuses, spin = heard
    spin.until(lambda: len(statuses) >= 2)
    assert statuses[0].name == "/neo/worker"
    assert (statuses[0].level, statuses[0].message) == (DiagnosticStatus.OK, "ok")


def test_a_refusal_is_counted_and_named(heard):
    diagnostics, statuses, spin = heard
    diagnostics.refused("l_hand/command", "grip_force nan")
    diagnostics.refused("l_hand/command", "grip_force inf")
    spin.until(lambda: statuses and statuses[-1].level == DiagnosticStatus.WARN)
    assert statuses[-1].message == "refused l_hand/command: grip_force inf"
    assert values(statuses[-1])["refused l_hand/command"] == "2"
    assert values(statuses[-1])["last refusal"] == "l_hand/command: grip_force inf"
    assert diagnostics.refusals == {"l_hand/command": 2}


def test_a_warning_fades_and_its_count_stays(heard):
    diagnostics, statuses, spin = heard
    diagnostics.refused("body/tendon_command", "stale")
    for _ in range(SHOWN + 1):
        diagnostics.publish()
    spin.until(lambda: statuses and statuses[-1].level == DiagnosticStatus.OK)
    assert values(statuses[-1])["refused body/tendon_command"] == "1"


def test_an_error_is_not_hidden_by_a_later_warning(heard):
    diagnostics, statuses, spin = heard
    diagnostics.error("no picture")
    diagnostics.warn("late")
    diagnostics.set("ratio", 0.123456789)
    diagnostics.count("frames", 2)
    diagnostics.count("frames")
    spin.until(lambda: statuses and statuses[-1].level == DiagnosticStatus.ERROR)
    assert statuses[-1].message == "no picture"
    assert values(statuses[-1]) == {"ratio": "0.123457", "frames": "3"}


def test_a_guarded_callback_refuses_and_lives_on(heard):
    diagnostics, _, _ = heard
    seen = []

    def callback(message):
        if message == "bad":
            raise RefusedError("not like this")
        seen.append(message)

    guarded = diagnostics.guarded("whole_body/command", callback)
    guarded("bad")
    guarded("good")
    assert seen == ["good"]
    assert diagnostics.refusals == {"whole_body/command": 1}
