"""What a group of tendons measures against what it should: reels, encoders and tensions that disagree.

Symbols, with the group's tables: ``A`` moment arms, ``P`` those of the plus tendons, ``l`` tendon lengths at
the reels, ``f`` measured and ``f_cmd`` commanded tension, ``q`` encoders.

**Lengths.** ``e = l + Aᵀ q`` stays what it was while reels and encoders agree. Its change ``de`` against its
own past (first-order, ``memory``) tells two faults of a pair apart:

    c = (de_plus + de_minus) / 2             a reel that runs, or stands still, on its own
    d = P⁻ᵀ (de_plus - de_minus) / 2         rad: the error of the joint's encoder

Beside a joint that has moved by ``dq`` both may be a share of its way: arms are not exactly those of the
table. Quicker, in the change of ``e`` within the last ticks: of a tendon that gives way the reel winds in
what no joint lets go (``WOUND`` ticks), of a jammed one it stays behind by half the joint's way (``JAMMED``
ticks). Where tendons cross several joints, all their ways count, and while they move an encoder may be far
off; so there ``d`` is also looked at within ``JUMPED`` ticks, in which no joint comes far.

**Tensions.** A healthy drive is predicted by its delay, lag, fastest change and series stiffness,

    f_pred += clip((1 - exp(-dt / lag)) (f_cmd - f_pred), ± slew dt) + k dl

and may differ by half its pretension, a tenth of its tension, and by as much as it has been under way lately.

Where arms change with posture (:mod:`routing`), ``l`` in the first part is what tendons with the table's arms
would measure; tensions are judged by the lengths as they are.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from neo_description.errors import NeoError
from neo_description.masks import any_of
from neo_description.routing import Routing
from neo_description.signals import DriveMode, TendonCommand
from neo_description.tables import CONTROL_DT, JointGroup

UNDER_WAY = 0.9  # a tick: how fast the allowance for a tension that changes fades
SINGLE = 0.3  # share of the pair's difference: one reel alone makes c as large as the difference
WOUND, JUMPED, JAMMED = 2, 5, 10
AWAY = 0.2  # share of the joint's way in c that proves a jam
LOOK = 10  # ticks between two looks at encoders that were wrong from the start


@dataclass(frozen=True)
class ResidualSettings:
    """Of the drives: ``delay`` s, ``lag`` s, ``slew`` N/s, ``stiffness`` N/m. What may disagree: reels by
    ``length`` m and ``length_share`` of their way, encoders by ``angle`` rad and ``angle_share`` of the
    joint's way, and by ``absolute`` rad and the same share of their angle; ``memory`` s: of the past.
    """

    delay: float
    lag: float
    slew: float
    stiffness: float
    length: float
    length_share: float
    angle: float
    angle_share: float
    absolute: float
    memory: float

    @classmethod
    def of(cls, p: SimpleNamespace) -> ResidualSettings:
        """From a controller's parameters."""
        return cls(
            delay=p.drive_delay,
            lag=p.drive_lag,
            slew=p.drive_slew,
            stiffness=p.drive_stiffness,
            length=p.monitor_length,
            length_share=p.monitor_length_share,
            angle=p.monitor_angle,
            angle_share=p.monitor_angle_share,
            absolute=p.monitor_angle_absolute,
            memory=p.monitor_memory,
        )


class Residuals:
    """What disagrees at this tick, after :meth:`lengths` and :meth:`tensions`.

    ``reel``, ``wound``, ``behind``, ``more``, ``less`` (m,) and ``encoder`` (n,) bool; ``error`` (n,) rad:
    how far encoders are off; ``always`` (n,) bool, every ``LOOK`` ticks: encoders that disagree with their
    tendons altogether.
    """

    def __init__(self, group: JointGroup, settings: ResidualSettings, routing: Routing | None = None):
        n, m = group.moment_arms.shape
        P = group.moment_arms[:, 0::2]
        if m != 2 * n or not np.array_equal(group.moment_arms[:, 1::2], -P):
            raise NeoError("a monitor needs a pair of tendons with opposite arms for each joint")
        self._s = s = settings
        self._n, self._m = n, m
        self._routing = routing if routing is not None and routing.varies else None
        self._scale: np.ndarray | None = None  # (m,): arms now over the table's, where they change
        self._arms = np.ascontiguousarray(group.moment_arms.T)
        self._to_angle = np.linalg.inv(P).T.copy()
        self._turned = s.angle_share * np.abs(self._to_angle) @ np.abs(P.T)
        self._crossed = bool((P * ~np.eye(n, dtype=bool)).any())
        self._way = s.length_share * np.abs(P.T)
        self._away = AWAY * np.abs(P.T)
        self._cross = s.length_share * np.abs(self._arms)
        self._follow = 1.0 - math.exp(-CONTROL_DT / s.lag)
        self._fastest = s.slew * CONTROL_DT
        self._damping = s.lag / CONTROL_DT
        self._behind = 2 + round(s.delay / CONTROL_DT)  # commands on their way to the drives
        self._least = 0.5 * group.pretension
        self._most = group.tension_max
        self.reset()

    def reset(self) -> None:
        """What is measured next is right."""
        n, m = self._n, self._m
        self.reel, self.wound, self.behind, self.more, self.less = np.zeros((5, m), bool)
        self._pairs = np.zeros(n, bool)
        self._some_behind = False
        self.encoder, self.always, self._jumped = np.zeros((3, n), bool)
        self.error = np.zeros(n)
        self._past: np.ndarray | None = None
        self._recent: deque[np.ndarray] = deque(maxlen=JAMMED)
        self._forget = CONTROL_DT / self._s.memory
        self._sent: deque[TendonCommand] = deque(maxlen=self._behind)
        self._tick = -2
        self._length = np.zeros(m)
        self._expected, self._allowed = np.zeros((2, m))

    @property
    def fresh(self) -> bool:
        """Whether nothing was measured yet."""
        return self._past is None

    def sent(self, command: TendonCommand) -> None:
        """What the group is told at this tick."""
        self._sent.append(command)

    def freeze(self) -> None:
        """The past stays as it is: an encoder has failed, and the angle is told by the change since."""
        self._forget = 0.0

    def was_wrong(self, joint: int) -> None:
        """The encoder of ``joint`` was wrong from the start: its past is that of its tendons."""
        assert self._past is not None
        pair = self._past[2 * joint : 2 * joint + 2]
        pair[:] = 0.5 * pair.sum()

    def lengths(self, tick: int, q: np.ndarray, length: np.ndarray, failed: np.ndarray) -> None:
        """Judge encoders ``q`` (n,) rad and reels ``length`` (m,) m; ``failed`` (m,) bool tell nothing."""
        m, s = self._m, self._s
        if self._routing is not None:
            length, self._scale = self._routing.straight(length)
        now = np.concatenate([self._arms @ q, q])
        now[:m] += length
        if self._past is None:
            self._past = now.copy()
        self._look_back(now)
        change = now - self._past
        plus, minus, dq = change[0:m:2], change[1:m:2], np.abs(change[m:])
        common, half = plus + minus, plus - minus
        common *= 0.5
        half *= 0.5
        allowed = self._way @ dq
        allowed += s.length
        allowed += SINGLE * np.abs(half)
        odd = np.abs(common) > allowed
        bad = failed
        if any_of(odd):
            odd &= ~(failed[0::2] | failed[1::2])
            same = common * half > 0.0
            self.reel[0::2], self.reel[1::2] = odd & same, odd & ~same
            bad = failed | self.reel
        elif any_of(self.reel):
            self.reel[:] = False
        if any_of(bad):
            half = _partners(plus, minus, bad)
        self.error = self._to_angle @ half
        np.greater(np.abs(self.error), self._turned @ dq + s.angle, out=self.encoder)
        if any_of(self.encoder):  # both tendons say so, or one that is well
            self.encoder &= (np.abs(common) <= SINGLE * np.abs(half)) | bad[0::2] | bad[1::2]
        self.encoder |= self._jumped
        if tick % LOOK == 0:
            half = _partners(now[0:m:2], now[1:m:2], bad)
            off = np.abs(self._to_angle @ half) > s.absolute + self._turned @ np.abs(q)
            self.always = off & ~self.encoder
        if self._forget:
            change *= self._forget
            self._past += change

    def _look_back(self, now: np.ndarray) -> None:
        """``wound``, ``behind`` and jumps from the last ticks."""
        recent, m, few = self._recent, self._m, self._s.length
        if len(recent) == JAMMED:
            step = now - recent[-WOUND]
            allowed = self._cross @ np.abs(step[m:])
            allowed += 1.5 * few  # here the encoders' noise does not cancel
            np.less(step[:m], -allowed, out=self.wound)
            step = now - recent[0]
            common = step[0:m:2] + step[1:m:2]
            common *= 0.5
            allowed = self._away @ np.abs(step[m:])
            allowed += few
            np.greater(np.abs(common), allowed, out=self._pairs)
            if any_of(self._pairs):
                same = common * (step[0:m:2] - step[1:m:2]) > 0.0
                self.behind[0::2], self.behind[1::2] = self._pairs & same, self._pairs & ~same
                self._some_behind = True
            elif self._some_behind:
                self.behind[:] = self._some_behind = False
            if self._crossed:
                step = now - recent[-JUMPED]
                half, common = 0.5 * (step[0:m:2] - step[1:m:2]), 0.5 * (step[0:m:2] + step[1:m:2])
                off = np.abs(self._to_angle @ half) > self._turned @ np.abs(step[m:]) + self._s.angle
                if any_of(np.abs(common) > SINGLE * np.abs(half) + 1.5 * few):
                    off[:] = False  # a reel that runs on its own makes crossed joints look wrong
                self._jumped = off
        recent.append(now)

    def speeds(self, velocity: np.ndarray, failed: np.ndarray) -> np.ndarray:
        """Joint speeds (n,) rad/s from tendon ``velocity`` (m,) m/s."""
        if self._scale is not None:
            velocity = velocity / self._scale
        return -self._to_angle @ _partners(velocity[0::2], velocity[1::2], failed | self.reel)

    def tensions(self, tick: int, mode: DriveMode, length: np.ndarray, tension: np.ndarray) -> None:
        """Judge measured ``tension`` (m,) N, drives in ``mode``."""
        command = self._sent[0] if len(self._sent) == self._behind else None
        follows = mode == DriveMode.TENSION and command is not None and command.mode == DriveMode.TENSION
        if follows and tick == self._tick + 1:
            assert command is not None
            way = length - self._length
            way *= self._s.stiffness
            ahead = command.tension - self._expected
            change = self._follow * ahead
            np.minimum(np.maximum(change, -self._fastest, out=change), self._fastest, out=change)
            self._expected += change
            self._expected += way
            np.minimum(np.maximum(self._expected, 0.0, out=self._expected), self._most, out=self._expected)
            np.abs(ahead, out=ahead)
            np.abs(way, out=way)
            way *= self._damping
            ahead += way
            self._allowed *= UNDER_WAY
            np.maximum(self._allowed, ahead, out=self._allowed)
            allowed = 0.1 * self._expected
            allowed += self._least
            allowed += self._allowed
            off = tension - self._expected
            np.greater(off, allowed, out=self.more)
            np.less(off, -allowed, out=self.less)
        else:  # nothing is known of how a tension came about
            self._expected = tension.copy()
            self._allowed[:] = 0.0
            self.more[:] = self.less[:] = False
        self._tick, self._length = tick, length


def _partners(plus: np.ndarray, minus: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Half the difference (n,) of pairs; where one is ``bad`` (m,) the other tells it, of both nothing."""
    p, m = bad[0::2], bad[1::2]
    half = 0.5 * (plus - minus)
    half = np.where(p, -minus, np.where(m, plus, half))
    half[p & m] = 0.0
    return half
