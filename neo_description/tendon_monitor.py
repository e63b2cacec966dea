"""Which tendons, drives and encoders of a group have failed: evidence that lasts, and what is left of them.

    q, qd = monitor.update(tick, time, mode, q, qd, length, velocity, tension)
    monitor.sent(command)

    loose      no load, and its reel runs (or it stays below what it is asked for): cut, or slack
    cut        loose, and its reel has run by ``TORN``
    jammed     its reel stands still while the joint moves
    pulls      more than it is asked for
    weak       less than it is asked for: hot; what it still pulls becomes its limit
    encoder    contradicts both tendons of its joint, or gives no number

What was found stays until :meth:`TendonMonitor.reset`. Evidence: :mod:`neo_description.tendon_residuals`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from neo_description.masks import any_of
from neo_description.routing import Routing
from neo_description.signals import DriveMode, TendonCommand
from neo_description.tables import CONTROL_DT, JointGroup
from neo_description.tendon_residuals import Residuals, ResidualSettings

RESTS = 0.4  # share of its pretension below which a tendon carries nothing
TORN = 0.05  # m that a reel winds in without load: more than any tendon hangs loose
GIVEN_TIME = 0.05  # s: low-pass of what a failed tendon pulls, lest its partner follow its tremor
WEAK_TIME = 0.1  # s with which the limit of a drive that gets weaker is followed


@dataclass(frozen=True)
class Patience:
    """Ticks in a row that prove a fault; see the module."""

    loose: int
    jammed: int
    pulls: int
    weak: int
    encoder: int

    @classmethod
    def of(cls, p: SimpleNamespace) -> Patience:
        """From a controller's parameters."""
        return cls(
            loose=p.monitor_loose_ticks,
            jammed=p.monitor_jammed_ticks,
            pulls=p.monitor_pulls_ticks,
            weak=p.monitor_weak_ticks,
            encoder=p.monitor_encoder_ticks,
        )


@dataclass(frozen=True)
class Found:
    """``kind`` of fault of ``part`` (a tendon or a joint), found at plant ``time`` (s)."""

    kind: str
    part: str
    time: float

    def __str__(self) -> str:
        return f"{self.part} {self.kind}"


class TendonMonitor:
    """Watches ``group``.

    ``given`` (m,) N: what failed tendons pull, NaN for the others; ``most`` (m,) N: what the others can pull;
    ``encoder`` (n,) bool: failed encoders; ``found``: what was found, in order; ``version`` counts changes.
    """

    def __init__(
        self,
        group: JointGroup,
        settings: ResidualSettings,
        patience: Patience,
        routing: Routing | None = None,
    ):
        self.group, self.patience = group, patience
        self.residuals = Residuals(group, settings, routing)
        self._rest = RESTS * group.pretension
        self._reset()

    def reset(self) -> None:
        """Everything counts as well, and what is measured next as right."""
        self.residuals.reset()
        self._reset()
        self.version += 1

    def _reset(self) -> None:
        n, m = self.group.moment_arms.shape
        self.given = np.full(m, np.nan)
        self.most = np.array(self.group.tension_max)
        self.failed = np.zeros(m, bool)
        self.encoder = np.zeros(n, bool)
        self.found: list[Found] = []
        self.version = getattr(self, "version", 0)
        self._weak = np.zeros(m, bool)
        self._loose: dict[int, float] = {}  # tendon → its reel's length when that was found
        self._counts = np.zeros((4, m), int)
        self._encoder_count = np.zeros(n, int)
        self._calm = True

    @property
    def well(self) -> bool:
        """Whether nothing was found."""
        return not self.found

    def sent(self, command: TendonCommand) -> None:
        """What the group is told at this tick."""
        self.residuals.sent(command)

    def update(
        self,
        tick: int,
        time: float,
        mode: DriveMode,
        q: np.ndarray,
        qd: np.ndarray,
        length: np.ndarray,
        velocity: np.ndarray,
        tension: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """One tick's measurements; the joints' angles and speeds (n,) that are to be believed.

        ``q``, ``qd`` (n,) rad, rad/s may hold NaN; ``length``, ``velocity`` (m,) m, m/s; ``tension`` (m,) N.
        """
        if not math.isfinite(float(length.sum() + velocity.sum() + tension.sum())):
            return q, qd  # nothing to judge by
        r = self.residuals
        gone = ~np.isfinite(q + qd)
        if any_of(gone):
            q = np.where(gone, 0.0, q)
            for j in np.flatnonzero(gone & ~self.encoder).tolist():
                if r.fresh:  # there is no past: what the tendons say is right
                    r.lengths(tick, q, length, self.failed)
                    r.was_wrong(j)
                self._fail_encoder(j, "encoder silent", time)
        r.lengths(tick, q, length, self.failed)
        r.tensions(tick, mode, length, tension)
        rests = tension < self._rest
        signs = (r.wound & rests, r.behind, r.reel, r.encoder, r.less, r.more)
        if self.found or any(map(any_of, signs)):
            self._count(time, rests, length, tension)
            self._calm = False
        elif not self._calm:
            self._counts[:] = 0
            self._encoder_count[:] = 0
            self._calm = True
        if tick % 10 == 0 and any_of(r.always):
            self._always_wrong(time)
        doubtful = r.encoder | self.encoder
        if not any_of(doubtful):
            return q, qd
        return (
            np.where(doubtful, q - r.error, q),
            np.where(doubtful, r.speeds(velocity, self.failed), qd),
        )

    # Verdicts

    def _count(self, time: float, rests: np.ndarray, length: np.ndarray, tension: np.ndarray) -> None:
        r, p, well = self.residuals, self.patience, ~self.failed
        counts = self._counts = (self._counts + 1) * np.array(
            [(r.reel | r.wound) & rests, r.behind | (r.reel & ~rests), r.more, r.less]
        )
        self._encoder_count = (self._encoder_count + 1) * r.encoder
        loose = (counts[0] >= p.loose) | ((counts[3] >= p.loose) & rests)
        for i in np.flatnonzero(well & loose).tolist():
            self._loose[i] = float(length[i])
            self._fail(i, "loose", time, tension)
        for i in np.flatnonzero(~self.failed & (counts[1] >= p.jammed)).tolist():
            self._fail(i, "jammed", time, tension)
        for i in np.flatnonzero(~self.failed & (counts[2] >= p.pulls)).tolist():
            self._fail(i, "pulls more than asked", time, tension)
        for i in np.flatnonzero(~self.failed & ~self._weak & (counts[3] >= p.weak)).tolist():
            self._weak[i] = True
            self.most[i] = tension[i]
            self._note("weak", self.group.tendons[i], time)
        for j in np.flatnonzero(~self.encoder & (self._encoder_count >= p.encoder)).tolist():
            self._fail_encoder(j, "encoder wrong", time)
        if self.found:
            self._follow(time, length, tension)

    def _follow(self, time: float, length: np.ndarray, tension: np.ndarray) -> None:
        """What failed tendons pull now, and which of the loose are cut."""
        if any_of(self.failed):
            self.given += CONTROL_DT / GIVEN_TIME * (tension - self.given)
            self.given[~self.failed] = np.nan
        for i, begun in list(self._loose.items()):
            if begun - length[i] > TORN:
                del self._loose[i]
                self._note("cut", self.group.tendons[i], time)
        lower = self._weak & self.residuals.less & (tension < self.most)
        if any_of(lower):
            self.most[lower] = np.minimum(
                self.most, np.maximum(tension, self.most + CONTROL_DT / WEAK_TIME * (tension - self.most))
            )[lower]
            self.version += 1

    def _always_wrong(self, time: float) -> None:
        for j in np.flatnonzero(self.residuals.always & ~self.encoder).tolist():
            self.residuals.was_wrong(j)
            self._fail_encoder(j, "encoder wrong from the start", time)

    def _fail(self, i: int, kind: str, time: float, tension: np.ndarray) -> None:
        self.failed[i] = True
        self.given[i] = tension[i]
        self._note(kind, self.group.tendons[i], time)

    def _fail_encoder(self, j: int, kind: str, time: float) -> None:
        self.encoder[j] = True
        self.residuals.freeze()
        self._note(kind, self.group.joints[j], time)

    def _note(self, kind: str, part: str, time: float) -> None:
        self.found.append(Found(kind, part, time))
        self.version += 1
