"""Where things are, over many looks: what is hidden, or out of the picture, is still there.

    things = Things(runtime, ["red bottle", "blue cup"])
    off = things.look(row, T_odom_base)        # once a step; how far each is from where it was left

A memory is a place in odom, for robots walk and lean, and how sure it is: each look counts as much as it is
sure (Kalman filter; things may drift). A thing that should be in the picture and is not where it was left is
news.
"""

from __future__ import annotations

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
MARGIN = 0.9  # of half the picture: what is nearer to its border may be cut


@dataclass
class Memory:
    """Of one place in odom: ``mean`` (3,) m, ``variance`` m²; ``off``: looks in a row that were elsewhere."""

    mean: np.ndarray
    variance: float
    off: int = 0

    def look(self, place: np.ndarray, spread: float) -> None:
        """Take in where it seems to be (3,) m, give or take ``spread`` m."""
        self.variance += DRIFT**2
        variance = spread**2 + BLUR**2
        away = float(np.square(place - self.mean).mean())
        self.off = self.off + 1 if away > FAR**2 * (self.variance + variance) else 0
        if self.off >= OFTEN:
            self.mean, self.variance, self.off = place.copy(), variance, 0
        elif not self.off:
            gain = self.variance / (self.variance + variance)
            self.mean = self.mean + gain * (place - self.mean)
            self.variance *= 1.0 - gain


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
