"""A command topic that two nodes publish on: the first commands, the second is refused by name."""

import pytest
from neo_msgs.msg import HandCommand
from rclpy.node import Node

from neo_ros import environment, graph
from neo_ros.diagnostics import Diagnostics
from neo_ros.one_publisher import LOOK_EVERY, SILENT, UNTOLD, OnePublisher

TOPIC = "l_hand/command"
TELLS_NO_PUBLISHER = environment.FAST_DDS_2 in environment.ros_environment({})  # ROS 2 Jazzy


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


@pytest.mark.skipif(TELLS_NO_PUBLISHER, reason="this rclpy does not say whose a message is")
def test_the_second_publisher_is_refused_and_both_are_named(three):
    spin, (first, second), taken, diagnostics = three
    first.publish(HandCommand(width=0.01))
    spin.until(lambda: taken)
    second.publish(HandCommand(width=0.02))
    spin.until(lambda: diagnostics.refusals)
    assert [message.width for message in taken] == [0.01]
    assert "/elsewhere/second commands while /first does" in diagnostics._last_refusal
    first.publish(HandCommand(width=0.03))
    spin.until(lambda: len(taken) == 2)
    assert taken[-1].width == 0.03


@pytest.mark.skipif(not TELLS_NO_PUBLISHER, reason="this rclpy says whose a message is")
def test_where_nobody_says_whose_a_message_is_neither_of_two_commands(three):
    spin, publishers, taken, diagnostics = three
    for publisher in publishers:
        publisher.publish(HandCommand(width=0.01))
    spin.until(lambda: sum(diagnostics.refusals.values()) == 2)
    assert taken == []
    assert "/elsewhere/second and /first" in diagnostics._last_refusal


class Graph:
    """A node that knows the publishers in ``there``."""

    def __init__(self, **there):
        self.there = there

    def get_publishers_info_by_topic(self, topic):
        rows = self.there.items()
        return [type("Row", (), {"endpoint_gid": list(gid), "node_namespace": "/", "node_name": name})
                for name, gid in rows]  # fmt: skip


def test_another_may_command_after_a_silence_or_when_the_first_is_gone():
    now, node = [0.0], Graph(one=b"1", two=b"2")
    rule = OnePublisher(node, TOPIC, lambda: now[0])
    assert rule.refusal(b"1") is None
    now[0] = SILENT - 0.01
    assert "/two commands while /one does" in rule.refusal(b"2")
    now[0] = SILENT
    assert rule.refusal(b"2") is None
    assert rule.refusal(b"1") is not None
    del node.there["two"]
    now[0] += 0.5
    assert rule.refusal(b"1") is None


def test_of_messages_that_could_be_anybodys_none_counts_while_two_publish():
    now, node = [0.0], Graph(one=b"1")
    rule = OnePublisher(node, TOPIC, lambda: now[0])
    assert rule.refusal(UNTOLD) is None
    node.there["two"] = b"2"
    now[0] += LOOK_EVERY
    assert "/one and /two" in rule.refusal(UNTOLD)
    del node.there["one"]
    now[0] += LOOK_EVERY
    assert rule.refusal(UNTOLD) is None
