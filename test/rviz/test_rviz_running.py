"""rviz before a running robot: every display hears its topic, in a frame that leads to the fixed one."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from neo_bringup.bench.robot import robot
from neo_ros import graph

sys.path.insert(0, str(Path(__file__).parent))
import test_rviz_config as config

LATCHED = QoSProfile(
    depth=100, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)
MOVING = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)


def quality(topic):
    """The QoS that rviz subscribes with."""
    return QoSProfile(
        depth=topic["Depth"],
        reliability=ReliabilityPolicy[topic["Reliability Policy"].upper().replace(" ", "_")],
        durability=DurabilityPolicy[topic["Durability Policy"].upper().replace(" ", "_")],
    )


def frames(message):
    """Every frame that a message is in."""
    found = {message.header.frame_id} if hasattr(message, "header") else set()
    return found | {marker.header.frame_id for marker in getattr(message, "markers", ())}


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """What rviz would hear from a robot in STOP: (last message of each topic, child frame → its parent)."""
    messages, parents = {}, {}
    shown = {topic["Value"]: (display, topic) for display, topic in config.shown()}

    def on_tf(message):
        parents.update({row.child_frame_id: row.header.frame_id for row in message.transforms})

    log = tmp_path_factory.mktemp("rviz") / "log.txt"
    with robot(["sync:=lockstep"], log) as (_, stack):
        make = stack.node.create_subscription
        for name, (display, topic) in shown.items():
            kind = graph.interface(config.STANDARD[display["Class"].partition("/")[2]])
            make(kind, name, lambda message, name=name: messages.update({name: message}), quality(topic))
        tf = graph.interface("tf2_msgs/msg/TFMessage")
        make(tf, "/tf", on_tf, MOVING)
        make(tf, "/tf_static", on_tf, LATCHED)
        stack.wait(lambda: set(messages) == set(shown) and "base_link" in parents, 60.0)
    assert set(shown) - set(messages) == set(), "nothing was heard there"
    return messages, parents


def fixed(frame, parents):
    """Whether ``frame`` leads to rviz's fixed frame."""
    while frame in parents:
        frame = parents[frame]
    return frame == config.manager()["Global Options"]["Fixed Frame"]


def test_every_display_hears_its_topic_in_a_frame_that_leads_to_the_fixed_one(heard):
    messages, parents = heard
    lost = {
        name: frames(said)
        for name, said in messages.items()
        if not all(fixed(f, parents) for f in frames(said))
    }
    assert lost == {}
    assert sum(bool(frames(said)) for said in messages.values()) >= 8


def test_every_link_of_the_robot_has_its_place(heard):
    messages, parents = heard
    links = {
        link.get("name") for link in ElementTree.fromstring(messages["/robot_description"].data).iter("link")
    }
    assert len(links) > 75
    assert [link for link in sorted(links) if not fixed(link, parents)] == []
