"""What the console reads of messages, also where some cannot be read."""

import pytest
from neo_msgs.msg import BodyState, SafetyState
from std_msgs.msg import Bool

from neo_bringup.console.each import each
from neo_bringup.console.reading import Reading
from neo_bringup.console.snapshot import Snapshot
from neo_description.signals import Safety


class Latest:
    """Messages of a robot, by topic; each is there once."""

    prefix = "/neo1/"

    def __init__(self, **messages):
        self.messages = {name.replace("__", "/"): message for name, message in messages.items()}

    def take(self, topic):
        message = self.messages.pop(topic, None)
        if isinstance(message, Exception):
            raise message
        return message

    def age(self, topic):
        return 0.1

    def said_by(self, topic):
        return 1

    def now(self):
        return 5.0

    def present(self):
        return ["/neo1/sim"]


@pytest.mark.parametrize("body", [BodyState(drive_mode=77), RuntimeError("not enough memory")])
def test_a_topic_that_cannot_be_read_keeps_no_other_from_being_shown(body):
    heard = Latest(
        body__state=body, safety__state=SafetyState(state=int(Safety.ACTIVE), reason="asked"),
        teleop__engaged=Bool(data=True),
    )  # fmt: skip
    snapshot = Snapshot()
    with pytest.raises(type(body) if isinstance(body, Exception) else ValueError, match=r"memory|77"):
        Reading(heard, 3.0).panels(snapshot)
    assert (snapshot.safety, snapshot.safety_reason) == (Safety.ACTIVE, "asked")
    assert snapshot.operator == {"teleop/engaged": True}


def test_nodes_are_listed_where_a_heartbeat_cannot_be_read():
    snapshot = Snapshot()
    with pytest.raises(RuntimeError, match="cut off"):
        Reading(Latest(safety__heartbeat=RuntimeError("cut off")), 3.0).health(snapshot)
    assert "sim" in {node.name for node in snapshot.nodes}


def test_the_first_error_is_told_after_all_was_done():
    done = []

    def fails(words):
        raise ValueError(words)

    with pytest.raises(ValueError, match="first"):
        each(lambda: done.append(1), lambda: fails("first"), lambda: fails("second"), lambda: done.append(2))
    assert done == [1, 2]
