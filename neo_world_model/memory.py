"""Where things are, over many looks: what is hidden, or out of the picture, is still there.

    things = Things(runtime, ["red bottle", "blue cup"])
    off = things.look(row, T_odom_base)        # once a step; how far each is from where it was left

A memory is a place in odom, for robots walk and lean, and how sure it is: each look counts as much as it is
sure (Kalman filter; things may drift). A thing that should be in the picture and is not where it was left is
news.

How likely it is that a thing is **still there** is read off the memory alone: nobody measured how often
people take things away. It is the chance of a Gaussian as wide as the memory, wider by the drift of every
step since the last look, within :data:`NEAR` of its middle:

    P(|x| < r) = erf(r / √2 s) - √(2/π) (r / s) exp(-r² / 2 s²)     s: standard deviation of each coordinate

Each look in a row that saw it elsewhere takes a share of it, :data:`OFTEN` all, as far as it was not hidden.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neo_world_model.modalities import pose_of, unstack, view
from neo_world_model.runtime import Runtime
from neo_world_model.text import encode

DRIFT = 0.004  # m a step
BLUR = 0.005  # m: no look is surer than this
FAR = 3.0  # standard deviations: a look that is farther off and keeps being so is believed
OFTEN = 3
NEAR = 0.05  # m: what is so near to where it is believed to be is there; a hand that closes there has it
MARGIN = 0.9  # of half the picture: what is nearer to its border may be cut


@dataclass
class Memory:
    """Of one place in odom: ``mean`` (3,) m, ``variance`` m²; ``off``: looks in a row that were elsewhere."""

    mean: np.ndarray
    variance: float
    off: int = 0

    def look(self, place: np.ndarray, spread: float, steps: int = 1) -> None:
        """Take in where it seems to be (3,) m, give or take ``spread`` m, ``steps`` after the look before."""
        self.wait(steps)
        variance = spread**2 + BLUR**2
        away = float(np.square(place - self.mean).mean())
        self.off = self.off + 1 if away > FAR**2 * (self.variance + variance) else 0
        if self.off >= OFTEN:
            self.mean, self.variance, self.off = place.copy(), variance, 0
        elif not self.off:
            gain = self.variance / (self.variance + variance)
            self.mean = self.mean + gain * (place - self.mean)
            self.variance *= 1.0 - gain

    def wait(self, steps: int) -> None:
        """Nobody looks for so many steps."""
        self.variance += steps * DRIFT**2

    def std(self, steps: int = 0) -> float:
        """m, of each coordinate, ``steps`` after the last look."""
        return math.sqrt(self.variance + steps * DRIFT**2)

    def still_there(self, hidden: float, steps: int = 0) -> float:
        """Chance that it is within :data:`NEAR` of ``mean``; ``hidden``: chance that something hides it."""
        r = NEAR / self.std(steps)
        within = math.erf(r / math.sqrt(2)) - math.sqrt(2 / math.pi) * r * math.exp(-0.5 * r * r)
        return within * (1.0 - (1.0 - hidden) * self.off / OFTEN)


class Things:
    """The things of ``names``, as in a prompt: colour and class."""

    def __init__(self, runtime: Runtime, names: Sequence[str]):
        self._runtime = runtime
        self._text = encode([f"look at the {name}" for name in names])
        self._memory: list[Memory | None] = [None] * len(names)

    def look(self, row: dict[str, np.ndarray], T_odom_base: np.ndarray) -> np.ndarray:
        """(n,) m: how far from where it was left each thing is seen; NaN where that is not in the picture, or
        nothing was left. ``row``: a step's senses; what is out of the picture stays as it was remembered.
        """
        n = len(self._text)
        vision, proprio = (np.repeat(row[name][None], n, axis=0) for name in ("vision", "proprio"))
        places, spreads, _ = self._runtime.where(vision, proprio, self._text)
        eye = T_odom_base @ pose_of(unstack("proprio", row["proprio"])["eye"])
        off = np.full(n, np.nan)
        for i, (place, spread) in enumerate(zip(places[:, 0], spreads[:, 0], strict=True)):
            at, wide = (
                T_odom_base[:3, :3] @ place + T_odom_base[:3, 3],
                float(np.sqrt(np.square(spread).mean())),
            )
            memory = self._memory[i]
            if memory is None:
                if in_picture(eye, at):
                    self._memory[i] = Memory(at, wide**2 + BLUR**2)
            elif in_picture(eye, memory.mean):
                off[i] = float(np.linalg.norm(at - memory.mean))
                memory.look(at, wide)
        return off


def in_picture(T_odom_eye: np.ndarray, place: np.ndarray) -> bool:
    """Whether ``place`` (3,) m in odom is well inside an eye's picture."""
    x, y, z = T_odom_eye[:3, :3].T @ (place - T_odom_eye[:3, 3])
    wide, high = view()
    return bool(z > 0.0 and abs(x) < MARGIN * wide * z and abs(y) < MARGIN * high * z)
