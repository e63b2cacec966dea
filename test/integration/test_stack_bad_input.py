"""The whole graph, standing: bad input on every command topic is refused, named, and changes nothing."""

import math
import os
from functools import partial

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from neo_msgs.action import Grasp, Reach
from neo_msgs.msg import HandCommand, SafetyState, TendonCommand, WholeBodyCommand

from neo_bringup.bench.robot import robot, stand
from neo_bringup.client import TaskGoal
from neo_description.tables import BODY, HAND
from neo_ros import graph

NAN, INF = math.nan, math.inf


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    log = tmp_path_factory.mktemp("stack") / "log.txt"
    with robot(["sync:=lockstep", "cameras:=false"], log) as (launched, stack):
        stand(launched, stack)
        yield Seen(stack)
    assert os.path.getsize(log) > 0


class Seen:
    """Diagnostics by node, the truth, and the newest ticks."""

    def __init__(self, stack):
        self.stack = stack
        self.values = {}
        self.truth = None
        graph.subscription(stack.node, "/diagnostics", self._on_diagnostics)
        graph.subscription(stack.node, "sim/privileged_state", self._on_privileged_state)
        assert stack.wait(lambda: self.truth is not None, 20.0)

    def _on_diagnostics(self, message):
        for status in message.status:
            self.values.setdefault(status.name.rpartition("/")[2], {}).update(
                {pair.key: pair.value for pair in status.values}
            )

    def _on_privileged_state(self, message):
        self.truth = message

    def refusals(self, node, topic):
        return int(self.values.get(node, {}).get(f"refused {topic}", 0))

    def check_refused(self, node, topic, message):
        """Publishes ``message`` until ``node`` counts a refusal of ``topic``; its reason."""
        before = self.refusals(node, topic)
        publisher = graph.publisher(self.stack.node, topic)
        assert self.stack.wait(lambda: publisher.get_subscription_count() > 0, 20.0)

        def refused():
            publisher.publish(message)
            return self.refusals(node, topic) > before

        assert self.stack.wait(refused, 20.0, poll=0.3), f"{topic} took it"
        self.stack.node.destroy_publisher(publisher)
        return self.values[node]["last refusal"]

    def drive_refusals(self, group):
        """Kind of refusal → count, of one drive group."""
        shown = self.values.get("sim", {}).get(f"{group} refused", "-")
        return dict(item.split(" ") for item in shown.split(", ")) if shown != "-" else {}

    def check_drives_refuse(self, group, tension, kind):
        """Answers states of ``group`` before its controller does, until the drives count ``kind``."""
        before = self.drive_refusals(group).get(kind)
        publisher = graph.publisher(self.stack.node, f"{group}/tendon_command")
        asking = True

        def answer(state):
            if asking and state.tick % 5 == 0:  # states may still come when the publisher is gone
                message = TendonCommand(tick=state.tick, mode=TendonCommand.MODE_TENSION)
                message.tension = tension
                publisher.publish(message)

        subscription = graph.subscription(self.stack.node, f"{group}/state", answer)
        counted = self.stack.wait(lambda: self.drive_refusals(group).get(kind) != before, 30.0)
        asking = False
        self.stack.drop(
            partial(self.stack.node.destroy_subscription, subscription),
            partial(self.stack.node.destroy_publisher, publisher),
        )
        assert counted, f"{group} drives took it: {self.drive_refusals(group)}"
        assert self.refusals("sim", f"{group}/tendon_command") > 0

    def check_still_standing(self, height):
        assert self.stack.safety.state == SafetyState.ACTIVE
        after = self.truth.tick + 250
        assert self.stack.wait(lambda: self.truth.tick >= after, 60.0)
        assert self.stack.safety.state == SafetyState.ACTIVE
        assert self.truth.body_drive_mode == TendonCommand.MODE_TENSION
        assert abs(self.truth.qpos[2] - height) < 0.02


def with_first(value):
    def change(values):
        values[0] = value
        return values

    return change


@pytest.mark.parametrize(("name", "group"), [("body", BODY), ("l_hand", HAND), ("r_hand", HAND)])
@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("not_finite", with_first(NAN)),
        ("not_finite", with_first(INF)),
        ("wrong_length", lambda values: values[:-1]),
        ("out_of_range", lambda values: 1e5 + values),
    ],
    ids=["nan", "inf", "short", "far above the limit"],
)
def test_a_bad_tendon_command_is_refused_by_the_drives(standing, name, group, kind, change):
    height = standing.truth.qpos[2]
    standing.check_drives_refuse(name, change(group.pretension.copy()).tolist(), kind)
    standing.check_still_standing(height)


def whole_body(**fields):
    message = WholeBodyCommand(use=WholeBodyCommand.USE_GAZE)
    message.header.frame_id = "odom"
    message.valid_for.sec = 1
    message.gaze.x, message.gaze.z = 1.0, 1.0
    for name, value in fields.items():
        target = message
        *path, last = name.split("__")
        for part in path:
            target = getattr(target, part)
        setattr(target, last, value)
    return message


@pytest.mark.parametrize(
    "fields",
    [
        {"gaze__x": NAN},
        {"gaze__y": INF},
        {"use": WholeBodyCommand.USE_BASE_HEIGHT, "base_height": 10.0},
        {"use": WholeBodyCommand.USE_BASE_VELOCITY, "base_velocity__linear__x": 0.5},
        {"use": WholeBodyCommand.USE_L_HAND, "l_hand__position__x": NAN},
        {"use": WholeBodyCommand.USE_R_HAND, "r_hand__position__x": 30.0},
        {"header__frame_id": "moon"},
    ],
    ids=lambda fields: next(reversed(fields)),
)
def test_a_bad_whole_body_command_is_refused(standing, fields):
    height = standing.truth.qpos[2]
    standing.check_refused("body_control", "whole_body/command", whole_body(**fields))
    standing.check_still_standing(height)


def hand(**fields):
    message = HandCommand(action=HandCommand.PRESHAPE, grasp="medium_wrap", width=0.06)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize("side", ["l", "r"])
@pytest.mark.parametrize(
    "fields",
    [
        {"grasp": "telekinesis"},
        {"width": NAN},
        {"action": 99},
        {"action": HandCommand.CLOSE, "grip_force": 5000.0},
        {"action": HandCommand.JOINTS, "joint_position": np.full(22, INF)},
    ],
    ids=lambda fields: next(reversed(fields)),
)
def test_a_bad_hand_command_is_refused(standing, side, fields):
    standing.check_refused(f"{side}_hand_control", f"{side}_hand/command", hand(**fields))
    standing.check_still_standing(standing.truth.qpos[2])


@pytest.mark.parametrize(
    ("prompt", "complaint"),
    [
        ("", "empty"),
        ("flurb the glorp", "flurb"),
        ("pick up the red unicorn", "unicorn"),
        ("pick up " + "the " * 200 + "red bottle", "200"),
    ],
)
def test_a_bad_prompt_is_refused_with_the_reason_in_the_result(standing, prompt, complaint):
    height = standing.truth.qpos[2]
    goal = TaskGoal(standing.stack, lambda feedback: None)
    goal.send(prompt, wait=30.0)
    assert standing.stack.wait(lambda: goal.done, 20.0)
    result = goal.result
    goal.close()
    assert (result.success, result.reason) == (False, "refused")
    assert complaint in result.outcome
    standing.check_still_standing(height)


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("reach", Reach.Goal(hand="third")),
        ("reach", Reach.Goal(hand="left", speed=NAN)),
        ("follow_joint_trajectory", graph.action_type("follow_joint_trajectory").Goal()),
        ("l_hand/grasp", Grasp.Goal(grasp="telekinesis")),
        ("r_hand/grasp", Grasp.Goal(grasp="medium_wrap", grip_force=NAN)),
    ],
)
def test_a_bad_goal_is_refused_with_the_reason_in_the_result(standing, name, goal):
    client = standing.stack.action_client(name)
    assert client.wait_for_server(timeout_sec=30.0)
    sent = client.send_goal_async(goal)
    assert standing.stack.wait(sent.done, 20.0)
    if sent.result().accepted:
        answer = sent.result().get_result_async()
        assert standing.stack.wait(answer.done, 20.0)
        result = answer.result().result
        assert answer.result().status == GoalStatus.STATUS_ABORTED
        assert getattr(result, "reason", None) or result.error_string
    standing.stack.drop(client.destroy)
    standing.check_still_standing(standing.truth.qpos[2])
