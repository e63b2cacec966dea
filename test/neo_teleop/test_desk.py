"""Sessions and frames between devices and the robot; what a page says, and what of it is refused."""

import json

import numpy as np
import pytest

from neo_description.errors import NeoError, RefusedError
from neo_teleop import consent
from neo_teleop.desk import Desk
from neo_teleop.devices.page import R_USER_XR, PageDevice
from neo_teleop.frames import OperatorFrame

LATE = 0.3
OPEN_HAND = [[0.0, 0.001 * i, 0.0] for i in range(25)]


class Page:
    """A page and its desk; :meth:`say` sends a message, :attr:`frames` is what came of it."""

    def __init__(self, agreed=None):
        self.desk = Desk()
        self.desk.now = 5.0
        self.retargeted = []
        self.device = PageDevice("page 1", self.desk, LATE, self._retarget)
        self.seq = 0
        if agreed is not None:
            self.tell(kind="begin", agreed=agreed)

    def _retarget(self, side, points):
        self.retargeted.append((side, points))
        return np.full(22, 0.1)

    def tell(self, **message):
        self.device.receive(json.dumps(message))

    def say(self, kind="held", **more):
        self.seq += 1
        message = {"kind": kind, "seq": self.seq, "time": 0.02 * self.seq, "seen": self.desk.now, **more}
        self.device.receive(json.dumps(message))

    @property
    def frames(self):
        return self.desk.take()[0]


def hand(**more):
    return {"position": [0.1, 0.2, -0.3], "quaternion": [0.0, 0.0, 0.0, 1.0], "clutch": True, **more}


def test_nothing_counts_before_a_session_was_begun_on_purpose():
    page = Page()
    with pytest.raises(RefusedError, match="no session"):
        page.say(keys=[" "])
    page.tell(kind="begin", agreed="")
    page.say(keys=[" "])
    assert len(page.frames) == 1
    assert not page.desk.session.recorded


def test_a_session_is_recorded_only_for_the_words_that_were_shown():
    with pytest.raises(RefusedError, match="agreed to words"):
        Page("yes")
    page = Page(consent.ID)
    assert page.desk.session.recorded
    with pytest.raises(RefusedError, match="recording has not begun"):
        page.say()
    page.desk.ready = True
    page.say()
    assert len(page.frames) == 1


def test_one_drives_at_a_time_and_a_lost_page_ends_its_session_only():
    page = Page("")
    other = PageDevice("page 2", page.desk, LATE, None)
    with pytest.raises(RefusedError, match="page 1 drives"):
        other.receive('{"kind": "begin", "agreed": ""}')
    other.closed()
    assert page.desk.session.who == "page 1"
    page.say()
    page.device.closed()
    frames, why = page.desk.take()
    assert (frames, page.desk.session) == ([], None)
    assert "lost" in why


def test_repeated_and_out_of_order_messages_are_refused():
    page = Page("")
    page.say()
    for seq, time in ((1, 9.0), (0, 9.0), (2, 0.02)):
        with pytest.raises(RefusedError, match="repeated or out of order"):
            page.say(seq=seq, time=time)
    assert len(page.frames) == 1


def test_a_page_that_shows_a_robot_of_long_ago_is_refused_however_evenly_late():
    page = Page("")
    for _ in range(3):
        page.desk.now += 0.02
        with pytest.raises(RefusedError, match=r"late: .* 0.40 s ago"):
            page.say(seen=page.desk.now - 0.4)
    with pytest.raises(RefusedError, match="late"):
        page.say(seen=page.desk.now + 1.0)  # of another time
    page.say(seen=page.desk.now - 0.29)
    assert len(page.frames) == 1


BAD = {
    "keys": {"keys": [1]},
    "pad: axes": {"pad": {"axes": [0.0], "buttons": [0.0] * 17}},
    "by: 3 numbers": {"by": {"r": [0.0, 1.0]}},
    "by: 99": {"by": {"r": [0.0, 0.0, 99.0]}},
    "by is nan": {"by": {"r": [float("nan"), 0.0, 0.0]}},
    "the sides": {"by": {"x": [0.0, 0.0, 0.0]}},
    "clutch": {"clutch": "r"},
    "trigger is 2": {"trigger": {"r": 2}},
    "width is 7": {"width": {"r": 7}},
    "gaze": {"gaze": [0.0]},
    "seq is -1": {"seq": -1},
    "time is None": {"time": None},
    "quaternion of length 0": {"kind": "xr", "hands": {"r": hand(quaternion=[0.0, 0.0, 0.0, 0.0])}},
    "position: 3": {"kind": "xr", "hands": {"r": {}}},
    "clutch is 1": {"kind": "xr", "hands": {"r": hand(clutch=1)}},
    "a list of 25": {"kind": "xr", "hands": {"r": hand(points=OPEN_HAND[:21])}},
    "no kind": {"kind": "jump"},
}


@pytest.mark.parametrize("why", BAD)
def test_a_message_that_is_none_is_refused_with_the_reason(why):
    page = Page("")
    with pytest.raises(RefusedError, match=why):
        page.say(**BAD[why])
    assert page.frames == []


@pytest.mark.parametrize("text", ["", "[]", "{", "1", "x" * 30000, "[" * 9000, '{"kind": {}}'])
def test_what_is_no_message_at_all_is_refused(text):
    with pytest.raises(NeoError):
        Page("").device.receive(text)


def test_keys_pad_and_handles_move_the_same_hands():
    page = Page("")
    page.say()
    page.say(keys=["1", " ", "w"], by={"r": [0.0, 0.0, 0.0]}, clutch=["r"])
    page.desk.now += 0.02
    page.say(keys=[" ", "w"], by={"r": [0.0, 0.0, 0.05]}, clutch=["r"], trigger={"r": 0.8})
    before, _, after = page.frames
    assert {side: h.clutch for side, h in after.hands.items()} == {"l": True, "r": True}
    moved = {s: after.hands[s].T_user_hand[:3, 3] - before.hands[s].T_user_hand[:3, 3] for s in "lr"}
    assert moved["l"][0] > 0.0 == moved["l"][2]
    np.testing.assert_allclose(moved["r"], [0.0, 0.0, 0.05])
    assert after.hands["r"].trigger == 0.8


def test_a_headset_says_poses_in_its_axes_and_fingers_as_points():
    page = Page("")
    page.say("xr", hands={"r": hand(points=OPEN_HAND, grasp="pinch")}, look=[0.0, 0.0, -1.0])
    (frame,) = page.frames
    np.testing.assert_allclose(frame.hands["r"].T_user_hand[:3, 3], [0.3, -0.1, 0.2])
    np.testing.assert_allclose(frame.look, [1.0, 0.0, 0.0])
    (side, points) = page.retargeted[0]
    np.testing.assert_allclose(points, np.array(OPEN_HAND) @ R_USER_XR.T)
    assert (side, frame.hands["r"].joints.shape, frame.hands["r"].grasp) == ("r", (22,), "pinch")
    np.testing.assert_allclose(np.linalg.det(R_USER_XR), 1.0)


def test_another_device_lets_go_of_what_the_first_held():
    page = Page("")
    page.say(keys=[" "])
    page.say("xr", hands={"r": hand()})
    frames, why = page.desk.take()
    assert len(frames) == 1
    assert why == "another device took over"


def test_stop_is_pressed_by_key_pad_and_button_once_each_without_a_session():
    page, pressed = Page(), []
    page.desk.pressed = pressed.append
    page.tell(kind="press", button="stop")
    pad = {"axes": [0.0] * 4, "buttons": [0.0, 1.0, *[0.0] * 15]}
    for more in ({"keys": ["escape"]}, {"keys": ["escape"]}, {}, {"pad": pad}):
        with pytest.raises(RefusedError, match="no session"):
            page.say(**more)
    assert pressed == ["stop"] * 3
    with pytest.raises(RefusedError, match="no button"):
        page.tell(kind="press", button="dance")


def test_frames_that_nobody_takes_do_not_pile_up():
    desk = Desk()
    desk.begin("me")
    for i in range(100):
        desk.put("me", OperatorFrame(float(i)))
    assert [frame.time for frame in desk.take()[0]] == [*range(84, 100)]
