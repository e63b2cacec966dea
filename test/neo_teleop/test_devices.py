"""Keys and gamepads: what they hold, and where the hands go that they move."""

from types import SimpleNamespace

import numpy as np
import pytest

from neo_description.errors import NeoError
from neo_teleop.devices import gamepad
from neo_teleop.devices.keyboard import DEAD_MAN, Keys, Terminal, names
from neo_teleop.devices.puppet import Held, Puppet, together

evdev = pytest.importorskip("evdev", reason="gamepads need evdev-binary, which `make setup` brings")
e = evdev.ecodes
RANGES = {e.ABS_X: (-32768, 32767), e.ABS_Y: (-32768, 32767), e.ABS_RX: (-32768, 32767),
          e.ABS_RY: (-32768, 32767), e.ABS_Z: (0, 1023), e.ABS_RZ: (0, 1023)}  # fmt: skip


def events(*rows):
    """``input_event`` records as the kernel writes them, read by the library's own class."""
    return [evdev.InputEvent(1_700_000_000, 1000 * i, *row) for i, row in enumerate(rows)]


# an Xbox pad: right bumper down, left stick pushed forward, right trigger half, then the stick let go
STREAM = (
    (e.EV_KEY, e.BTN_TR, 1), (e.EV_SYN, e.SYN_REPORT, 0),
    (e.EV_ABS, e.ABS_Y, -32768), (e.EV_ABS, e.ABS_RZ, 512), (e.EV_SYN, e.SYN_REPORT, 0),
    (e.EV_ABS, e.ABS_Y, 0), (e.EV_ABS, e.ABS_HAT0X, -1), (e.EV_SYN, e.SYN_REPORT, 0),
    (e.EV_KEY, e.BTN_TR, 0), (e.EV_SYN, e.SYN_REPORT, 0),
)  # fmt: skip


def test_a_recorded_stream_of_a_pad_holds_and_moves_the_hand_of_its_bumper():
    reader, puppet, time, frames = gamepad.EvdevPad(RANGES), Puppet(), 0.0, []
    for event in events(*STREAM):
        if reader.feed(event):
            for _ in range(5):
                time += 0.02
                frames.append(puppet.step(time, gamepad.held(reader.pad)))
    clutch = [frame.hands["r"].clutch for frame in frames]
    assert clutch == [True] * 15 + [False] * 5
    x = np.array([frame.hands["r"].T_user_hand[0, 3] for frame in frames])
    np.testing.assert_allclose(np.diff(x)[4:9], gamepad.MOVE * 0.02)
    assert x[9] == x[-1]
    assert frames[9].hands["r"].trigger == pytest.approx(0.5, abs=0.01)
    assert frames[-1].look[1] > 0.0  # the cross looked left
    assert not any(frame.hands["l"].clutch for frame in frames)


def test_a_stick_at_rest_moves_nothing_and_a_bumper_alone_holds_still():
    pad = gamepad.Pad([0.1, -0.1, 0.05, 0.0])
    pad.buttons[gamepad.CLUTCH["l"]] = 1.0
    held = gamepad.held(pad)
    assert held.clutch == {"l"}
    assert not held.move["l"].any()
    assert not held.turn["l"].any()


def test_walking_takes_the_sticks_and_needs_its_button():
    pad = gamepad.Pad([0.0, -1.0, 0.0, 0.0])
    assert gamepad.held(pad).walk is None
    pad.buttons[gamepad.WALKS] = pad.buttons[gamepad.CLUTCH["r"]] = 1.0
    held = gamepad.held(pad)
    np.testing.assert_allclose(held.walk, [gamepad.WALK, 0.0, 0.0])
    assert held.move == {}


def test_a_pad_is_found_by_what_it_can_do_and_its_loss_is_told():
    def device(name, keys, axes, **more):
        can = {e.EV_KEY: keys, e.EV_ABS: axes}
        return SimpleNamespace(name=name, capabilities=lambda absinfo: can, **more)

    def gone():
        raise OSError(19, "No such device")
        yield

    mouse = device("mouse", [e.BTN_LEFT], [])
    pad = device("pad", [e.BTN_SOUTH], [e.ABS_X, e.ABS_RX], read_loop=gone)
    assert gamepad.find([mouse, pad]) is pad
    with pytest.raises(NeoError, match="no gamepad among 1"):
        gamepad.find([mouse])
    pad.capabilities = lambda absinfo: {e.EV_ABS: []}
    with pytest.raises(NeoError, match="pad is gone: No such device"):
        gamepad.read(pad, print)


def test_keys_choose_a_hand_hold_it_and_move_it():
    keys = Keys()
    assert keys.held(["w"]).clutch == frozenset()
    held = keys.held(["1", " ", "w", "a", "unknown"])
    assert held.clutch == {"l"}
    assert np.all(held.move["l"][:2] > 0.0)
    assert "r" not in held.move
    assert keys.held(["3", " "]).clutch == {"l", "r"}
    assert keys.held(["escape"]).stop
    assert keys.held(["i"]).walk is None
    assert keys.held(["v", "i"]).walk[0] > 0.0


def test_a_terminals_clutch_is_a_switch_with_a_dead_man():
    terminal = Terminal()
    assert names(b"w \x1b[A\x1b") == ["w", " ", "arrowup", "escape"]
    terminal.press(" ", 1.0)
    assert terminal.held(1.01).clutch == {"r"}
    terminal.press("w", 2.0)
    assert terminal.held(2.05).move["r"][0] > 0.0
    assert terminal.held(2.2).move["r"][0] == 0.0
    assert terminal.held(2.0 + DEAD_MAN).clutch == {"r"}
    assert terminal.held(2.1 + DEAD_MAN).clutch == frozenset()
    assert terminal.held(2.2 + DEAD_MAN).clutch == frozenset()


def test_what_several_devices_hold_is_held_together():
    both = together(Held(clutch=frozenset("l"), stop=True), Held(clutch=frozenset("r"), trigger={"r": 0.5}))
    assert (both.clutch, both.stop, both.trigger) == ({"l", "r"}, True, {"r": 0.5})


def test_hands_move_by_plant_time_where_it_is_known():
    puppet, ahead = Puppet(), Held(move={"r": np.array([0.2, 0.0, 0.0])})
    frames = [puppet.step(0.1 * i, ahead, 0.01 * i) for i in range(11)]
    x = [frame.hands["r"].T_user_hand[0, 3] for frame in frames]
    assert x[-1] - x[0] == pytest.approx(0.2 * 0.1)
    assert frames[-1].time == pytest.approx(1.0)


def test_a_long_pause_is_no_long_way():
    puppet, ahead = Puppet(), Held(move={"r": np.array([0.2, 0.0, 0.0])})
    before = puppet.step(1.0, ahead).hands["r"].T_user_hand[0, 3]
    after = puppet.step(9.0, ahead).hands["r"].T_user_hand[0, 3]
    assert after - before <= 0.2 * 0.1 + 1e-9
