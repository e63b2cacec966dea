"""The pads of a hand as they really are: late, drifting, wrongly scaled, with a memory, and mortal.

From the true force ``f`` (N, each of a pad's three axes) to the reading, in this order:

    p <- clip(p, f - k |f|, f + k |f|)       hysteresis: play whose gap grows with the force
    y  = f + w (p - f)                       k = hysteresis / w, so |y - f| <= hysteresis |f|
    y  = gain * y(t - delay) + zero(t) + noise, rounded

A play operator (Krasnosel'skii and Pokrovskii, Systems with Hysteresis, 1989) remembers where the load came
from: under growing load the reading stays behind by ``hysteresis``, under falling load it is too large by as
much, and small changes are read with the slope ``1 - w`` only. A gap in proportion to the force closes the
loop at zero, as elastomer pads do within seconds.

A dead pad reads zero and its validity is down. A stuck pad is worse: its validity stays up, and it shows a
force that is not there, frozen or wandering. A mute pad feels nothing, and claims to be well.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from neo_description.errors import NeoError
from neo_description.masks import any_of
from neo_description.tables import CONTROL_DT, CONTROL_RATE, TAXELS, prefixed

BLOCK = 64  # ticks of noise drawn at once
MEMORY = 0.3  # w: share of the reading that remembers
STUCK_AT = ((0.2, 3.0), (-0.6, 0.6))  # N: normal force and shear that a stuck pad shows
WANDER = 0.3  # N: random walk in one second of a stuck pad that floats
FLOATING = 0.5  # share of stuck pads that float
DRAWS = 8  # numbers that each pad draws at the start, whatever its settings


@dataclass(frozen=True)
class PadSettings:
    """Numbers of all pads (N, s): the rows ``taxel_*`` of ``parameters.yaml``. ``dead``, ``stuck``: names."""

    noise: float = 0.0
    bias: float = 0.0
    drift: float = 0.0
    resolution: float = 0.0
    delay: float = 0.0
    delay_max: float = 0.0
    gain_error: float = 0.0
    hysteresis: float = 0.0
    lifetime: float = 0.0
    dead: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()

    @classmethod
    def of(cls, params: SimpleNamespace) -> PadSettings:
        """Settings out of the room's parameters; NeoError when a broken pad is no pad of the robot."""
        numbers = {name: getattr(params, f"taxel_{name}") for name in _NUMBERS}
        return cls(**numbers, dead=known_pads(params.dead_taxels), stuck=known_pads(params.stuck_taxels))


_NUMBERS = tuple(name for name in PadSettings.__dataclass_fields__ if name not in ("dead", "stuck"))


class Pads:
    """The 19 pads of hand ``side``; every start draws from ``rng``.

    ``valid`` (19,) bool, read-only: the hardware's own flags. ``privileged_gain`` (19,): the scale errors.
    """

    def __init__(self, side: str, rng: np.random.Generator, settings: PadSettings):
        self._side, self._rng, self._settings = side, rng, settings
        s, n = settings, len(TAXELS)
        self._names = prefixed(side, TAXELS)
        normal, uniform = rng.standard_normal((4, n)), rng.random((DRAWS, n))
        self._zero = normal[:3].T.ravel() * s.bias
        self.privileged_gain = 1.0 + normal[3] * s.gain_error
        self._gain = np.repeat(self.privileged_gain, 3)
        self._delay = (s.delay + uniform[0, 0] * max(s.delay_max - s.delay, 0.0)) * CONTROL_RATE
        self._share = self._delay - math.floor(self._delay)  # of the older of two samples
        self._past: deque[np.ndarray] = deque(maxlen=math.floor(self._delay) + 2)
        self._gap = s.hysteresis / MEMORY
        self._play = np.zeros(3 * n)
        self._dies = -np.log1p(-uniform[1]) * s.lifetime * CONTROL_RATE if s.lifetime > 0.0 else None
        self._lowest, self._highest = np.repeat(np.array(STUCK_AT), [1, 2], axis=0).T
        self._stuck_at = self._lowest + uniform[2:5].T * (self._highest - self._lowest)
        self._wander = np.where(uniform[5] < FLOATING, WANDER * math.sqrt(CONTROL_DT), 0.0)
        self._stuck = np.array([name in s.stuck for name in self._names])
        self._mute = np.zeros(n, bool)
        self._set_valid(np.array([name not in s.dead for name in self._names]))
        self._errors: np.ndarray = np.zeros((0, 3 * n))
        self._tick = 0

    @property
    def delay(self) -> float:
        """Age of the readings (s), drawn at the start."""
        return self._delay / CONTROL_RATE

    def kill(self, pads: Iterable[str]) -> None:
        """From now on ``pads`` (``index_distal`` or ``l_index_distal``) report nothing, and say so."""
        valid = self.valid.copy()
        valid[self._places(pads)] = False
        self._set_valid(valid)

    def stick(self, pads: Iterable[str]) -> None:
        """From now on ``pads`` show a force of their own, and claim to be well."""
        self._stuck[self._places(pads)] = True
        self._broken = bool(self._stuck.any()) or not self.valid.all()

    def mute(self, pads: Iterable[str]) -> None:
        """From now on ``pads`` show nothing, and claim to be well."""
        self._mute[self._places(pads)] = self._broken = True

    def __call__(self, truth: np.ndarray) -> np.ndarray:
        """Measured forces (19, 3) N of true forces (19, 3) N in the pads' frames, at the next tick."""
        force = self._late(truth.ravel()) * self._gain
        at = self._tick % BLOCK
        if at == 0:
            self._draw()
        force += self._errors[at]
        self._tick += 1
        if self._settings.resolution > 0.0:
            force /= self._settings.resolution
            np.rint(force, out=force)
            force *= self._settings.resolution
        force = force.reshape(-1, 3)
        if self._dies is not None and self._tick > self._dies.min():
            self._bury()
        if self._broken:
            self._wander_on(at)
            force[self._stuck] = self._stuck_at[self._stuck]
            force[~self.valid | self._mute] = 0.0
        np.maximum(force[:, 0], 0.0, out=force[:, 0])
        return force

    def _late(self, f: np.ndarray) -> np.ndarray:
        """``f`` (57,) with memory and delay."""
        if not any_of(f):  # play closes where there is no force
            self._play = sample = np.zeros_like(f)
        elif self._gap > 0.0:
            gap = np.abs(f)
            gap *= self._gap
            play = np.minimum(np.maximum(self._play, f - gap), f + gap)
            self._play = play
            sample = f + MEMORY * (play - f)
        else:
            sample = f.copy()
        past = self._past
        past.append(sample)
        newer = past[1] if len(past) == past.maxlen else past[0]
        return newer + self._share * (past[0] - newer)

    def _draw(self) -> None:
        """Zero and noise of the next ``BLOCK`` ticks."""
        s = self._settings
        walk, noise = self._rng.standard_normal((2, BLOCK, len(self._zero)))
        np.cumsum(walk, axis=0, out=walk)
        walk *= s.drift * math.sqrt(CONTROL_DT)
        walk += self._zero
        self._zero = walk[-1].copy()
        self._steps = noise
        self._errors = walk + s.noise * noise

    def _bury(self) -> None:
        assert self._dies is not None
        dead = self._tick > self._dies
        self._dies[dead] = np.inf
        self._set_valid(self.valid & ~dead)

    def _wander_on(self, at: int) -> None:
        """Floating pads walk by the noise that they do not show otherwise."""
        step = self._wander[:, None] * self._steps[at].reshape(-1, 3)
        np.clip(self._stuck_at + step, self._lowest, self._highest, out=self._stuck_at)

    def _set_valid(self, valid: np.ndarray) -> None:
        """A new array each time: states that were given out keep theirs."""
        valid.setflags(write=False)
        self.valid = valid
        self._broken = bool(self._stuck.any() or self._mute.any()) or not valid.all()

    def _places(self, pads: Iterable[str]) -> list[int]:
        names = [name if name in self._names else f"{self._side}_{name}" for name in pads]
        unknown = sorted(set(names) - set(self._names))
        if unknown:
            raise NeoError(f"no pad {', '.join(unknown)}; one of {', '.join(self._names)}")
        return [self._names.index(name) for name in names]


def known_pads(names: Sequence[str]) -> tuple[str, ...]:
    """``names`` as a tuple; NeoError when one is no pad of the robot."""
    known = {name for side in ("l", "r") for name in prefixed(side, TAXELS)}
    unknown = sorted(set(names) - known)
    if unknown:
        raise NeoError(f"no pad {', '.join(unknown)}; one of {', '.join(sorted(known))}")
    return tuple(names)
