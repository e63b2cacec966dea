"""What may break in the plant, as data: ``cut:l_knee_pitch_minus@3.0`` cuts that tendon 3 s after the start.

    kind:part[=size][@seconds]

``size`` and the time may be left out: the kind's own size, from the start. A fault stays until the plant is
reset. Pads are broken by :class:`neo_sim.pads.Pads`, tendons by :mod:`neo_sim.broken_tendons`, encoders and
IMUs here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from neo_description.errors import NeoError
from neo_description.tables import JOINTS, SIDES, TAXELS, TENDONS, prefixed

IMUS = ("pelvis", "head")
_PADS = tuple(name for side in SIDES for name in prefixed(side, TAXELS))
PARTS = {"tendon": TENDONS, "joint": JOINTS, "imu": IMUS, "pad": _PADS}


@dataclass(frozen=True)
class Kind:
    """What breaks (a key of ``PARTS``), the default ``size``, and the ``bounds`` of it."""

    breaks: str
    size: float = 0.0
    bounds: tuple[float, float] = (0.0, 0.0)


KINDS = {
    "cut": Kind("tendon"),
    "slack": Kind("tendon", 0.02, (0.001, 1.0)),  # m that hang loose until the reel has wound them in
    "jam": Kind("tendon"),
    "overpull": Kind("tendon", 0.3, (0.0, 1.0)),  # share of the limit that it pulls, whatever is asked
    "hot": Kind("tendon", 0.05, (0.0, 1.0)),  # share of the limit that is left once the drive is hot
    "stuck": Kind("joint"),
    "offset": Kind("joint", 0.0873, (-1.0, 1.0)),  # rad: 5 degrees
    "lost": Kind("joint"),
    "frozen": Kind("imu"),
    "dead": Kind("pad"),
    "mute": Kind("pad"),
}


@dataclass(frozen=True)
class Fault:
    """``kind`` of ``KINDS`` that hits ``part`` at plant time ``at`` (s)."""

    kind: str
    part: str
    size: float
    at: float = 0.0


def fault(kind: str, part: str, size: float | None = None, at: float = 0.0) -> Fault:
    """A :class:`Fault`; NeoError when there is no such kind, part or size."""
    if kind not in KINDS:
        raise NeoError(f"no fault {kind!r}; one of {', '.join(KINDS)}")
    about = KINDS[kind]
    if part not in PARTS[about.breaks]:
        raise NeoError(f"{kind}: no {about.breaks} {part!r}; one of {', '.join(PARTS[about.breaks])}")
    size = about.size if size is None else size
    low, high = about.bounds
    if not low <= size <= high:  # false for NaN too
        raise NeoError(f"{kind}:{part}: size {size}; from {low} to {high} is allowed")
    if not 0.0 <= at < np.inf:
        raise NeoError(f"{kind}:{part}: at {at} s; 0 or later is needed")
    return Fault(kind, part, size, at)


def parse(text: str) -> Fault:
    """``kind:part[=size][@seconds]``; NeoError says what is wrong with it."""
    what, _, when = text.partition("@")
    what, _, much = what.partition("=")
    kind, colon, part = what.partition(":")
    try:
        size, at = (float(much) if much else None), (float(when) if when else 0.0)
    except ValueError:
        colon = ""
    if not colon:
        raise NeoError(f"fault {text!r}; kind:part[=size][@seconds] is needed, as cut:l_knee_pitch_minus@3")
    return fault(kind.strip(), part.strip(), size, at)


class Broken:
    """Numbers (n,) that some sensor reports, some of them wrongly: frozen, shifted or missing."""

    def __init__(self, n: int):
        self._shift = np.zeros(n)
        self._frozen: dict[int, float | None] = {}  # index → what it shows; None: what it shows next

    def freeze(self, places: Iterable[int]) -> None:
        """From now on the same number again and again."""
        self._frozen |= dict.fromkeys(places)

    def shift(self, place: int, by: float) -> None:
        """From now on ``by`` too much."""
        self._shift[place] += by

    def lose(self, place: int) -> None:
        """From now on no number."""
        self._shift[place] = np.nan

    def __call__(self, value: np.ndarray) -> np.ndarray:
        """What is reported instead of ``value`` (n,)."""
        value = value + self._shift
        for i, shown in self._frozen.items():
            if shown is None:
                shown = self._frozen[i] = float(value[i])
            value[i] = shown
        return value
