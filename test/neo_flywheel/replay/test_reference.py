"""A reference is accepted with a commit and a reason, and is of one bag; vacuous runs are refused."""

import json

import numpy as np
import pytest
from replay_bags import BOOK, codec, outputs

from neo_description import here
from neo_description.errors import NeoError
from neo_flywheel.replay import reference, report, table, verdict
from neo_flywheel.replay.source import Source

HAND = table.row("r_hand_control")


@pytest.fixture
def given(tmp_path):
    return Source(tmp_path / "bag", [], 300, "abc")


@pytest.fixture
def clean(monkeypatch):
    monkeypatch.setattr(here, "commit", lambda: "0123456789ab")
    monkeypatch.setattr(here, "changed_code", lambda: [])


def ran(**changes):
    return verdict.Run(outputs(**changes), 300, 0.1, np.full(300, 1e-3))


def test_what_was_accepted_is_read_back_with_commit_and_reason(given, clean):
    folder = reference.write(given, HAND, ran(), "as it should be", BOOK)
    assert folder.name == "bag.r_hand_control.reference"
    found = reference.read(given, HAND)
    assert (found.about.commit, found.about.reason) == ("0123456789ab", "as it should be")
    assert verdict.judge(HAND, found.outputs, ran(), found.codec, codec()).same


def test_another_one_takes_its_place(given, clean):
    reference.write(given, HAND, ran(), "first", BOOK)
    reference.write(given, HAND, ran(count=400), "more of it", BOOK)
    found = reference.read(given, HAND)
    assert found.about.reason == "more of it"
    assert len(found.outputs["r_hand/tendon_command"]) == 400


def test_a_reference_needs_a_reason_and_a_commit(given, clean, monkeypatch):
    with pytest.raises(NeoError, match="needs a reason"):
        reference.write(given, HAND, ran(), " ", BOOK)
    monkeypatch.setattr(here, "changed_code", lambda: ["neo_hand_control/node.py"])
    with pytest.raises(NeoError, match=r"node\.py … differ from commit 0123456789ab"):
        reference.write(given, HAND, ran(), "why not", BOOK)
    reference.write(given, HAND, ran(), "on purpose", BOOK, dirty=True)
    assert reference.read(given, HAND).about.commit == "0123456789ab+"


def test_a_reference_of_another_bag_is_refused(given, clean):
    reference.write(given, HAND, ran(), "fine", BOOK)
    given.sha256 = "def"
    with pytest.raises(NeoError, match="accepted for another bag"):
        reference.read(given, HAND)


def test_no_reference_says_how_to_make_one(given):
    with pytest.raises(NeoError, match="neo replay --accept"):
        reference.read(given, HAND)


def test_a_hand_that_did_nothing_is_no_reference(given, clean):
    with pytest.raises(NeoError, match="phase of r_hand/status was 0 throughout"):
        reference.write(given, HAND, ran(phase=0), "fine", BOOK)
    silent = ran()
    silent.outputs["r_hand/status"] = []
    with pytest.raises(NeoError, match="said nothing on r_hand/status"):
        reference.write(given, HAND, silent, "fine", BOOK)


def test_a_report_names_and_draws_what_differs(given, clean, tmp_path):
    def change(tick, message):
        if tick > 200:
            message.tension[3] += 1.5

    reference.write(given, HAND, ran(), "fine", BOOK)
    was = reference.read(given, HAND)
    found = verdict.judge(HAND, was.outputs, ran(change=change), was.codec, codec())
    page = report.write(tmp_path / "report", found, was.about, given.bag)
    text = page.read_text()
    assert "r_hand_control on bag: differs" in text
    assert text.count("data:image/png;base64,") == 1
    facts = json.loads((tmp_path / "report" / "report.json").read_text())
    assert facts["same"] is False
    (row,) = facts["differences"]
    assert (row["field"], row["index"], row["count"]) == ("tension", 3, 99)
    assert row["most"] == pytest.approx(1.5)


def test_elsewhere_numbers_may_round_otherwise_but_no_more(given, clean, monkeypatch):
    """Another processor's library has other kernels: the last bits differ, the robot does the same."""

    def off(by):
        def change(tick, message):
            message.tension = [value + by for value in message.tension]

        return ran(change=change)

    reference.write(given, HAND, ran(), "fine", BOOK)
    about = reference.read(given, HAND).about
    assert about.here
    monkeypatch.setattr(here, "processor", lambda: "another one")
    found = reference.read(given, HAND)
    assert not found.about.here

    def same(run, where):
        return verdict.judge(HAND, found.outputs, run, found.codec, codec(), here=where).same

    assert not same(off(1e-9), True)
    assert same(off(1e-9), False)
    assert not same(off(1e-3), False)
