"""Who acted: what follows from safety state, task and commands, and what a bag makes of it."""

import pytest

from neo_flywheel import cdr
from neo_flywheel.provenance import Provenance, Shares
from neo_world_model.modalities import PROVENANCE


@pytest.fixture
def active():
    provenance = Provenance()
    provenance.safety(True)
    return provenance


def test_nobody_acts_before_anything_was_heard():
    assert Provenance().label == "none"


@pytest.mark.parametrize(("planner", "label"), [("world_model", "policy"), ("scripted", "teacher")])
def test_a_task_acts_by_its_planner_until_it_ends(active, planner, label):
    active.begins(planner)
    assert active.label == label
    active.ends()
    assert active.label == "none"


def test_a_person_who_commands_while_a_task_runs_intervenes_until_they_let_go(active):
    active.begins("world_model")
    assert not active.intervention
    active.operator(True)
    assert active.label == "teleop"
    assert active.intervention
    active.operator(False)
    assert active.label == "policy"


def test_safety_wins_over_everybody(active):
    active.begins("world_model")
    active.operator(True)
    active.safety(False)
    assert active.label == "safety"
    assert not active.intervention


def test_every_label_is_one_that_episodes_know(active):
    labels = {active.label, Provenance().label}
    for planner in ("world_model", "scripted", "privileged_scripted", "unheard of"):
        active.begins(planner)
        labels.add(active.label)
    active.operator(True)
    labels.add(active.label)
    active.safety(False)
    labels.add(active.label)
    assert labels == {"none", "policy", "teacher", "teleop", "safety"}
    assert labels <= set(PROVENANCE)


def test_autonomy_is_the_share_of_time_in_which_a_policy_chose():
    shares = Shares()
    rows = [(0, "safety"), (100, "policy"), (800, "teleop")]
    for time, value in rows:
        shares.note(time, cdr.key_value_cdr("provenance", value))
        shares.note(time, cdr.key_value_cdr("prompt", "wave"))
    assert shares.custom(1000) == {
        "autonomy": "0.7000",
        "provenance": "policy 0.7000, teleop 0.2000, safety 0.1000",
    }
    assert Shares().custom(1000) == {}


def test_a_person_who_acts_without_a_task_does_not_intervene(active):
    active.operator(True)
    assert active.label == "teleop"
    assert not active.intervention
