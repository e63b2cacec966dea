"""A command topic that two nodes publish on: the first commands, the second is refused by name."""

import pytest
from neo_msgs.msg import HandCommand
from rclpy.node import Node

from neo_ros import environment, graph
from neo_ros.diagnostics import Diagnostics
from neo_ros.one_publisher import LOOK_EVERY, SILENT, UNTOLD, Numbers, OnePublisher

TOPIC = "l_hand/command"
ONE, TWO = b"1" * 16, b"2" * 16  # DDS ids


@pytest.fixture
def three(ros, spinning):
    """The subscriber's node and two publishers that it knows."""
    hand, first, second = Node("hand"), Node("first"), Node("second", namespace="/elsewhere")
    taken, diagnostics = [], Diagnostics(hand)
    graph.command_subscription(hand, TOPIC, taken.append, diagnostics.refused)
    publishers = [graph.publisher(first, TOPIC), second.create_publisher(HandCommand, f"/{TOPIC}", 10)]
    spin = spinning(hand, first, second)
    spin.until(lambda: hand.count_publishers(TOPIC) == 2)
    spin.until(lambda: all(p.get_subscription_count() == 1 for p in publishers))
    yield spin, publishers, taken, diagnostics
    for node in (hand, first, second):
        node.destroy_node()


def test_the_second_publisher_is_refused_and_both_are_named(three):
    spin, (first, second), taken, diagnostics = three
    for _ in range(2):  # two that are as far as one another are not told apart by numbers
        first.publish(HandCommand(width=0.01))
    spin.until(lambda: len(taken) == 2)
    second.publish(HandCommand(width=0.02))
    spin.until(lambda: diagnostics.refusals)
    assert [message.width for message in taken] == [0.01, 0.01]
    jazzy = environment.FAST_DDS_2 in environment.ros_environment({})  # it does not say whose a message is
    both = "/elsewhere/second and /first" if jazzy else "/elsewhere/second commands while /first does"
    assert f"two publishers: {both};" in diagnostics._last_refusal
    first.publish(HandCommand(width=0.03))
    spin.until(lambda: len(taken) == 3)
    assert taken[-1].width == 0.03


class Graph:
    """A node that knows the publishers in ``there``."""

    def __init__(self, **there):
        self.there = there

    def get_publishers_info_by_topic(self, topic):
        rows = self.there.items()
        return [type("Row", (), {"endpoint_gid": list(gid), "node_namespace": "/", "node_name": name})
                for name, gid in rows]  # fmt: skip


def test_another_may_command_after_a_silence_or_when_the_first_is_gone():
    now, node = [0.0], Graph(one=ONE, two=TWO)
    rule = OnePublisher(node, TOPIC, lambda: now[0])
    assert rule.refusal(ONE) is None
    now[0] = SILENT - 0.01
    assert "/two commands while /one does" in rule.refusal(TWO)
    now[0] = SILENT
    assert rule.refusal(TWO) is None
    assert rule.refusal(ONE) is not None
    del node.there["two"]
    now[0] += 0.5
    assert rule.refusal(ONE) is None


def test_publishers_are_told_apart_by_their_messages_numbers():
    numbers, node, now = Numbers(), Graph(one=ONE, two=TWO), [0.0]
    rule = OnePublisher(node, TOPIC, lambda: now[0])
    first = numbers.publisher(400)
    assert [numbers.publisher(n) for n in (401, 405)] == [first, first]  # some were lost
    second = numbers.publisher(1)
    assert second != first
    assert [numbers.publisher(n) for n in (406, 2, 407)] == [first, second, first]
    assert rule.refusal(first) is None
    assert "two publishers: /one and /two;" in rule.refusal(second)
    assert rule.refusal(UNTOLD) is not None
    del node.there["one"]
    now[0] += LOOK_EVERY
    assert rule.refusal(second) is None


def test_where_one_catches_up_with_the_other_nobody_guesses():
    numbers = Numbers()
    first, second = numbers.publisher(50), numbers.publisher(10)
    assert numbers.publisher(52) == UNTOLD  # of the first, one lost, or of the second, many
    assert numbers.publisher(51) == first
    assert numbers.publisher(11) == second
