"""A group of pull-only tendon drives, stepped at 1 kHz; all arrays (m,) in the group's tendon order.

In mode TENSION the tension ``f`` at the drive follows the command ``f_cmd`` after a transport delay by

    df/dt = clip((f_cmd - f) / lag, ±slew) + k_series * dl/dt

so a motor that lags feels the joint's motion through the tendon's stiffness. In the local modes the reel
is the servo (time constant ``local_lag``) of

    HOLD    f_want = f0 + k * (l - l0) + d * dl/dt      l0, f0: on entry, plus a co-contraction ramped in
    CROUCH  the same, with l0 ramping to the crouch posture's lengths
    LIMP    f0 and k fade to pretension and zero

with ``k`` from the joint's effort and the angle at which hold shall answer with it. ``f`` stays within
[0, tension_max]. The joint feels ``f * (1 + friction * tanh(dl/dt / v0))``: the capstan share that is
lost when the drive winds in (dl/dt < 0) and adds to the resistance when the joint pulls out.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from neo_description.routing import Routing
from neo_description.signals import DriveMode, TendonCommand
from neo_description.tables import PLANT_DT, PLANT_RATE, JointGroup
from neo_sim.broken_tendons import BrokenTendons
from neo_sim.command_gate import CommandGate
from neo_sim.watchdog import Watchdog

COCONTRACTION_TIME = 0.1  # s, over which hold tightens both tendons of a pair


@dataclass(frozen=True)
class DriveSettings:
    """Numbers of one group: s, N/m, N/s, rad; see ``parameters.yaml``."""

    delay: float
    lag: float
    series_stiffness: float
    friction: float
    friction_speed: float
    slew: float
    hold_angle: float
    hold_damping: float
    hold_cocontraction: float
    local_lag: float
    watchdog: float
    hold_time: float
    crouch_time: float
    limp_time: float

    @classmethod
    def of(cls, params: SimpleNamespace, group: str) -> DriveSettings:
        """Settings of ``group`` (``body`` or ``hand``) out of the room's parameters."""
        own: dict[str, float] = vars(params)
        names = tuple(cls.__dataclass_fields__)
        return cls(**{name: own[f"{group}_{name}" if f"{group}_{name}" in own else name] for name in names})


def _steps(seconds: float) -> int:
    return round(seconds * PLANT_RATE)


class DriveGroup:
    """The drives of ``table``. ``crouch_posture`` (n,) rad; ``None``: the group never leaves hold.
    ``routing``: of the body's tendons, where it is not by the table's arms."""

    def __init__(
        self,
        table: JointGroup,
        settings: DriveSettings,
        crouch_posture: np.ndarray | None = None,
        routing: Routing | None = None,
    ):
        self.settings = s = settings
        self.table = table
        self.gate = CommandGate(table)
        crouch = None if crouch_posture is None else _steps(s.crouch_time)
        self.watchdog = Watchdog(_steps(s.watchdog), _steps(s.hold_time), crouch)
        arms = np.abs(np.diag(table.moment_arms[:, 0::2]))
        stiffness = np.repeat(table.effort / s.hold_angle / (2.0 * arms**2), 2)
        self._hold_k = stiffness
        self._hold_d = stiffness * s.hold_damping
        self._hold_f = table.pretension * s.hold_cocontraction
        self._crouch_length = None
        if crouch_posture is not None:
            posture = np.asarray(crouch_posture, float)
            straight = -table.moment_arms.T @ posture
            self._crouch_length = straight if routing is None else routing.lengths(posture)
        follow_local = 1.0 - math.exp(-PLANT_DT / s.local_lag) if s.local_lag > 0 else 1.0
        numbers = (1.0 - math.exp(-PLANT_DT / s.lag), follow_local, s.slew * PLANT_DT,
                   s.series_stiffness * PLANT_DT, s.friction, s.friction_speed, 0.0, 1.0)  # fmt: skip
        # one for each tendon: numpy takes arrays faster than floats
        every = np.repeat(np.array(numbers)[:, None], len(table.tendons), axis=1)
        self._follow, self._follow_local, self._slew, self._series = every[:4]
        self._friction, self._friction_speed, self._zero, self._one = every[4:]
        self._unslew = -self._slew
        self._delay = _steps(s.delay)
        self._max = table.tension_max
        self.reset(np.zeros(len(table.tendons)), table.pretension)

    def reset(self, length: np.ndarray, tension: np.ndarray) -> None:
        """Start over in HOLD at tendon ``length`` (m), pulling ``tension`` (N)."""
        self.gate.reset()
        self.watchdog.reset()
        self._pending: deque[tuple[int, TendonCommand]] = deque()
        self._step_count = 0
        self.tension = np.clip(tension, 0.0, self._max)
        self._asked = self.tension.copy()
        self.broken: BrokenTendons | None = None
        self._mode: DriveMode | None = None
        self._tight = 0.0  # 0..1: how far hold's co-contraction has come
        self._enter(DriveMode.HOLD, length)

    @property
    def mode(self) -> DriveMode:
        """What the drives do now."""
        return self.watchdog.mode

    @property
    def runstop(self) -> bool:
        """Whether the stop button is latched."""
        return self.watchdog.latched

    def latch(self, on: bool) -> None:
        """Set or release the runstop; commands under way are dropped."""
        if on or self.watchdog.latched:
            self._pending.clear()
        self.watchdog.latch(on)

    def command(self, command: TendonCommand, tick: int) -> str | None:
        """``None`` when accepted at control tick ``tick``, else why it was refused."""
        reason = self.gate.check(command, tick)
        if reason is None:
            self.watchdog.accepted()
            self._pending.append((self._step_count + self._delay, command))
        return reason

    def fail(self, kind: str, tendon: str, size: float, length: np.ndarray) -> None:
        """``kind`` of :mod:`neo_sim.faults` hits ``tendon`` now, at tendon ``length`` (m,) m."""
        self.broken = self.broken or BrokenTendons(self)
        i = self.table.tendons.index(tendon)
        self.broken.fail(kind, i, size, float(length[i]))

    def step(self, length: np.ndarray, velocity: np.ndarray) -> np.ndarray:
        """One plant step: tendon ``length`` (m) and ``velocity`` (m/s) to the tension joints feel (N)."""
        pending = self._pending
        while pending and pending[0][0] <= self._step_count:
            command = pending.popleft()[1]
            self.watchdog.asked(DriveMode(command.mode))
            if command.mode == DriveMode.TENSION:
                self._asked = np.array(command.tension, float)
        mode = self.watchdog.mode
        f, wanted, broken = self.tension, self._asked, self.broken
        reel = length if broken is None else length + broken.shift
        if mode != self._mode:
            self._enter(mode, reel)
        if mode == DriveMode.TENSION:
            change = (wanted - f) * self._follow
            np.minimum(np.maximum(change, self._unslew, out=change), self._slew, out=change)
            change += self._series * velocity
        else:
            wanted = self._local(mode, reel, velocity)
            change = (wanted - f) * self._follow_local
        change += f
        well = np.minimum(np.maximum(change, self._zero, out=change), self._max, out=change)
        f = well if broken is None else broken.pull(wanted, f, well, length, velocity)
        self.tension = f
        self._step_count += 1
        self._in_mode += 1
        self.watchdog.advance()
        lost = velocity / self._friction_speed
        np.tanh(lost, out=lost)
        lost *= self._friction
        lost += self._one
        lost *= f
        return lost

    def _enter(self, mode: DriveMode, length: np.ndarray) -> None:
        """Take over where the last mode left the tendons, without a jump in tension."""
        if self._mode not in (DriveMode.HOLD, DriveMode.CROUCH):
            self._tight = 0.0
        if not (self._mode == DriveMode.HOLD and mode == DriveMode.CROUCH):
            self._from_length = np.array(length, float)
            self._from_tension = self.tension - self._tight * self._hold_f
        self._held = self._from_tension + self._tight * self._hold_f  # what hold pulls at its reference
        self._mode = mode
        self._in_mode = 0

    def _local(self, mode: DriveMode, length: np.ndarray, velocity: np.ndarray) -> np.ndarray:
        """Wanted tension (m,) N of the modes that need no controller."""
        s = self.settings
        elapsed = self._in_mode * PLANT_DT
        damping = self._hold_d * velocity
        if mode == DriveMode.LIMP:
            fade = min(elapsed / s.limp_time, 1.0)
            spring = self._hold_k * (length - self._from_length)
            return fade * self.table.pretension + (1.0 - fade) * (self._held + spring) + damping
        reference = self._from_length
        if mode == DriveMode.CROUCH and self._crouch_length is not None:
            u = min(elapsed / s.crouch_time, 1.0)
            reference = reference + u**3 * (10 - 15 * u + 6 * u**2) * (self._crouch_length - reference)
        if self._tight < 1.0:
            self._tight = min(self._tight + PLANT_DT / COCONTRACTION_TIME, 1.0)
            self._held = self._from_tension + self._tight * self._hold_f
        return self._held + self._hold_k * (length - reference) + damping
