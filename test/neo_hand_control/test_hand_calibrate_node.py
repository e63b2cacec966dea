"""The node's service ``calibrate`` over real DDS: the routine runs in the node, which believes its result."""

import functools

import pytest
import yaml
from std_srvs.srv import Trigger
from test_hand_node import Station

from neo_description.signals import DriveMode, HandAction, HandCommand
from neo_description.tables import TAXELS
from neo_hand_control import calibrator, node
from neo_hand_control.calibration import Calibration
from neo_ros import graph

LITTLE_TIP = TAXELS.index("little_distal")


@pytest.fixture
def station(ros, monkeypatch):
    """A hand that touches itself once, and rests and rubs for a short while only."""
    monkeypatch.setattr(calibrator, "REST", 0.5)
    monkeypatch.setattr(calibrator, "SWEEPS", 1)
    monkeypatch.setattr(node, "HandCalibrator", functools.partial(calibrator.HandCalibrator, pairs=(3,)))
    station = Station()
    station.calibrate = graph.service_client(station.node, "r_hand/calibrate")
    station.until(station.calibrate.service_is_ready)
    yield station
    station.close()


def ask(station):
    return station.calibrate.call_async(Trigger.Request())


def test_a_hand_calibrates_itself_and_refuses_commands_meanwhile(station):
    station.run(5)
    answer = ask(station)
    station.run(500)
    assert station.answers[-1].mode == DriveMode.TENSION
    station.send(HandCommand(HandAction.CLOSE, grasp="medium_wrap"))
    station.until(lambda: any("the hand calibrates itself" in r for r in station.refusals))
    second = ask(station)
    station.until(second.done)
    assert not second.result().success
    assert station.run(8000, answer.done)
    assert answer.result().success, answer.result().message
    text = answer.result().message
    found = Calibration.parse(text, "r", "the answer")
    truth = station.rig.pads().privileged_gain[LITTLE_TIP]
    assert found.gain[LITTLE_TIP] == pytest.approx(truth, rel=0.06)
    assert yaml.safe_load(text)["source"] == "/hand_control"
    assert station.hand._hand.calibration.text() == text
    station.run(5)
    assert station.answers[-1].mode == DriveMode.HOLD  # in stop again, until the next command


def test_a_runstop_ends_it_with_its_reason(station):
    station.run(5)
    answer = ask(station)
    station.run(200)
    station.rig.drives().latch(True)
    assert station.run(200, answer.done)
    assert not answer.result().success
    assert "the hand is in runstop" in answer.result().message
    assert station.answers[-1].mode == DriveMode.HOLD


def test_a_hand_that_never_heard_a_state_says_so(station):
    answer = ask(station)
    station.until(answer.done)
    assert answer.result().message == "no r_hand/state has come yet"
