"""Keys: of a page, which says when each goes up, and of a terminal, which only says that one was pressed.

A terminal's clutch is therefore a switch: space engages, and lets go again when pressed once more or when no
key came for ``DEAD_MAN`` s.
"""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from neo_description.tables import SIDES
from neo_teleop.devices.puppet import Held

SPEED, TURN, EYES, SQUEEZE = 0.15, 0.6, 0.6, 1.5  # m/s, rad/s, rad/s, of the trigger's way a second
WALK, WALK_TURN = 0.25, 0.4  # m/s, rad/s
CLUTCH, WALKS, STOP = " ", "v", "escape"
WHICH = {"1": ("l",), "2": ("r",), "3": SIDES}
MOVES = {"w": (0, 1), "s": (0, -1), "a": (1, 1), "d": (1, -1), "r": (2, 1), "f": (2, -1)}
TURNS = {"q": (2, 1), "e": (2, -1), "t": (1, -1), "g": (1, 1), "y": (0, -1), "h": (0, 1)}
LOOKS = {"arrowleft": (0, 1), "arrowright": (0, -1), "arrowup": (1, 1), "arrowdown": (1, -1)}
STEPS = {"i": (0, 1), "k": (0, -1), "j": (1, 1), "l": (1, -1), "u": (2, 1), "o": (2, -1)}
TRIGGER = {"c": 1.0, "x": -1.0}
HELP = (
    ("1 2 3", "left hand, right hand, both"),
    ("space", "hold on: moves the hand while it is down (terminal: a switch)"),
    ("w s a d r f", "forward, back, left, right, up, down"),
    ("q e t g y h", "turn about the vertical, the sideways and the forward axis"),
    ("c x", "close, open the hand"),
    ("arrows", "look"),
    ("v + i k j l u o", "walk, turn"),
    ("esc", "STOP"),
)
DOWN = 0.1  # s that a key of a terminal counts as down after it was pressed
DEAD_MAN = 3.0  # s
NAMES = {b"\x1b": "escape", b"\x1b[A": "arrowup", b"\x1b[B": "arrowdown", b"\x1b[C": "arrowright",
         b"\x1b[D": "arrowleft"}  # fmt: skip


class Keys:
    """Which keys are down, by their names in a browser (``KeyboardEvent.key``, small): what they hold."""

    def __init__(self) -> None:
        self.sides: tuple[str, ...] = ("r",)

    def held(self, down: Iterable[str]) -> Held:
        """What ``down`` means now; keys that mean nothing are passed over."""
        keys = set(down)
        for key in sorted(keys & WHICH.keys()):
            self.sides = WHICH[key]
        out = Held(stop=STOP in keys)
        if CLUTCH in keys:
            out.clutch = frozenset(self.sides)
        move, turn = _axes(keys, MOVES, SPEED), _axes(keys, TURNS, TURN)
        squeeze = SQUEEZE * sum(TRIGGER[key] for key in keys & TRIGGER.keys())
        for side in self.sides:
            out.move[side], out.turn[side], out.squeeze[side] = move, turn, squeeze
        out.eyes = _axes(keys, LOOKS, EYES)[:2]
        if WALKS in keys:
            out.walk = _axes(keys, STEPS, 1.0) * (WALK, WALK, WALK_TURN)
        return out


def _axes(keys: set[str], table: dict[str, tuple[int, int]], size: float) -> np.ndarray:
    out = np.zeros(3)
    for key in keys & table.keys():
        axis, sign = table[key]
        out[axis] += sign * size
    return out


class Terminal:
    """Keys as a terminal says them; :meth:`press` each at ``now`` s, then :meth:`held`."""

    def __init__(self) -> None:
        self._keys = Keys()
        self._pressed: dict[str, float] = {}
        self._last = 0.0
        self.clutch = False

    def press(self, key: str, now: float) -> None:
        self._last = now
        if key == CLUTCH:
            self.clutch = not self.clutch
        else:
            self._pressed[key] = now

    def held(self, now: float) -> Held:
        if now - self._last > DEAD_MAN:
            self.clutch = False
        down = {key for key, at in self._pressed.items() if now - at < DOWN}
        return self._keys.held(down | ({CLUTCH} if self.clutch else set()))


def names(typed: bytes) -> list[str]:
    """The keys that a terminal's bytes stand for."""
    out: list[str] = []
    while typed:
        known = next((raw for raw in sorted(NAMES, key=len, reverse=True) if typed.startswith(raw)), None)
        if known is not None:
            out.append(NAMES[known])
        elif 32 <= typed[0] < 127:
            out.append(chr(typed[0]).lower())
        typed = typed[len(known) if known else 1 :]
    return out


@contextmanager
def raw_terminal() -> Iterator[int]:
    """Standard input gives each key at once, without echo; Ctrl-C still ends the program."""
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    try:
        yield number
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def typed(number: int, timeout: float) -> list[str]:
    """Keys pressed within ``timeout`` s; none at the end of the input."""
    ready, _, _ = select.select([number], [], [], timeout)
    return names(os.read(number, 64)) if ready else []
