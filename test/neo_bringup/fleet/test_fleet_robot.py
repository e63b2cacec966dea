"""A robot's turn: what it records, and what of it leaves, counted at the ``put``."""

import dataclasses
import json
from datetime import datetime
from pathlib import Path

import fleet_stand_ins as stand_ins
import pytest

from neo_bringup.fleet import robot
from neo_bringup.fleet.choose import Recorded
from neo_bringup.fleet.server import ALLOWED
from neo_bringup.fleet.settings import Place
from neo_description.errors import NeoError
from neo_flywheel import story
from neo_flywheel.metadata import read_custom
from neo_flywheel.privacy import Privacy
from neo_flywheel.store import episode_bag
from neo_world_model.modalities import PROVENANCE


class Sink:
    """Counts what is put into it."""

    def __init__(self):
        self.keys, self.bytes = [], 0

    def put(self, key, data):
        self.keys.append(key)
        self.bytes += len(data)


def take(name, sink, number=1, prompts=2, act=stand_ins.ACT, said=None):
    """A turn in this process; what it left."""
    turn = robot.Turn("", name, number, prompts, act)
    robot.run(turn, ([] if said is None else said).append, sink.put)
    return json.loads(Place(Path()).turn(name, turn.name).read_text())


def test_a_turn_updates_acts_records_and_sends_each_episode_once(there):
    sink = Sink()
    first = take("neo_1", sink)
    assert first["release"].startswith("0@")
    assert first["report"]["signed"]["tasks"] == 2
    assert len(sink.keys) == 2
    again = take("neo_1", sink, number=2, prompts=1)
    assert again["new"] == ["r002-00"]
    assert len(sink.keys) == len(set(sink.keys)) == 3


def test_of_a_robot_without_consent_not_one_byte_leaves(there):
    sink, said = Sink(), []
    turn = take("neo_2", sink, said=said)
    assert sink.bytes == 0
    assert len(turn["new"]) == len(turn["chosen"]) == 2
    assert all("no consent to clips" in line for line in turn["stays"])
    assert len(turn["stays"]) == 2


def test_what_stayed_leaves_when_consent_is_given(there):
    sink = Sink()
    take("neo_2", sink)
    ALLOWED.save(there.robot("neo_2") / "privacy.yaml")
    take("neo_2", sink, number=2, prompts=1)
    assert len(sink.keys) == 3


def test_in_a_no_go_time_nothing_leaves(there):
    hour = datetime.fromtimestamp(stand_ins.BEGAN).hour
    span = f"{hour:02d}:00-{(hour + 1) % 24:02d}:00"
    dataclasses.replace(ALLOWED, no_go=(span,)).save(there.robot("neo_1") / "privacy.yaml")
    sink = Sink()
    turn = take("neo_1", sink)
    assert sink.bytes == 0
    assert all("no-go time" in line for line in turn["stays"])


def test_no_more_leaves_in_a_day_than_its_budget(there):
    sink = Sink()
    take("neo_1", sink, prompts=1)
    one = sink.bytes
    Privacy(clips=True, images=True, daily_bytes=round(2.5 * one)).save(there.robot("neo_1") / "privacy.yaml")
    turn = take("neo_1", sink, number=2, prompts=3)
    assert sink.bytes <= 2.5 * one
    assert len(sink.keys) == 2
    assert len(turn["stays"]) == 2
    assert all("may still leave today" in line for line in turn["stays"])


def test_an_episode_says_who_acted_and_what_came_of_it(there):
    take("neo_1", Sink(), prompts=3)
    for folder in sorted((there.robot("neo_1") / "outbox").glob("r*")):
        custom, episode, one = read_custom(folder), episode_bag.load(folder), Recorded.of(folder)
        teacher = int((episode.provenance == PROVENANCE.index("teacher")).sum())
        assert one.taken_over == teacher
        assert one.alone == (teacher == 0)
        assert custom["robot"] == "neo_1"
        assert custom["release"].startswith("0@")
        assert 0.0 < one.surprise < 1.0
        assert robot.SEEDS[0] <= episode.seed < robot.SEEDS[1]
        assert {c.topic.split("/")[1] for _, c, _ in story.messages(story.bag_file(folder))} == {"neo_1"}


def test_robots_meet_other_worlds_and_the_same_ones_when_asked_again(there):
    seeds = {}
    for name in ("neo_1", "neo_2"):
        take(name, Sink())
        outbox = sorted((there.robot(name) / "outbox").glob("r*"))
        seeds[name] = [episode_bag.load(folder).seed for folder in outbox]
    assert len({seed for row in seeds.values() for seed in row}) == 4
    before = [story.bag_file(folder).read_bytes() for folder in outbox]
    for folder in outbox:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    take("neo_2", Sink())
    assert [story.bag_file(folder).read_bytes() for folder in outbox] == before


def test_a_robot_that_is_killed_while_it_acts_keeps_what_it_recorded(there):
    turn = robot.Turn(str(there.root), "neo_1", 1, 2, "fleet_stand_ins:act_and_die_once")
    with pytest.raises(NeoError, match=r"neo_1, turn r001: ended with -9; --resume goes on"):
        robot.take(turn)
    first = there.robot("neo_1") / "outbox" / "r001-00"
    was = story.bag_file(first).read_bytes()
    assert robot.take(turn)["new"] == ["r001-00", "r001-01"]
    assert story.bag_file(first).read_bytes() == was


def test_a_world_in_which_nobody_can_act_is_said_and_passed_over(there):
    turn = take("neo_1", Sink(), act="fleet_stand_ins:fall")
    assert turn["errors"] == ["the robot cannot stand", "the robot cannot stand"]
    assert turn["report"]["signed"]["errors"] == 2
    assert turn["new"] == []
