"""A landmark track: where a person's hands and body were, time by time. JSON lines, written by any program.

The first line is ``{"landmarks": 1, "about": {…}}``; each other one a moment:

    {"time": 0.033, "l": {"points": [[x, y, z], … 21 or 25], "confidence": 0.9}, "r": null, "body": null}

``time`` (s) grows, and is the film's where there is one. Points are metres, all of one track in one frame;
``body`` has the rows of :func:`landmarks.body_joints`. What was not seen is null or left out. ``about`` may
say ``prompt``, ``provider``, and where the frame is: ``T_base_frame``, 3 × 4 or 4 × 4 numbers row by row;
without it the frame is the robot's own left eye (z ahead, x right, y down).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neo_description.errors import NeoError
from neo_description.tables import SIDES
from neo_teleop.retargeting.landmarks import body_joints, hand_21

FORMAT = 1
ORTHONORMAL = 1e-4  # largest element of RᵀR - 1


@dataclass(frozen=True, slots=True)
class Moment:
    """``hands`` (21, 3) m by side and ``body`` (12, 3) m, without what was not seen; confidences 0 to 1."""

    time: float
    hands: dict[str, np.ndarray] = field(default_factory=dict)
    body: np.ndarray | None = None
    confidence: dict[str, float] = field(default_factory=dict)

    def sure(self, least: float) -> Moment:
        """Without what was seen with a confidence below ``least``; what does not say is believed."""
        hands = {s: points for s, points in self.hands.items() if self.confidence.get(s, 1.0) >= least}
        body = self.body if self.confidence.get("body", 1.0) >= least else None
        return Moment(self.time, hands, body, self.confidence)


@dataclass
class LandmarkTrack:
    """``moments`` in order of time; ``about``: what the first line says."""

    moments: list[Moment] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def T_base_frame(self) -> np.ndarray | None:
        """(4, 4) where the track says it; NeoError when that is no pose."""
        given = self.about.get("T_base_frame")
        if given is None:
            return None
        try:
            T = np.eye(4)
            rows = np.array(given, float).reshape(-1, 4)
            T[: len(rows)] = rows
        except (TypeError, ValueError):
            raise NeoError(f"T_base_frame {given!r}; 3 × 4 or 4 × 4 numbers needed") from None
        R = T[:3, :3]
        if not np.isfinite(T).all() or np.abs(R.T @ R - np.eye(3)).max() > ORTHONORMAL:
            raise NeoError(f"T_base_frame {given!r} is no pose; a rotation and metres needed")
        return T

    def save(self, file: Path) -> None:
        """Write it; folders are made."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w") as out:
            for row in ({"landmarks": FORMAT, "about": self.about}, *map(_row, self.moments)):
                out.write(json.dumps(row) + "\n")

    @classmethod
    def load(cls, file: Path) -> LandmarkTrack:
        """Read it; NeoError says which line is wrong and why."""
        try:
            lines = file.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise NeoError(f"cannot read landmarks from {file}: {error}") from None
        return cls.parse(lines, str(file))

    @classmethod
    def parse(cls, lines: Iterable[str], name: str) -> LandmarkTrack:
        """The track in ``lines``; ``name`` stands in errors."""
        track = cls()
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                if number == 1:
                    if row["landmarks"] != FORMAT:
                        raise ValueError(f"format {row['landmarks']!r}; {FORMAT} can be read")
                    track.about = dict(row.get("about") or {})
                else:
                    track.moments.append(_moment(row, track.moments[-1].time if track.moments else -np.inf))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise NeoError(f"{name}, line {number} is no part of a landmark track: {error!r}") from None
            except NeoError as error:
                raise NeoError(f"{name}, line {number}: {error}") from None
        if not track.moments:
            raise NeoError(f"{name} holds no moment of a landmark track")
        return track


def _moment(row: dict[str, Any], before: float) -> Moment:
    time = float(row["time"])
    if not np.isfinite(time) or time <= before:
        raise ValueError(f"time {time} does not follow {before}; finite, growing seconds needed")
    seen = {name: row[name] for name in (*SIDES, "body") if row.get(name) is not None}
    confidence = {name: float(part.get("confidence", 1.0)) for name, part in seen.items()}
    for name, value in confidence.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"confidence {value} of {name}; 0 to 1 allowed")
    hands = {side: hand_21(seen[side]["points"]) for side in SIDES if side in seen}
    body = body_joints(seen["body"]["points"]) if "body" in seen else None
    return Moment(time, hands, body, confidence)


def _row(moment: Moment) -> dict[str, Any]:
    points = {**moment.hands, **({} if moment.body is None else {"body": moment.body})}
    return {"time": moment.time} | {
        name: {"points": values.tolist(), "confidence": moment.confidence.get(name, 1.0)}
        for name, values in points.items()
    }
