"""Small bags and outputs for tests of replays: a hand of which little is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from neo_msgs.msg import BodyState, GraspStatus, TendonCommand, WholeBodyCommand
from rclpy.serialization import serialize_message

from neo_flywheel.bag import BagWriter
from neo_flywheel.message_types import MessageType, TypeBook
from neo_flywheel.metadata import Qos
from neo_flywheel.replay.codec import Codec

BOOK = TypeBook([Path(sys.prefix)])
TICK = 2_000_000  # ns


def today(name):
    return BOOK.find(name).definition


def codec():
    return Codec(today)


def stamped(message, tick):
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(tick * TICK, 10**9)
    message.tick = tick
    return message


def answers(count=300, change=None):
    """Tendon commands of a hand; ``change(tick, message)`` may change each, or drop it by ``False``."""
    found = []
    for tick in range(count):
        message = stamped(TendonCommand(tension=np.linspace(1.0, 2.0, 44) + 0.01 * tick), tick)
        if change is None or change(tick, message) is not False:
            found.append(serialize_message(message))
    return found


def statuses(count=300, phase=2):
    return [serialize_message(stamped(GraspStatus(phase=phase), tick)) for tick in range(0, count, 10)]


def outputs(count=300, change=None, phase=2):
    """What ``r_hand_control`` may have said."""
    return {"r_hand/tendon_command": answers(count, change), "r_hand/status": statuses(count, phase)}


def body_rows(count=20, namespace=""):
    """(topic, type, ns, message) of a body: states, and a command after the third."""
    rows = []
    for tick in range(count):
        state = stamped(BodyState(joint_position=np.full(31, 0.1 * tick)), tick)
        rows.append(
            (f"{namespace}/body/state", "neo_msgs/msg/BodyState", tick * TICK, serialize_message(state))
        )
    command = serialize_message(WholeBodyCommand(base_height=0.8))
    topic = f"{namespace}/whole_body/command"
    rows.insert(3, (topic, "neo_msgs/msg/WholeBodyCommand", 2 * TICK + 1, command))
    return rows


def write(folder, rows, types=()):
    """A bag of ours; ``types``: name → definition that is used instead of today's."""
    book = TypeBook([Path(sys.prefix)])
    find = book.find
    book.find = lambda name: MessageType(name, dict(types)[name], "") if name in dict(types) else find(name)
    with BagWriter(folder, book) as bag:
        topics = {}
        for topic, kind, time_ns, data in rows:
            if topic not in topics:
                topics[topic] = bag.add_topic(topic, kind, Qos())
            bag.write(topics[topic], time_ns, data)
    return folder
