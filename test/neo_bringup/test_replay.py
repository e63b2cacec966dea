"""Real nodes in processes of their own, stepped by short bags: the same to the bit, or it is named."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest

from neo_bringup import cli
from neo_bringup.replay import shorts
from neo_bringup.replay.lockstep import replay
from neo_description.errors import NeoError
from neo_flywheel.bag import BagWriter
from neo_flywheel.message_types import installed
from neo_flywheel.replay import source, table, verdict
from neo_flywheel.replay.codec import Codec
from neo_ros import graph

NODE = "body_control"


def today(name):
    return installed().find(name).definition


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """The bag, and its reference beside it."""
    bag = shorts.write("standing", tmp_path_factory.mktemp("bags") / "standing")
    words = ["replay", str(bag), "--node", NODE, "--accept", "--reason", "the test says so", "--dirty"]
    assert cli.main(words) == 0
    return bag


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
    (row,) = [d for d in facts["differences"] if d["topic"] == "body/tendon_command"]
    assert row["field"] == "tension"
    assert row["first"] > 0.1e9  # not before it stood up
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


def test_a_state_that_the_node_refuses_gets_no_answer_and_holds_nobody_up(standing):
    row = table.row(NODE)
    given = source.read(standing, row, today)
    codec, kind = Codec(today), table.type_of(row.drive)
    state = codec.decode(given.steps[5].data, kind)
    state.joint_position = np.full(31, np.nan)
    given.steps[5:] = [dataclasses.replace(given.steps[5], data=codec.encode(state, kind)), given.steps[6]]
    run = replay(given, row)
    assert (run.driven, run.unanswered) == (7, 1)
    assert len(run.outputs[row.answer]) == 6


def test_a_state_that_is_lost_on_the_way_is_sent_again(standing, monkeypatch):
    """Regression: of 4801 states one was lost on busy cores, and its answer was missing."""
    row, publisher = table.row(NODE), graph.publisher
    given = source.read(standing, row, today)
    given.steps[100:] = []

    class Lossy:
        def __init__(self, node, topic):
            self.real, self.count = publisher(node, topic), 0

        def publish(self, data):
            self.count += 1
            if self.count != 20:
                self.real.publish(data)

    monkeypatch.setattr(graph, "publisher", Lossy)
    run = replay(given, row)
    assert (run.unanswered, run.lost) == (0, 1)
    expected = values(given.answers, row.answer)
    assert values(run.outputs[row.answer], row.answer) == expected[: run.driven]


def test_a_node_that_is_stuck_is_told_with_the_moment(standing, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    row = dataclasses.replace(table.row(NODE), module="replay_stuck_node")
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
