"""Two hands without a person's: moved by sticks, keys and dragged handles, for devices that see no hand.

Place and turn are in the operator's frame: x forward, y left, z up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial.transform import Rotation

from neo_description.tables import SIDES
from neo_teleop.frames import HandFrame, OperatorFrame

LONGEST = 0.1  # s between two steps over which a stick counts
TABLE = -0.5  # rad: where the eyes look before they are moved
PAN, TILT = 1.4, 0.9  # rad, furthest
By = dict[str, np.ndarray]


@dataclass
class Held:
    """What is held down now, by any device; sides that are missing ask for nothing.

    ``move`` (3,) m/s, ``turn`` (3,) rad/s about the axes; ``by`` (3,) m and ``turned`` (3,) rad since the
    device began, as dragged handles say it; ``trigger`` 0..1 where it stands, ``squeeze`` its change a
    second; ``eyes`` (2,) rad/s to the left and up, ``gaze`` (2,) rad where they look; ``walk``, ``grasp``,
    ``width``, ``give`` as in frames; ``stop``: the stop button.
    """

    clutch: frozenset[str] = frozenset()
    move: By = field(default_factory=dict)
    turn: By = field(default_factory=dict)
    by: By = field(default_factory=dict)
    turned: By = field(default_factory=dict)
    trigger: dict[str, float] = field(default_factory=dict)
    squeeze: dict[str, float] = field(default_factory=dict)
    eyes: np.ndarray | None = None
    gaze: np.ndarray | None = None
    walk: np.ndarray | None = None
    grasp: dict[str, str] = field(default_factory=dict)
    width: dict[str, float] = field(default_factory=dict)
    give: frozenset[str] = frozenset()
    stop: bool = False


def together(*helds: Held) -> Held:
    """All that several devices hold; of what only one can say, the last counts."""
    out = Held()
    for held in helds:
        out.clutch, out.give = out.clutch | held.clutch, out.give | held.give
        out.stop = out.stop or held.stop
        for name in ("move", "turn", "by", "turned", "trigger", "squeeze", "grasp", "width"):
            getattr(out, name).update(getattr(held, name))
        for name in ("eyes", "gaze", "walk"):
            value = getattr(held, name)
            if value is not None:
                setattr(out, name, value)
    return out


class Puppet:
    """Both hands and the eyes; :meth:`step` gives the frame at ``time`` s of the device's clock.

    What is held moves them by plant time, where that is known: a simulation may be slower than the clock.
    """

    def __init__(self) -> None:
        self._hands = {side: HandFrame(_beside(side)) for side in SIDES}
        self._by: dict[str, dict[str, np.ndarray]] = {"by": {}, "turned": {}}
        self._eyes: np.ndarray | None = None
        self._time: float | None = None

    def step(self, time: float, held: Held, now: float | None = None) -> OperatorFrame:
        """Where hands and eyes are at plant time ``now`` (s), now that ``held`` is held down."""
        now = time if now is None else now
        dt = 0.0 if self._time is None else min(max(now - self._time, 0.0), LONGEST)
        self._time = now
        for side in SIDES:
            self._hands[side] = self._moved(side, held, dt)
        if held.gaze is not None:
            self._eyes = held.gaze
        elif held.eyes is not None and held.eyes.any():
            eyes = np.array([0.0, TABLE]) if self._eyes is None else self._eyes
            self._eyes = np.clip(eyes + dt * held.eyes, (-PAN, -TILT), (PAN, TILT))
        return OperatorFrame(time, dict(self._hands), 0.0, self._look(), held.walk)

    def _moved(self, side: str, held: Held, dt: float) -> HandFrame:
        hand = self._hands[side]
        T = hand.T_user_hand.copy()
        T[:3, 3] += dt * held.move.get(side, np.zeros(3)) + self._since("by", side, held.by)
        turn = dt * held.turn.get(side, np.zeros(3)) + self._since("turned", side, held.turned)
        T[:3, :3] = Rotation.from_rotvec(turn).as_matrix() @ T[:3, :3]
        trigger = held.trigger.get(side, hand.trigger) + dt * held.squeeze.get(side, 0.0)
        return replace(
            hand, T_user_hand=T, clutch=side in held.clutch, trigger=min(max(trigger, 0.0), 1.0),
            grasp=held.grasp.get(side, hand.grasp), width=held.width.get(side, hand.width),
            give=side in held.give,
        )  # fmt: skip

    def _since(self, name: str, side: str, now: By) -> np.ndarray:
        if side not in now:
            return np.zeros(3)
        before = self._by[name].get(side, now[side])
        self._by[name][side] = now[side]
        return now[side] - before

    def _look(self) -> np.ndarray | None:
        if self._eyes is None:
            return None
        pan, tilt = self._eyes
        flat = math.cos(tilt)
        return np.array([flat * math.cos(pan), flat * math.sin(pan), math.sin(tilt)])


def _beside(side: str) -> np.ndarray:
    T = np.eye(4)
    T[:3, 3] = 0.3, 0.2 if side == "l" else -0.2, 1.0
    return T
