"""A recorded operator: their frames, and what they were for. JSON lines, exact to the last bit.

The first line is ``{"track": 1, "about": {…}}``; each other one is a frame: ``time``, ``heading``, ``look``,
``walk`` where there is any, and ``hands`` by side, whose ``pose`` is the upper three rows of ``T_user_hand``,
row by row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neo_description.errors import NeoError
from neo_description.tables import SIDES
from neo_teleop.frames import JOINTS, HandFrame, OperatorFrame

FORMAT = 1


@dataclass
class Track:
    """``frames`` in order; ``about``: what they were recorded for (``kind``, ``seed``, ``scene``)."""

    frames: list[OperatorFrame] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def duration(self) -> float:
        """From the first frame to the last (s)."""
        return self.frames[-1].time - self.frames[0].time if self.frames else 0.0

    def save(self, file: Path) -> None:
        """Write it; folders are made."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w") as out:
            for row in ({"track": FORMAT, "about": self.about}, *map(_row, self.frames)):
                out.write(json.dumps(row) + "\n")

    @classmethod
    def load(cls, file: Path) -> Track:
        """Read it; NeoError says which line is wrong."""
        try:
            lines = file.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise NeoError(f"cannot read a track from {file}: {error}") from None
        frames: list[OperatorFrame] = []
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                if number == 1:
                    if row["track"] != FORMAT:
                        raise ValueError(f"format {row['track']!r}; {FORMAT} can be read")
                    about = dict(row["about"])
                else:
                    frames.append(_frame(row))
                    _check_times(frames)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise NeoError(f"{file}, line {number} is no part of a track: {error!r}") from None
        if not frames:
            raise NeoError(f"{file} holds no frame of an operator")
        return cls(frames, about)


def _check_times(frames: list[OperatorFrame]) -> None:
    time = frames[-1].time
    if not np.isfinite(time):
        raise ValueError(f"time is {time}; a finite number needed")
    if len(frames) > 1 and time <= frames[-2].time:
        raise ValueError(f"time {time} does not follow {frames[-2].time}")


def _row(frame: OperatorFrame) -> dict[str, Any]:
    hands = {
        side: {
            "pose": hand.T_user_hand[:3].ravel().tolist(), "clutch": hand.clutch, "trigger": hand.trigger,
            "grasp": hand.grasp, "width": hand.width, "give": hand.give,
            **({} if hand.joints is None else {"joints": hand.joints.tolist()}),
        }
        for side, hand in frame.hands.items()
    }  # fmt: skip
    look = None if frame.look is None else frame.look.tolist()
    row = {"time": frame.time, "heading": frame.heading, "look": look, "hands": hands}
    return row if frame.walk is None else row | {"walk": frame.walk.tolist()}


def _frame(row: dict[str, Any]) -> OperatorFrame:
    hands = {}
    for side, hand in row["hands"].items():
        if side not in SIDES:
            raise ValueError(f"a hand {side!r}; one of {', '.join(SIDES)}")
        T = np.eye(4)
        T[:3] = np.reshape(np.array(hand["pose"], float), (3, 4))
        hands[side] = HandFrame(
            T, bool(hand["clutch"]), float(hand["trigger"]), str(hand["grasp"]), float(hand["width"]),
            bool(hand["give"]), _numbers(hand.get("joints"), JOINTS),
        )  # fmt: skip
    look, walk = _numbers(row["look"], (3,)), _numbers(row.get("walk"), (3,))
    return OperatorFrame(float(row["time"]), hands, float(row["heading"]), look, walk)


def _numbers(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    return None if value is None else np.reshape(np.array(value, float), shape)
