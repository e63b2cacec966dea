"""What the body is allowed to do: STOP → STANDING_UP → ACTIVE → STOP, and FALLING on the way down.

    STOP         asks the drives to hold. The start and the end of every session.
    STANDING_UP  ``set_mode stand``: the controller takes the tensions over from hold.
    ACTIVE       stands and follows commands.
    FALLING      tilted too far or too low: asks the drives to crouch. ``set_mode stop`` leads to STOP.

Runstop, a gap in the ticks and drives that hold on their own account lead to STOP, whatever was before.
"""

from __future__ import annotations

from dataclasses import dataclass

from neo_description.signals import DriveMode, Safety

STARTED = "started"


@dataclass
class SafetyLimits:
    """``tilt`` rad, ``tilt_stepping`` rad while the legs step, ``height`` m of base_link above the soles,
    ``gap`` ticks, ``ramp`` s of standing up, ``drive_grace`` s in which the drives may still say hold after
    they were asked to follow tensions."""

    tilt: float
    tilt_stepping: float
    height: float
    gap: int
    ramp: float
    drive_grace: float


class SafetyMachine:
    """Decides the state once a tick from what is measured; ``reason`` says why it was entered."""

    def __init__(self, limits: SafetyLimits):
        self.limits = limits
        self.state = Safety.STOP
        self.reason = STARTED
        self._entered_at = 0.0
        self._asked_tension_at: float | None = None
        self._last_tick: int | None = None
        self._runstop = False

    @property
    def moving(self) -> bool:
        """Whether the controller pulls the tendons."""
        return self.state == Safety.STANDING_UP or self.state == Safety.ACTIVE

    @property
    def refusal(self) -> str | None:
        """Why commands for joints are refused; ``None`` in ACTIVE."""
        if self.state == Safety.ACTIVE:
            return None
        return f"robot is {self.state.name} ({self.reason}): set_mode stand"

    @property
    def drive_mode(self) -> DriveMode:
        """What the drives are asked to do in the present state."""
        if self.moving:
            return DriveMode.TENSION
        return DriveMode.CROUCH if self.state == Safety.FALLING else DriveMode.HOLD

    def stand(self, time: float, tilt: float, ready: str | None) -> str | None:
        """``set_mode stand`` at plant ``time`` s; ``None`` when it is done, else why not.

        ``ready``: a reason of the caller's why the robot cannot stand, or ``None``.
        """
        if self.moving:
            return None
        if self._last_tick is None:
            return "no body state has arrived yet"
        if self._runstop:
            return "runstop is latched; release it first (service runstop, data: false)"
        if tilt > self.limits.tilt:
            return f"the pelvis is tilted by {tilt:.2f} rad; at most {self.limits.tilt:.2f} rad to stand"
        if ready is not None:
            return ready
        self._enter(Safety.STANDING_UP, time, "set_mode stand")
        self._asked_tension_at = time
        return None

    def stop(self, time: float, reason: str) -> None:
        """To STOP for ``reason``; the first reason stays."""
        if self.state != Safety.STOP:
            self._enter(Safety.STOP, time, reason)

    def update(
        self,
        tick: int,
        time: float,
        drive_mode: DriveMode,
        runstop: bool,
        tilt: float,
        height: float,
        stepping: bool,
    ) -> None:
        """One tick: measured drive mode and runstop, estimated tilt (rad) and base height (m); ``stepping``:
        whether the legs walk or catch a push."""
        gap = 0 if self._last_tick is None else tick - self._last_tick
        self._last_tick, self._runstop = tick, runstop
        if runstop:
            self.stop(time, "runstop")
            return
        if not self.moving:
            return
        if gap > self.limits.gap:
            self.stop(time, f"stale states: {gap - 1} ticks missing before tick {tick}")
        elif drive_mode != DriveMode.TENSION and self._drives_late(time):
            self.stop(time, f"the drives are in {DriveMode(drive_mode).name} on their own account")
        elif tilt > (self.limits.tilt_stepping if stepping else self.limits.tilt):
            self._enter(Safety.FALLING, time, f"tilted by {tilt:.2f} rad")
        elif height < self.limits.height:
            self._enter(Safety.FALLING, time, f"pelvis only {height:.2f} m above the soles")
        elif self.state == Safety.STANDING_UP and time - self._entered_at >= self.limits.ramp:
            self._enter(Safety.ACTIVE, time, "stands")

    def ramp(self, time: float) -> float:
        """0..1: how far standing up has come; 1 in ACTIVE."""
        if self.state != Safety.STANDING_UP:
            return 1.0
        return min(max((time - self._entered_at) / self.limits.ramp, 0.0), 1.0)

    def _drives_late(self, time: float) -> bool:
        return self._asked_tension_at is None or time - self._asked_tension_at > self.limits.drive_grace

    def _enter(self, state: Safety, time: float, reason: str) -> None:
        self.state, self.reason, self._entered_at = state, reason, time
