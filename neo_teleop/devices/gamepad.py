"""Gamepads: the standard mapping of the W3C, as a browser gives it and as ``EvdevPad`` makes it of Linux's.

Bumpers are the clutches of the hands, triggers close them. Sticks move what is held; the left one walks while
the upper face button is down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neo_description.errors import NeoError
from neo_teleop.devices.puppet import Held

MOVE, TURN, EYES = 0.25, 0.8, 0.6  # m/s, rad/s at a stick's end; rad/s
WALK, WALK_TURN = 0.3, 0.5  # m/s, rad/s
DEAD = 0.12  # of a stick's way, round its middle
AXES, BUTTONS = 4, 17
STOP, OTHER_TURNS, WALKS = 1, 2, 3  # right, left, upper face button
CLUTCH, TRIGGER = {"l": 4, "r": 5}, {"l": 6, "r": 7}
UP, DOWN, LEFT, RIGHT = 12, 13, 14, 15
HELP = (
    ("bumpers", "hold on: the sticks move that hand while its bumper is down"),
    ("triggers", "close the hands"),
    ("left stick", "forward and back, left and right"),
    ("right stick", "up and down, turn; with the left face button the other two turns"),
    ("cross", "look"),
    ("upper face button", "walk with the left stick, turn with the right"),
    ("right face button", "STOP"),
)


@dataclass
class Pad:
    """``axes`` (4,): sticks to the right and down, -1..1; ``buttons`` (17,) 0..1, in the standard order."""

    axes: list[float] = field(default_factory=lambda: [0.0] * AXES)
    buttons: list[float] = field(default_factory=lambda: [0.0] * BUTTONS)


def held(pad: Pad) -> Held:
    """What a pad's operator holds down."""
    left_x, left_y, right_x, right_y = (_live(x) for x in pad.axes[:AXES])
    down = [value > 0.5 for value in pad.buttons]
    out = Held(
        clutch=frozenset(side for side, button in CLUTCH.items() if down[button]),
        trigger={side: pad.buttons[button] for side, button in TRIGGER.items()},
        eyes=EYES * np.array([down[LEFT] - down[RIGHT], down[UP] - down[DOWN]], float),
        stop=down[STOP],
    )
    if down[WALKS]:
        out.walk = np.array([-WALK * left_y, -WALK * left_x, -WALK_TURN * right_x])
        return out
    move, turn = np.array([-left_y, -left_x, -right_y]), np.array([0.0, 0.0, -right_x])
    if down[OTHER_TURNS]:
        move[2], turn = 0.0, np.array([right_x, right_y, 0.0])
    for side in out.clutch:
        out.move[side], out.turn[side] = MOVE * move, TURN * turn
    return out


def _live(x: float) -> float:
    """A stick's way without the play round its middle."""
    return 0.0 if abs(x) < DEAD else (abs(x) - DEAD) / (1.0 - DEAD) * (1.0 if x > 0.0 else -1.0)


STICKS = {"ABS_X": 0, "ABS_Y": 1, "ABS_RX": 2, "ABS_RY": 3}
TRIGGERS = {"ABS_Z": TRIGGER["l"], "ABS_RZ": TRIGGER["r"]}
HATS = {"ABS_HAT0X": (LEFT, RIGHT), "ABS_HAT0Y": (UP, DOWN)}
PRESSED = {
    "BTN_SOUTH": 0, "BTN_EAST": 1, "BTN_WEST": 2, "BTN_NORTH": 3, "BTN_TL": 4, "BTN_TR": 5, "BTN_TL2": 6,
    "BTN_TR2": 7, "BTN_SELECT": 8, "BTN_START": 9, "BTN_THUMBL": 10, "BTN_THUMBR": 11, "BTN_MODE": 16,
}  # fmt: skip


class EvdevPad:
    """A pad that Linux names: feed it events; ``ranges``: lowest and highest value by axis code."""

    def __init__(self, ranges: dict[int, tuple[int, int]]):
        self.pad = Pad()
        self._ranges = ranges
        self._ecodes = _library().ecodes

    def feed(self, event: Any) -> bool:
        """Takes in an ``evdev.InputEvent``; whether the pad's state is whole now, as its SYN says."""
        e = self._ecodes
        if event.type == e.EV_SYN:
            return bool(event.code == e.SYN_REPORT)
        if event.type == e.EV_KEY:
            for name, button in PRESSED.items():
                if e.ecodes[name] == event.code:
                    self.pad.buttons[button] = float(event.value != 0)
        elif event.type == e.EV_ABS:
            self._axis(event.code, event.value)
        return False

    def _axis(self, code: int, value: int) -> None:
        e = self._ecodes.ecodes
        low, high = self._ranges.get(code, (0, 0))
        share = (value - low) / (high - low) if high > low else 0.0
        for name, axis in STICKS.items():
            if e[name] == code:
                self.pad.axes[axis] = min(max(2.0 * share - 1.0, -1.0), 1.0)
        for name, button in TRIGGERS.items():
            if e[name] == code:
                self.pad.buttons[button] = min(max(share, 0.0), 1.0)
        for name, (less, more) in HATS.items():
            if e[name] == code:
                self.pad.buttons[less], self.pad.buttons[more] = float(value < 0), float(value > 0)


def find(devices: Sequence[Any] | None = None) -> Any:
    """The first ``evdev.InputDevice`` with a face button and two sticks; NeoError: there is none."""
    evdev = _library()
    e = evdev.ecodes
    if devices is None:
        devices = [evdev.InputDevice(path) for path in evdev.list_devices()]
    for device in devices:
        can = device.capabilities(absinfo=False)
        if e.BTN_SOUTH in can.get(e.EV_KEY, []) and {e.ABS_X, e.ABS_RX} <= set(can.get(e.EV_ABS, [])):
            return device
    raise NeoError(
        f"no gamepad among {len(devices)} input devices; plug one in, and let this user read /dev/input "
        "(on Debian: the group input)"
    )


def read(device: Any, tell: Callable[[Pad], None]) -> None:
    """Calls ``tell`` whenever the state of ``device`` changes, until it is gone: NeoError then."""
    absolute = device.capabilities(absinfo=True).get(_library().ecodes.EV_ABS, [])
    reader = EvdevPad({code: (info.min, info.max) for code, info in absolute})
    try:
        for event in device.read_loop():
            if reader.feed(event):
                tell(reader.pad)
    except OSError as error:
        raise NeoError(f"gamepad {device.name} is gone: {error.strerror}") from None


def _library() -> Any:
    try:
        import evdev
    except ImportError:
        raise NeoError("gamepads need the package evdev: pip install evdev-binary") from None
    return evdev
