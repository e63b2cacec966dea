"""Devices on the machine that runs the node, without a browser: keys of this terminal, a gamepad.

The session is begun here as on the page: the words are shown, and nothing moves before an answer was typed.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from neo_description.errors import NeoError, RefusedError
from neo_description.tables import SIDES
from neo_teleop import consent
from neo_teleop.desk import Desk
from neo_teleop.devices import gamepad, keyboard
from neo_teleop.devices.puppet import Held, Puppet

PERIOD = 0.02  # s between two frames
ANSWERS = {"record": consent.ID, "drive": ""}
NAMES = {"l": "left", "r": "right"}
Say = Callable[[str], None]


def asked(ask: Callable[[str], str], say: Say) -> str:
    """What the operator agrees to, for :meth:`Desk.begin`; asked until the answer is one."""
    say(consent.WORDS)
    while True:
        answer = ask('Type "record" to agree and be recorded, "drive" for a session that is not: ').strip()
        if answer in ANSWERS:
            return ANSWERS[answer]


def drive(desk: Desk, name: str, held: Callable[[float], Held], say: Say, over: threading.Event) -> None:
    """Frames of what is ``held`` at a time (s), until ``over`` or the session's end; ``say``: the state."""
    puppet, stopped, before = Puppet(), False, ""
    while not over.wait(PERIOD):
        now = time.monotonic()
        try:
            holds = held(now)
        except NeoError as error:
            desk.end(name, str(error))
            break
        if holds.stop and not stopped:
            desk.press("stop")
        stopped = holds.stop
        frame = puppet.step(now, holds, desk.now)
        if desk.session is None:
            break
        if desk.ready:
            try:
                desk.put(name, frame)
            except RefusedError:  # ended meanwhile
                break
        if (line := words(desk)) != before:
            before = line
            say(line)
    desk.end(name, "the operator left")
    say(f"session ended: {desk.ended}")


def words(desk: Desk) -> str:
    """The robot's state in a line."""
    now = desk.status
    if not now:
        return "waiting for the robot"
    parts = [
        now["robot"],
        {"on": "RECORDING", "starting": "recording begins"}.get(now["recording"]["state"], ""),
    ]
    for side in SIDES:
        clutch = now["clutches"][side]
        parts.append(f"{NAMES[side]} {'HELD' if clutch['engaged'] else clutch['reason']}")
    return " | ".join(part for part in [*parts, now["missing"], *now["refused"], now["note"]] if part)


class Local:
    """The device ``kind`` (keyboard, gamepad) in threads of its own; NeoError when there is none."""

    def __init__(self, desk: Desk, kind: str, ended: Callable[[], None]):
        if not sys.stdin.isatty():
            raise NeoError(f"{kind}: the session is begun in a terminal; standard input is none")
        self._desk, self._kind, self._ended = desk, kind, ended
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._pad, self._why = gamepad.Pad(), ""
        self._device = gamepad.find() if kind == "gamepad" else None
        self._desk.begin(kind, asked(input, print))
        helps = gamepad.HELP if kind == "gamepad" else keyboard.HELP
        print("\n".join(f"  {key:20} {does}" for key, does in helps) + "\n  Ctrl-C               end")
        threading.Thread(target=self._run, name=kind, daemon=True).start()

    def close(self) -> None:
        """End the session."""
        self._over.set()

    def _run(self) -> None:
        def say(line: str) -> None:
            print(f"\r\x1b[K{line}", end="", flush=True)

        if self._device is not None:
            threading.Thread(target=self._read, name="gamepad events", daemon=True).start()
            drive(self._desk, self._kind, self._held, say, self._over)
        else:
            terminal = keyboard.Terminal()
            with keyboard.raw_terminal() as number:

                def held(now: float) -> Held:
                    for key in keyboard.typed(number, 0.0):
                        terminal.press(key, now)
                    return terminal.held(now)

                drive(self._desk, self._kind, held, say, self._over)
        print()
        self._ended()

    def _read(self) -> None:
        try:
            gamepad.read(self._device, self._heard)
        except NeoError as error:
            self._why = str(error)

    def _heard(self, pad: gamepad.Pad) -> None:
        with self._lock:
            self._pad = gamepad.Pad(list(pad.axes), list(pad.buttons))

    def _held(self, now: float) -> Held:
        if self._why:
            raise NeoError(self._why)
        with self._lock:
            return gamepad.held(self._pad)
