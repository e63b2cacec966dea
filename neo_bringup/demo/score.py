"""How well a lift went, by the simulator's truth (privileged: for scores only). Plain Python, no ROS."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass

LIFTED = 0.05  # m above the start: from here on the object counts as held up
GRIPPED = 0.3  # N of true pad force: below it nothing is held
SUSTAINED = 0.5  # s that a height must be kept to count
SUCCESS_HEIGHT = 0.10  # m
SUCCESS_HELD = 2.0  # s, up to the end
FALLEN_HEIGHT = 0.6  # of the pelvis, relative to its start
GAP = 0.5  # s between two samples that breaks a hold: nobody saw what happened


@dataclass(frozen=True)
class LiftResult:
    """``held_s`` is the hold that lasts to the end; ``lifted_m`` the greatest height kept for 0.5 s."""

    success: bool
    lifted_m: float
    held_s: float
    peak_force_n: float
    fallen: bool

    def numbers(self) -> dict[str, float | bool]:
        return asdict(self)


class PrivilegedLiftScore:
    """Fed with samples in order of plant time; the first one is the start."""

    def __init__(self) -> None:
        self._start: float | None = None
        self._pelvis_start = 0.0
        self._recent: deque[tuple[float, float]] = deque()  # time, height: of the last SUSTAINED seconds
        self._hold_began: float | None = None
        self._last_time = 0.0
        self.lifted = 0.0
        self.peak_force = 0.0
        self.fallen = False

    def add(self, time: float, object_z: float, grip_force: float, pelvis_z: float) -> None:
        """Plant time (s), the object's and the pelvis's true height (m), the firmer hand's true force (N)."""
        if self._start is None:
            self._start, self._pelvis_start, self._last_time = object_z, pelvis_z, time
        if time < self._last_time:
            return
        height = object_z - self._start
        self._recent.append((time, height))
        while len(self._recent) > 1 and self._recent[1][0] <= time - SUSTAINED:
            self._recent.popleft()
        if time - self._recent[0][0] >= SUSTAINED - 1e-9:
            self.lifted = max(self.lifted, min(h for _, h in self._recent))
        held = height >= LIFTED and grip_force >= GRIPPED
        if not held or time - self._last_time > GAP:
            self._hold_began = None
        if held and self._hold_began is None:
            self._hold_began = time
        self.peak_force = max(self.peak_force, grip_force)
        self.fallen = self.fallen or pelvis_z < FALLEN_HEIGHT * self._pelvis_start
        self._last_time = time

    @property
    def held(self) -> float:
        """s for which the object has been held up without a break, up to the last sample."""
        return 0.0 if self._hold_began is None else self._last_time - self._hold_began

    def result(self) -> LiftResult:
        success = self.lifted >= SUCCESS_HEIGHT and self.held >= SUCCESS_HELD and not self.fallen
        return LiftResult(success, self.lifted, self.held, self.peak_force, self.fallen)
