"""Curves of the last seconds: what can be chosen, and how its points are kept."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from neo_bringup.console.snapshot import HandView, Snapshot
from neo_description.tables import BODY, HAND, SIDES

SECONDS = 30.0
EVENTS = ("falls", "slips", "collides", "hidden")


@dataclass(frozen=True)
class Group:
    """What is drawn together, in one unit: names of :func:`values`, titles for people.

    ``least``: the scale shows at least so much of the unit.
    """

    unit: str
    least: float
    lines: dict[str, str]


GROUPS = {
    "Surprise and consequences": Group(
        "", 1.0, {"surprise": "surprise", **{f"chance/{name}": name for name in EVENTS}}
    ),
    "Grip": Group(
        "N",
        10.0,
        {"grip/l": "left", "grip/r": "right", "target/l": "left asked", "target/r": "right asked"},
    ),
    "Slip": Group("", 1.0, {"slip/l": "left", "slip/r": "right"}),
    "Balance": Group("cm", 5.0, {"com/ahead": "CoM ahead of the feet", "com/left": "CoM left of them"}),
    "Highest tension": Group(
        "%", 20.0, {"tension/body": "body", "tension/l": "left hand", "tension/r": "right hand"}
    ),
}


def values(snapshot: Snapshot, balance: np.ndarray | None) -> dict[str, float]:
    """A point of every curve, NaN where unknown. ``balance`` (2,) m: CoM ahead, left of the feet."""
    nan = float("nan")
    out = {"surprise": nan if snapshot.surprise is None else float(snapshot.surprise)}
    events = snapshot.consequences.events if snapshot.consequences is not None else []
    chances = {event.name: float(event.chance) for event in events}
    out |= {f"chance/{name}": chances.get(name, nan) for name in EVENTS}
    for side in SIDES:
        view = snapshot.hands.get(side)
        out[f"grip/{side}"] = grip(view)
        out[f"target/{side}"] = nan if view is None else float(view.status.grip_target)
        out[f"slip/{side}"] = nan if view is None else float(view.status.slip)
        out[f"tension/{side}"] = nan if view is None else _share(view.tension, HAND.tension_max)
    body = snapshot.body_tension
    out["tension/body"] = nan if body is None else _share(body, BODY.tension_max)
    out["com/ahead"], out["com/left"] = (nan, nan) if balance is None else (100.0 * balance).tolist()
    return out


def _share(tension: np.ndarray, limit: np.ndarray) -> float:
    return 100.0 * float(np.max(tension / limit))


def grip(view: HandView | None) -> float:
    """Sum of the normal forces of a hand's living pads (N); NaN when the hand was never heard."""
    if view is None:
        return float("nan")
    return float(view.taxel_force[np.asarray(view.taxel_valid, bool), 0].sum())


class History:
    """Points of the last :data:`SECONDS`; a clock that goes back begins anew."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._rows: deque[tuple[float, dict[str, float]]] = deque()

    def add(self, time: float, point: dict[str, float]) -> None:
        """``point`` at ``time`` (s)."""
        if self._rows and time < self._rows[-1][0]:
            self._rows.clear()
        self._rows.append((time, point))
        while time - self._rows[0][0] > self._seconds:
            self._rows.popleft()

    def table(self, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """(n,) s before now, never positive, and the values of ``names`` (n, len(names)), oldest first."""
        if not self._rows:
            return np.zeros(0), np.zeros((0, len(names)))
        ago = np.array([time for time, _ in self._rows]) - self._rows[-1][0]
        rows = [[point.get(name, np.nan) for name in names] for _, point in self._rows]
        return ago, np.array(rows, float)
