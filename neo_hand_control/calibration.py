"""What calibration found out about one hand's pads, as a file, and what it makes of their readings.

    calibration = Calibration.given(params.calibration_file, "r")
    state = calibration.corrected(state)

A reading becomes ``(reading - zero) / gain``; a pad that was found broken is masked whatever its own flag
says.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from neo_description.errors import NeoError
from neo_description.signals import HandState
from neo_description.tables import SIDES, TAXELS

GAINS = (0.2, 5.0)  # what a file may say
HEADER = """\
# Written by `neo calibrate hand`; read by the hand controller (parameter calibration_file).
# gain: reading over force, +- error (one standard deviation); measured: false where no self-touch reaches and
# the gain is assumed. zero, noise: N. broken: why a pad is not to be believed.
"""


@dataclass
class PadCalibration:
    """``gain`` and its standard ``error``, ``zero`` (3,) N, ``noise`` N; ``broken``: why, or empty."""

    gain: float = 1.0
    error: float = 0.0
    measured: bool = False
    zero: tuple[float, float, float] = (0.0, 0.0, 0.0)
    noise: float = 0.0
    broken: str = ""


@dataclass
class Calibration:
    """All pads of hand ``side``, in the order of ``TAXELS``.

    ``friction``: share of a tendon's tension that is lost when it runs with ``speed`` m/s.
    """

    side: str
    pads: list[PadCalibration] = field(default_factory=lambda: [PadCalibration() for _ in TAXELS])
    friction: float = float("nan")
    speed: float = float("nan")
    date: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise NeoError(f"no hand {self.side!r}; one of {', '.join(SIDES)}")
        self._zero = np.array([pad.zero for pad in self.pads], float)
        self._scale = 1.0 / np.array([[pad.gain] for pad in self.pads])
        self._sound = np.array([not pad.broken for pad in self.pads])
        self._neutral = bool(self._sound.all() and (self._scale == 1.0).all() and not self._zero.any())

    @property
    def gain(self) -> np.ndarray:
        """(19,) reading over force."""
        return 1.0 / self._scale[:, 0]

    def apply(self, force: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Readings (19, 3) N and hardware flags (19,) bool to forces and mask; not changed in place."""
        return (force - self._zero) * self._scale, valid & self._sound

    def corrected(self, state: HandState) -> HandState:
        """``state`` with forces for readings; ``state`` itself when there is nothing to correct."""
        if self._neutral:
            return state
        force, valid = self.apply(state.taxel_force, state.taxel_valid)
        return replace(state, taxel_force=force, taxel_valid=valid)

    def text(self) -> str:
        """As a file holds it."""
        head = {
            "side": self.side,
            "date": self.date,
            "source": self.source,
            "friction": {"share": _short(self.friction), "speed": _short(self.speed)},
        }
        rows = zip(TAXELS, self.pads, strict=True)
        lines = "".join(f"  {name}: {_flow(_row(pad))}\n" for name, pad in rows)
        return f"{HEADER}{yaml.safe_dump(head, sort_keys=False)}pads:\n{lines}"

    def save(self, file: Path) -> None:
        """Write ``file``; NeoError when that cannot be done."""
        try:
            file.write_text(self.text())
        except OSError as error:
            raise NeoError(f"cannot write {file}: {error.strerror}") from None

    @classmethod
    def given(cls, file: str, side: str) -> Calibration:
        """:meth:`load`, or for an empty name the calibration that changes nothing."""
        return cls.load(Path(file), side) if file else cls(side)

    @classmethod
    def load(cls, file: Path, side: str) -> Calibration:
        """Read ``file``; NeoError when it is no calibration, or that of the other hand."""
        try:
            return cls.parse(file.read_text(), side, str(file))
        except OSError as error:
            raise NeoError(f"cannot read calibration {file}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise NeoError(f"calibration {file} is no YAML: {error}") from None

    @classmethod
    def parse(cls, text: str, side: str, where: str) -> Calibration:
        """:meth:`text` read again; ``where`` names its source in errors."""
        try:
            data = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise NeoError(f"calibration {where} is no YAML: {error}") from None
        if not isinstance(data, dict) or not isinstance(data.get("pads"), dict):
            raise NeoError(f"{where} is no calibration: it has no pads; `neo calibrate hand` writes one")
        if data.get("side") != side:
            raise NeoError(f"calibration {where} is of hand {data.get('side')!r}, not of {side!r}")
        rows = data["pads"]
        if set(rows) != set(TAXELS):
            odd = ", ".join(sorted(set(rows) ^ set(TAXELS)))
            raise NeoError(f"calibration {where}: pads must be the hand's 19; missing or unknown: {odd}")
        friction = data.get("friction") or {}
        return cls(
            side,
            [_pad(where, name, rows[name]) for name in TAXELS],
            float(friction.get("share", "nan")),
            float(friction.get("speed", "nan")),
            str(data.get("date", "")),
            str(data.get("source", "")),
        )


def _pad(where: str, name: str, row: Any) -> PadCalibration:
    try:
        pad = PadCalibration(
            gain=float(row["gain"]),
            error=float(row["error"]),
            measured=bool(row["measured"]),
            zero=tuple(float(value) for value in row["zero"]),  # type: ignore[arg-type]
            noise=float(row["noise"]),
            broken=str(row.get("broken", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NeoError(f"calibration {where}: pad {name}: {type(error).__name__}: {error}") from None
    if not GAINS[0] <= pad.gain <= GAINS[1]:
        raise NeoError(f"calibration {where}: pad {name}: gain {pad.gain} is outside {list(GAINS)}")
    if len(pad.zero) != 3 or not np.isfinite(pad.zero).all():
        raise NeoError(f"calibration {where}: pad {name}: zero {list(pad.zero)}; three numbers (N) needed")
    return pad


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _row(pad: PadCalibration) -> dict[str, Any]:
    row: dict[str, Any] = {
        "gain": _short(pad.gain),
        "error": _short(pad.error),
        "measured": pad.measured,
        "zero": [_short(value) for value in pad.zero],
        "noise": _short(pad.noise),
    }
    return row | ({"broken": pad.broken} if pad.broken else {})


def _flow(row: dict[str, Any]) -> str:
    return yaml.safe_dump(row, default_flow_style=True, sort_keys=False, width=200).strip()
