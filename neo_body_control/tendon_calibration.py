"""What the body knows of its tendons beyond the tables, as a file: arms, friction, stretch.

    calibration = TendonCalibration.given(params.tendon_calibration)

Written by ``neo calibrate tendons``; without a file everything is as the tables and parameters say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

from neo_description.errors import NeoError
from neo_description.routing import ARM
from neo_description.tables import BODY

SCALES, FRICTIONS = (0.5, 2.0), (0.0, 0.5)  # what a file may say
HEADER = """\
# Written by `neo calibrate tendons`; read by body control (parameter tendon_calibration).
# arm: moment arm over that of the table, +- error (one standard deviation; 0: not measured, taken as it is).
# stiffness: N/m of tendon and drive in series; lag: s of the drives; friction: share of the tension lost
# between drive and joint when the tendon runs faster than `speed` (m/s), of the joint's pair.
"""


@dataclass
class TendonCalibration:
    """``arm``, ``arm_error``, ``stiffness`` (62,) by tendon; ``friction`` (31,) by joint; ``lag`` s;
    ``speed`` m/s; ``date``, ``source``: whence."""

    lag: float
    speed: float
    stiffness: np.ndarray
    arm: np.ndarray = field(default_factory=lambda: np.ones(len(BODY.tendons)))
    arm_error: np.ndarray = field(default_factory=lambda: np.zeros(len(BODY.tendons)))
    friction: np.ndarray = field(default_factory=lambda: np.zeros(len(BODY.joints)))
    date: str = ""
    source: str = ""

    @classmethod
    def given(cls, file: str, lag: float, speed: float, stiffness: float) -> TendonCalibration:
        """From ``file``; where there is none (""): ``lag`` (s), ``speed`` (m/s), ``stiffness`` (N/m)."""
        if file:
            return cls.load(Path(file))
        return cls(lag, speed, np.full(len(BODY.tendons), stiffness))

    def save(self, file: Path) -> None:
        """Write it; NeoError when that cannot be done."""
        tendons = {
            name: {"arm": round(float(a), 5), "error": round(float(e), 5), "stiffness": round(float(k), 1)}
            for name, a, e, k in zip(BODY.tendons, self.arm, self.arm_error, self.stiffness, strict=True)
        }
        friction = {j: round(float(mu), 4) for j, mu in zip(BODY.joints, self.friction, strict=True)}
        table = {
            "date": self.date, "source": self.source, "lag": round(self.lag, 5), "speed": self.speed,
            "friction": friction, "tendons": tendons,
        }  # fmt: skip
        try:
            file.write_text(HEADER + yaml.safe_dump(table, sort_keys=False))
        except OSError as error:
            raise NeoError(f"cannot write {file}: {error.strerror}") from None

    @classmethod
    def load(cls, file: Path) -> TendonCalibration:
        """Read it; NeoError says what is wrong with the file."""
        try:
            table = yaml.safe_load(file.read_text())
            rows = [table["tendons"][name] for name in BODY.tendons]
            made = cls(
                lag=float(table["lag"]),
                speed=float(table["speed"]),
                stiffness=np.array([row["stiffness"] for row in rows], float),
                arm=np.array([row["arm"] for row in rows], float),
                arm_error=np.array([row["error"] for row in rows], float),
                friction=np.array([table["friction"][joint] for joint in BODY.joints], float),
                date=str(table.get("date", "")),
                source=str(table.get("source", "")),
            )
        except OSError as error:
            raise NeoError(f"cannot read the calibration of tendons {file}: {error.strerror}") from None
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise NeoError(f"{file}: no calibration of tendons: {type(error).__name__}: {error}") from None
        for name, values, (low, high) in (
            ("arm", made.arm, SCALES),
            ("friction", made.friction, FRICTIONS),
            ("stiffness", made.stiffness, (0.0, 1e6)),
            ("lag", np.array([made.lag]), (0.0, 0.1)),
            ("speed", np.array([made.speed]), (1e-4, 10.0)),
        ):
            if not (np.isfinite(values).all() and (values >= low).all() and (values <= high).all()):
                raise NeoError(f"{file}: {name} outside {low:g} to {high:g}")
        return made

    def drive_damping(self, scale: float | np.ndarray = 1.0) -> np.ndarray:
        """(31,) N m s/rad: what a lagging drive costs a joint that moves, by both tendons of its pair, where
        the posture makes arms ``scale`` (62,) times what they are at the zero posture."""
        per_tendon = self.lag * self.stiffness * (self.arm * scale * ARM) ** 2
        return per_tendon[0::2] + per_tendon[1::2]

    @property
    def measured(self) -> bool:
        """Whether any arm differs from the table's."""
        return bool((self.arm != 1.0).any())

    def tensions(self, f: np.ndarray, most: np.ndarray) -> np.ndarray:
        """Tensions ``f`` (62,) N made for the table's arms, for the arms there are: the same torques, no
        tendon below the lower of its pair's, none above ``most`` (62,) N."""
        plus, minus = self.arm[0::2], self.arm[1::2]
        base = np.minimum(f[0::2], f[1::2])
        torque = f[0::2] - f[1::2]  # over the table's arm
        out = np.empty_like(f)
        more = (torque + minus * base) / plus
        less = (plus * base - torque) / minus
        pulls = more >= base
        out[0::2] = np.where(pulls, more, base)
        out[1::2] = np.where(pulls, base, less)
        return np.minimum(out, most)

    def torques(self, f: np.ndarray) -> np.ndarray:
        """(31,) N m that tensions ``f`` (62,) make at the joints, without friction."""
        return BODY.moment_arms @ (self.arm * f)

    def friction_torque(self, f: np.ndarray, qvel: np.ndarray) -> np.ndarray:
        """(31,) N m that friction takes from joints that turn with ``qvel`` (31,) rad/s; ``f`` (62,) N."""
        arm = ARM[0::2]
        both: np.ndarray = f[0::2] + f[1::2]
        return self.friction * arm * both * np.tanh(arm * qvel / self.speed)
