"""What a browser page says, as JSON, and what of it is refused with which words.

    {"kind": "begin", "agreed": "<consent.ID, or empty: not recorded>"}    {"kind": "end"}
    {"kind": "press", "button": "stop"}
    {"kind": "held", "seq": 7, "time": 1.2, "seen": 33.4, "keys": ["w", " "], "pad": {"axes", "buttons"},
     "clutch": ["r"], "by": {"r": [x, y, z]}, "turned": …, "trigger": {"r": 0.4}, "gaze": [left, up], …}
    {"kind": "xr", "seq", "time", "seen", "look": [x, y, z], "hands": {"r": {"position", "quaternion",
     "clutch", "trigger", "grasp", "width", "give", "points": [[x, y, z] x 25]}}, "keys", "pad", "clutch"}

The headset speaks in WebXR's axes.

``seq`` counts up, ``time`` is the page's clock (s), ``seen`` the plant time (s) of the state that the page
shows: who acts on what was long ago is refused, however evenly late they are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from neo_description.errors import RefusedError
from neo_description.tables import SIDES
from neo_teleop.desk import Desk
from neo_teleop.devices import gamepad
from neo_teleop.devices.keyboard import Keys
from neo_teleop.devices.puppet import Held, Puppet, together
from neo_teleop.frames import HandFrame, OperatorFrame

LONGEST = 20_000  # characters of a message
KEYS = 20  # that may be down at once
FAR = 10.0  # m from where a headset began, rad of a handle: more is no person
UNIT = 1e-2  # by which a quaternion's length may differ from 1
POINTS = 25  # joints of a hand in WebXR
GRASP = 40  # characters
USUAL = HandFrame(np.eye(4))
R_USER_XR = np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # WebXR: right, up, back
Retarget = Callable[[str, np.ndarray], np.ndarray]  # side, points (25, 3) m in user → joints (22,) rad


class PageDevice:
    """One connection of a page. ``late``: s of plant time that what it shows may be old."""

    def __init__(self, name: str, desk: Desk, late: float, retarget: Retarget):
        self.name, self._desk, self._late, self._retarget = name, desk, late, retarget
        self._keys, self._puppet = Keys(), Puppet()
        self._seq, self._time = -1, -math.inf
        self._kind = ""
        self._stop_down = False

    def receive(self, text: str) -> None:
        """Takes a message; RefusedError says what is wrong with it, and nothing changed."""
        message = _object(text)
        kind = message.get("kind")
        if kind == "press":
            self._desk.press(_text(message, "button"))
        elif kind == "begin":
            self._desk.begin(self.name, _text(message, "agreed"))
        elif kind == "end":
            self._desk.end(self.name, "the operator ended the session")
        elif kind in ("held", "xr"):
            self._frame(kind, message)
        else:
            raise RefusedError(f"no kind of message {str(kind)[:20]!r}; one of begin, end, press, held, xr")

    def closed(self) -> None:
        """The connection is gone: so is the session."""
        self._desk.end(self.name, "the link to the page was lost")

    def _frame(self, kind: str, message: dict[str, Any]) -> None:
        seq, time, seen = _count(message, "seq"), _number(message, "time"), _number(message, "seen")
        if seq <= self._seq or time <= self._time:
            raise RefusedError(f"repeated or out of order: message {seq} after {self._seq}")
        self._seq, self._time = seq, time
        now = self._desk.now
        if now is None:
            raise RefusedError("nothing heard of the robot yet")
        if not 0.0 <= now - seen + 1e-6 <= self._late:
            raise RefusedError(
                f"late: the page shows the robot of {now - seen:.2f} s ago; at most {self._late:g} s allowed"
            )
        held = self._holds(message)
        frame = self._puppet.step(time, held, now) if kind == "held" else self._seen(time, message, held)
        if self._kind and kind != self._kind:
            self._desk.let_go(self.name, "another device took over")
        self._kind = kind
        self._desk.put(self.name, frame)

    def _holds(self, message: dict[str, Any]) -> Held:
        """What is held down, whatever says where the hands are."""
        keys = message.get("keys", [])
        if not isinstance(keys, list) or len(keys) > KEYS or not all(isinstance(key, str) for key in keys):
            raise RefusedError(f"keys: a list of up to {KEYS} names needed")
        holds = [self._keys.held(keys), _dragged(message)]
        if message.get("pad") is not None:
            pad = _object(message["pad"])
            axes = _vector(pad.get("axes"), gamepad.AXES, "pad: axes", 1.5)
            buttons = _vector(pad.get("buttons"), gamepad.BUTTONS, "pad: buttons", 1.5)
            holds.insert(1, gamepad.held(gamepad.Pad(axes.tolist(), buttons.tolist())))
        held = together(*holds)
        if held.stop and not self._stop_down:
            self._desk.press("stop")
        self._stop_down = held.stop
        return held

    def _seen(self, time: float, message: dict[str, Any], held: Held) -> OperatorFrame:
        """Hands that a headset sees; one without buttons is engaged by what else is held."""
        hands = {}
        for side, row in _sides(message.get("hands", {}), "hands").items():
            row = _object(row)
            T = np.eye(4)
            T[:3, 3] = R_USER_XR @ _vector(row.get("position"), 3, "position", FAR)
            T[:3, :3] = R_USER_XR @ _rotation(_vector(row.get("quaternion"), 4, "quaternion", 1.1))
            joints = None
            if row.get("points") is not None:
                points = np.array([_vector(p, 3, "points", FAR) for p in _list(row["points"], POINTS)])
                joints = self._retarget(side, points @ R_USER_XR.T)
            hands[side] = HandFrame(
                T, _flag(row, "clutch") or side in held.clutch, _share(row.get("trigger", 0.0), "trigger"),
                _grasp(row.get("grasp", USUAL.grasp)), _width(row.get("width", USUAL.width)),
                _flag(row, "give"), joints,
            )  # fmt: skip
        look = message.get("look")
        look = None if look is None else R_USER_XR @ _vector(look, 3, "look", FAR)
        return OperatorFrame(time, hands, 0.0, look, held.walk)


def _dragged(message: dict[str, Any]) -> Held:
    """What is done on the page itself: handles, sliders, the field for the look."""
    out = Held()
    out.clutch = _names(message, "clutch")
    out.give = _names(message, "give")
    for name in ("by", "turned"):
        rows = _sides(message.get(name, {}), name)
        getattr(out, name).update({side: _vector(row, 3, name, FAR) for side, row in rows.items()})
    out.trigger = {s: _share(v, "trigger") for s, v in _sides(message.get("trigger", {}), "trigger").items()}
    out.grasp = {s: _grasp(v) for s, v in _sides(message.get("grasp", {}), "grasp").items()}
    out.width = {s: _width(v) for s, v in _sides(message.get("width", {}), "width").items()}
    if message.get("gaze") is not None:
        out.gaze = _vector(message["gaze"], 2, "gaze", math.pi)
    return out


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        if len(value) > LONGEST:
            raise RefusedError(f"{len(value)} characters; at most {LONGEST} allowed")
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise RefusedError("not JSON") from None
    if not isinstance(value, dict):
        raise RefusedError("a JSON object needed")
    return value


def _sides(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not set(value) <= set(SIDES):
        raise RefusedError(f"{name}: an object with the sides {', '.join(SIDES)} needed")
    return value


def _names(message: dict[str, Any], name: str) -> frozenset[str]:
    value = message.get(name, [])
    if not isinstance(value, list) or not all(side in SIDES for side in value):
        raise RefusedError(f"{name}: a list of the sides {', '.join(SIDES)} needed")
    return frozenset(value)


def _real(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise RefusedError(f"{name} is {str(value)[:20]}; a finite number needed")
    return float(value)


def _number(message: dict[str, Any], name: str) -> float:
    return _real(message.get(name), name)


def _count(message: dict[str, Any], name: str) -> int:
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RefusedError(f"{name} is {str(value)[:20]}; a whole number from 0 on needed")
    return value


def _text(message: dict[str, Any], name: str) -> str:
    value = message.get(name, "")
    if not isinstance(value, str) or len(value) > GRASP:
        raise RefusedError(f"{name}: a text of up to {GRASP} characters needed")
    return value


def _flag(row: dict[str, Any], name: str) -> bool:
    value = row.get(name, False)
    if not isinstance(value, bool):
        raise RefusedError(f"{name} is {str(value)[:20]}; true or false needed")
    return value


def _share(value: Any, name: str) -> float:
    number = _real(value, name)
    if not 0.0 <= number <= 1.0:
        raise RefusedError(f"{name} is {number:g}; between 0 and 1 allowed")
    return number


def _grasp(value: Any) -> str:
    return _text({"grasp": value}, "grasp")


def _width(value: Any) -> float:
    number = _real(value, "width")
    if not 0.0 <= number <= 0.3:
        raise RefusedError(f"width is {number:g} m; between 0 and 0.3 m allowed")
    return number


def _list(value: Any, length: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != length:
        raise RefusedError(f"a list of {length} needed")
    return value


def _vector(value: Any, length: int, name: str, most: float) -> np.ndarray:
    """(length,) finite numbers, none of which is larger than ``most``."""
    if not isinstance(value, list) or len(value) != length:
        raise RefusedError(f"{name}: {length} numbers needed")
    numbers = np.array([_real(x, name) for x in value])
    if np.abs(numbers).max() > most:
        raise RefusedError(f"{name}: {np.abs(numbers).max():g}; at most {most:g} allowed")
    return numbers


def _rotation(quaternion: np.ndarray) -> np.ndarray:
    """(3, 3) of WebXR's x, y, z, w."""
    length = float(np.linalg.norm(quaternion))
    if abs(length - 1.0) > UNIT:
        raise RefusedError(f"quaternion of length {length:.3f}; 1 needed")
    x, y, z, w = quaternion / length
    return np.array(
        [[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
         [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
         [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]]
    )  # fmt: skip
