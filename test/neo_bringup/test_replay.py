"""Real nodes in processes of their own, stepped by short bags: the same to the bit, or it is named."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
from rclpy.qos import ReliabilityPolicy
from rclpy.serialization import serialize_message
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from neo_body_control.joint_requests import Trajectory, path_of
from neo_bringup import cli
from neo_bringup.replay import lockstep, shorts
from neo_bringup.replay.lockstep import replay
from neo_description.errors import NeoError
from neo_flywheel.bag import BagWriter
from neo_flywheel.message_types import installed
from neo_flywheel.recorder import QOS
from neo_flywheel.replay import source, table, verdict
from neo_flywheel.replay.codec import Codec
from neo_ros import convert

NODE = "body_control"
ROOM = 12  # bytes that serialize_message leaves for three empty sequences, and DDS does not send


def today(name):
    return installed().find(name).definition


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """The bag, and its reference beside it."""
    bag = shorts.write("standing", tmp_path_factory.mktemp("bags") / "standing")
    words = ["replay", str(bag), "--node", NODE, "--accept", "--reason", "the test says so", "--dirty"]
    assert cli.main(words) == 0
    return bag


@pytest.fixture(scope="module")
def looking(tmp_path_factory):
    """A bag with images."""
    return shorts.write("look", tmp_path_factory.mktemp("bags") / "look")


def values(messages, topic):
    """Serialised anew: without what lies between fields."""
    codec, kind = Codec(today), table.type_of(topic)
    return [codec.encode(codec.decode(data, kind), kind) for data in messages]


def test_a_node_says_the_same_again_exactly(standing, capfd):
    assert cli.main(["replay", str(standing), "--node", NODE, "--check", "--no-budget"]) == 0
    assert "body_control: the same as" in capfd.readouterr().out
    facts = json.loads((standing.with_name("standing.body_control.report") / "report.json").read_text())
    assert facts["same"] is True
    assert facts["reference"]["reason"] == "the test says so"
    assert facts["messages"]["body/tendon_command"] > 900
    assert facts["cost"]["cpu_us"] > 0.0


def test_another_gain_is_found_and_named(standing, tmp_path, capfd):
    words = ["replay", str(standing), "--node", NODE, "--check", "--no-budget", "--set", "com_kp=41.0"]
    assert cli.main([*words, "--report", str(tmp_path)]) == 1
    out = capfd.readouterr().out
    assert "body/tendon_command: tension differs by up to" in out
    facts = json.loads((tmp_path / "report.json").read_text())
    rows = [d for d in facts["differences"] if d["topic"] == "body/tendon_command"]
    assert [(row["kind"], row["field"]) for row in rows] == [("value", "tension")], rows
    assert rows[0]["first"] > 0.1e9  # not before it stood up
    assert "data:image/png" in (tmp_path / "report.html").read_text()


def test_a_robot_that_never_leaves_stop_says_nothing(tmp_path, capfd):
    with BagWriter(tmp_path / "stop", installed()) as bag:
        shorts.Short(shorts.SpokenEnv("empty"), bag).go(0.6)
    words = ["replay", str(tmp_path / "stop"), "--node", NODE]
    assert cli.main([*words, "--accept", "--reason", "why not", "--dirty"]) == 2
    assert "state of safety/state was 0 throughout" in capfd.readouterr().err
    assert not (tmp_path / "stop.body_control.reference").exists()


@pytest.mark.parametrize(("short", "node"), [("reach", NODE), ("grasp", "r_hand_control")])
def test_commands_reach_the_node_at_their_tick(short, node, tmp_path):
    """Regression: bits of the answers tell a command, or a mode, that came one tick late."""
    bag, row = shorts.write(short, tmp_path / short), table.row(node)
    given = source.read(bag, row, today)
    run = replay(given, row)
    assert run.refused == []
    verdict.worth_comparing(run.outputs, row, Codec(today))
    said = values(run.outputs[row.answer], row.answer)
    assert said == values(given.answers, row.answer)


def test_joints_follow_a_recorded_path_again(tmp_path):
    """Regression: a path was no input of the replay, so the arm stayed where it was."""
    env, row = shorts.SpokenEnv("empty"), table.row(NODE)
    with BagWriter(tmp_path / "path", installed()) as bag:
        short = shorts.Short(env, bag)
        paths = bag.add_topic("/joint_trajectory", table.type_of("joint_trajectory"), QOS["reliable"])
        short.stand()
        point = JointTrajectoryPoint(positions=[-0.4], time_from_start=convert.to_duration(0.4))
        message = JointTrajectory(joint_names=["l_elbow_pitch"], points=[point])
        asked = Trajectory(message.joint_names, np.array([0.4]), np.array([[-0.4]]))
        assert env.body.follow(path_of(env.body, env.body.params, asked)) is None
        time_ns = shorts.START + env.plant.tick * shorts.TICK + shorts.TICK // 2
        bag.write(paths, time_ns, serialize_message(message)[:-ROOM])
        short.go(0.5)
    assert env.body.joints.active.any()
    given = source.read(tmp_path / "path", row, today)
    run = replay(given, row)
    assert run.refused == []
    assert values(run.outputs[row.answer], row.answer) == values(given.answers, row.answer)


def test_a_state_that_the_node_refuses_gets_no_answer_and_holds_nobody_up(standing):
    row = table.row(NODE)
    given = source.read(standing, row, today)
    codec, kind = Codec(today), table.type_of(row.drive)
    state = codec.decode(given.steps[5].data, kind)
    state.tendon_tension = np.full(62, np.nan)
    given.steps[5:] = [dataclasses.replace(given.steps[5], data=codec.encode(state, kind)), given.steps[6]]
    run = replay(given, row)
    assert (run.driven, run.unanswered) == (7, 1)
    assert len(run.outputs[row.answer]) == 6


def test_every_end_of_the_node_is_reliable_and_deep(standing):
    """Regression: of 4801 states that went by best effort one was lost on busy cores."""
    row, ends = table.row(NODE), []

    class Spy(lockstep.ReplayedNode):
        def check(self, when):
            super().check(when)
            node = spied[0]
            for topic in (row.drive, *row.inputs, *row.outputs):
                every = node.get_subscriptions_info_by_topic(topic) + node.get_publishers_info_by_topic(topic)
                ends.extend((topic, end.qos_profile) for end in every if end.node_name == row.name)

    spied = []
    make = lockstep.Node
    given = source.read(standing, row, today)
    given.steps[510:] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lockstep, "Node", lambda *a, **k: spied.append(make(*a, **k)) or spied[-1])
        patch.setattr(lockstep, "ReplayedNode", Spy)
        replay(given, row)
    assert {topic for topic, _ in ends} == {row.drive, *row.inputs, *row.outputs}
    assert {quality.reliability for _, quality in ends} == {ReliabilityPolicy.RELIABLE}


def test_a_node_that_is_stuck_is_told_with_the_moment(standing, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    row = table.row(NODE)
    ends = {"outputs": {row.answer: row.outputs[row.answer]}, "inputs": (), "calls": ()}  # those that it has
    row = dataclasses.replace(row, module="replay_stuck_node", **ends)
    with pytest.raises(NeoError, match=r"body_control did not answer at 0\.006 s within 1 s"):
        replay(source.read(standing, row, today), row, timeout=1.0)


def test_a_node_that_refuses_to_start_is_told_with_its_reason(standing):
    row = table.row(NODE)
    given = source.read(standing, row, today)
    with pytest.raises(NeoError, match=r"ended while it started: exit code 2: .*no parameter no_such"):
        replay(given, row, {"no_such": 1.0})


def test_the_same_seed_makes_the_same_bag(standing, tmp_path):
    row = table.row(NODE)
    again = shorts.write("standing", tmp_path / "again")
    assert source.read(again, row, today).sha256 == source.read(standing, row, today).sha256
    other = shorts.write("standing", tmp_path / "other", seed=1)
    assert source.read(other, row, today).sha256 != source.read(standing, row, today).sha256


def test_a_reference_is_of_the_node_as_it_ships(standing, capfd):
    words = ["replay", str(standing), "--node", NODE, "--accept", "--reason", "x", "--set", "com_kp=41.0"]
    assert cli.main(words) == 2
    assert cli.main(["replay", str(standing), "--node", "nobody"]) == 2
    assert "one of body_control, l_hand_control" in capfd.readouterr().err


@pytest.mark.parametrize("node", ["perception", "world_model"])
def test_a_node_that_answers_some_messages_only_says_the_same_again(node, looking):
    row = table.row(node)
    given = source.read(looking, row, today)
    first, again = (replay(given, row) for _ in range(2))
    verdict.worth_comparing(first.outputs, row, Codec(today))
    assert first.unanswered == 0
    assert len(first.latency) == len(first.outputs[row.answer])
    for topic in row.outputs:
        assert values(again.outputs[topic], topic) == values(first.outputs[topic], topic)


@pytest.mark.parametrize("node", ["proprioception", "tactile"])
def test_sensor_nodes_say_something_to_a_bag(node, looking):
    row = table.row(node)
    given = source.read(looking, row, today)
    del given.steps[1000:]
    verdict.worth_comparing(replay(given, row).outputs, row, Codec(today))


BAGS = Path(__file__).parents[1] / "bags"


@pytest.mark.parametrize("folder", sorted(BAGS.glob("*.reference")), ids=lambda path: path.stem)
def test_the_nodes_say_what_they_said_when_it_was_accepted(folder, tmp_path, capfd):
    """On purpose different? ``neo replay BAG --node NODE --accept --reason WHY`` (docs/how-to/replay.md)."""
    bag, node = folder.stem.split(".")
    words = ["replay", str(BAGS / bag), "--node", node, "--check", "--no-budget", "--report", str(tmp_path)]
    code = cli.main([*words, "--json"])
    out = capfd.readouterr().out
    assert code == 0, out
    assert json.loads(out)["same"] is True
