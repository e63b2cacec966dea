"""Devices without a browser: the session begun in words, and frames of what is held until it ends."""

import io
import threading

import pytest

from neo_bringup.teleop_page import local
from neo_description.errors import NeoError
from neo_description.signals import GraspStatus, Safety
from neo_teleop import consent, status
from neo_teleop.desk import Desk
from neo_teleop.devices.puppet import Held
from neo_teleop.teleop import Teleop


def test_the_words_are_shown_and_only_an_answer_that_is_one_begins():
    answers, said = iter(["", "yes", " record "]), []
    assert local.asked(lambda _: next(answers), said.append) == consent.ID
    assert said == [consent.WORDS]
    assert local.asked(lambda _: "drive", said.append) == ""


class Driven:
    """A desk that something drives in this thread, for as long as ``helds`` say what is held."""

    def __init__(self, helds, agreed=""):
        self.desk, self.pressed, self.said, self.over = Desk(), [], [], threading.Event()
        self.desk.pressed = self.pressed.append
        self.desk.begin("keyboard", agreed)
        rest = iter(helds)

        def held(now):
            try:
                return next(rest)
            except StopIteration:
                self.over.set()
                return Held()

        local.drive(self.desk, "keyboard", held, self.said.append, self.over)


def test_what_is_held_becomes_frames_and_leaving_ends_the_session(monkeypatch):
    frames = []
    monkeypatch.setattr(Desk, "put", lambda self, who, frame: frames.append(frame))
    right = frozenset("r")
    driven = Driven([Held(), Held(clutch=right), Held(clutch=right, stop=True), Held(stop=True)])
    assert [frame.hands["r"].clutch for frame in frames] == [False, True, True, False, False]
    assert driven.pressed == ["stop"]  # once for as long as it is down
    assert driven.desk.session is None
    assert "the operator left" in driven.said[-1]


def test_a_recorded_session_moves_nothing_before_it_is_recorded():
    driven = Driven([Held(clutch=frozenset("r"))] * 3, agreed=consent.ID)
    assert driven.desk.take()[0] == []


def test_a_device_that_is_gone_ends_the_session_with_the_reason():
    desk, said = Desk(), []
    desk.begin("gamepad", "")

    def gone(now):
        raise NeoError("gamepad is gone: unplugged")

    local.drive(desk, "gamepad", gone, said.append, threading.Event())
    assert (desk.session, desk.ended) == (None, "gamepad is gone: unplugged")


def test_the_line_says_what_holds_and_why_not():
    desk = Desk()
    assert local.words(desk) == "waiting for the robot"
    recording = {"state": "on", "seconds": 1.0, "path": "", "why": ""}
    desk.show(
        status.told(
            desk, Teleop(), time=1.0, robot=Safety.ACTIVE, felt={"l": GraspStatus()}, recording=recording,
            refused=["body_control: it does not walk"],
        )
    )  # fmt: skip
    assert local.words(desk) == (
        "active | RECORDING | left never engaged | right never engaged | body_control: it does not walk"
    )


def test_a_session_needs_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(NeoError, match="begun in a terminal"):
        local.Local(Desk(), "keyboard", print)
