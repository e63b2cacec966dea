"""What happened in a recording, over its time: joints, forces, surprise and events. No ROS needed.

Messages are decoded by the definitions in the recording, so one of older software reads as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from neo_flywheel.store.rebag import BagReader

SAMPLES = 2000  # of a topic, at most about so many
STATES = {"body/state": "body", "l_hand/state": "l_hand", "r_hand/state": "r_hand"}
SAFETY = {0: "stop", 1: "standing up", 2: "active", 3: "falling"}


@dataclass
class Line:
    """A curve: ``time`` (T,) s since the recording began, ``values`` (T, n) in SI units."""

    time: np.ndarray
    values: np.ndarray


@dataclass
class Series:
    """By group: ``joints`` (rad), ``tension`` of tendons (N), ``touch``, normal force of pads (N).

    ``surprise``: 0 to 1; ``events``: time (s) and what happened.
    """

    duration: float
    joints: dict[str, Line] = field(default_factory=dict)
    tension: dict[str, Line] = field(default_factory=dict)
    touch: dict[str, Line] = field(default_factory=dict)
    surprise: Line | None = None
    events: list[tuple[float, str]] = field(default_factory=list)


def read(reader: BagReader) -> Series:
    """What a plot shows of a recording."""
    first = reader.checked.first
    found = Series((reader.checked.last - first) / 1e9)
    decode = _Decoder(reader)
    every = {name: max(1, count // SAMPLES) for name, count in reader.counts.items()}
    seen: dict[str, int] = {}
    rows: dict[tuple[str, str], tuple[list[float], list[np.ndarray]]] = {}
    last: dict[str, object] = {}

    def keep(what: str, group: str, at: float, values: Any) -> None:
        times, kept = rows.setdefault((what, group), ([], []))
        times.append(at)
        kept.append(np.atleast_1d(np.asarray(values, float)))

    def changed(what: str, value: object) -> bool:
        before, last[what] = last.get(what), value
        return before != value

    for message in reader.messages():
        at, topic = (message.time - first) / 1e9, message.topic
        name = _known(topic)
        if name is None:
            continue
        seen[topic] = seen.get(topic, 0) + 1
        if name in STATES and (seen[topic] - 1) % every[topic]:
            continue
        said = decode(topic, message.data)
        if name in STATES:
            group = STATES[name]
            keep("joints", group, at, said.joint_position)
            keep("tension", group, at, said.tendon_tension)
            if group != "body":
                keep("touch", group, at, np.asarray(said.taxel_force).reshape(-1, 3)[:, 0])
        elif name == "world_model/surprise":
            keep("surprise", "", at, said.value)
        elif name == "safety/state" and changed("safety", (said.state, said.runstop)):
            stopped = ", stop button" if said.runstop else ""
            found.events.append((at, f"{SAFETY.get(said.state, said.state)}{stopped}"))
        elif name == "recorder/notes" and changed(f"note {said.key}", said.value):
            found.events.append((at, f"{said.key}: {said.value}"))
    for (what, group), (times, kept) in rows.items():
        line = Line(np.array(times), np.array(kept))
        if what == "surprise":
            found.surprise = line
        else:
            getattr(found, what)[group] = line
    return found


def _known(topic: str) -> str | None:
    names = (*STATES, "world_model/surprise", "safety/state", "recorder/notes")
    return next((name for name in names if topic.endswith("/" + name)), None)


class _Decoder:
    def __init__(self, reader: BagReader):
        self._reader = reader
        self._known: dict[str, Callable[[bytes], Any]] = {}

    def __call__(self, topic: str, data: bytes) -> Any:
        kind = self._reader.topics[topic]["type"]
        if kind not in self._known:
            store = get_typestore(Stores.EMPTY)
            store.register(get_types_from_msg(self._reader.types[kind].definition, kind))
            self._known[kind] = lambda data: store.deserialize_cdr(data, kind)
        return self._known[kind](data)
