"""Does what a prompt says: a step's senses in, the plan for the next steps out.

    actor = Actor(Runtime("models/neo"), "pick up the red bottle", context=4)
    actor.sense(row, T_odom_base)               # once a step
    plan = actor.plan() if actor.ready else None
    actor.passed(action)                        # what was asked for while the step passed

Where the target and the place are is looked for in every picture and remembered in odom, so that a thing
behind the hand is not forgotten: each look counts as much as it is sure (Kalman filter, things may drift).
Somebody with better eyes may tell instead, and is believed for a while after. The policy's gaze is some
centimetres off; where it is meant for one of the two, that is looked at.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from neo_description.errors import RefusedError
from neo_world_model.memory import BLUR, NEAR, Memory, in_picture
from neo_world_model.modalities import features, part, pose_of, unstack
from neo_world_model.plan import Known, Plan, Search, plan
from neo_world_model.runtime import Runtime
from neo_world_model.text import LENGTH, encode

DEFAULT = Search()
NAMED = 0.5
TOLD = 0.01  # m: how sure it is where somebody tells that a thing is
FAITH = 50  # steps for which what was told outlives every look: what hides a thing from better eyes hides it
MEANT = 0.12  # m: a gaze so near to a thing is meant for it
NOBODY = (None, None)


class Actor:
    """One prompt at a time, with the model in ``runtime``. ``seed``: of the search.

    Of the target and the place: ``memory``, None where they were never seen; whether they are ``known``;
    ``spread`` m of the last look at them.
    """

    def __init__(
        self, runtime: Runtime, prompt: str, context: int, source: str = "sim",
        search: Search = DEFAULT, seed: int = 0, clock: Callable[[], float] = time.monotonic,
    ):  # fmt: skip
        said = prompt.strip()
        if not said or len(said.encode()) > LENGTH:
            raise RefusedError(f"a prompt of {len(said.encode())} bytes; 1 to {LENGTH} are read")
        self._runtime, self._source, self._search, self._clock = runtime, source, search, clock
        self._text = encode([said])[0]
        self._rng = np.random.default_rng(seed)
        self._states = deque[np.ndarray](maxlen=context)
        self._led = deque[np.ndarray](maxlen=context - 1)
        self._T_odom_base, self._proprio = np.eye(4), np.zeros(0)
        self.memory: list[Memory | None] = [None, None]
        self.known = np.zeros(2, bool)
        self.spread = np.full(2, np.inf)
        self._untold = np.full(2, FAITH)  # steps since somebody told where it is
        self.begin()

    def begin(self) -> None:
        """The task begins now: what comes of its things counts from where they are."""
        self._begun = np.full((2, 3), np.nan)  # m in base_link as it was then

    def sense(
        self, row: dict[str, np.ndarray], T_odom_base: np.ndarray,
        told: Sequence[np.ndarray | None] = NOBODY, held: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """Take in one step's senses; ``T_odom_base`` (4, 4) as estimated then; ``told``: see :meth:`look`.

        ``held`` (3,) m in odom: where the target is in a hand, which is surer than any look.
        """
        self._states.append(self._runtime.state(row, self._source))
        self._T_odom_base, self._proprio = T_odom_base, row["proprio"]
        self.look(row, T_odom_base, told=told)
        if held is not None:
            self.memory[0], self.known[0] = Memory(held.copy(), TOLD**2), True

    def stand(self, past: np.ndarray, led: np.ndarray, proprio: np.ndarray, T_odom_base: np.ndarray) -> None:
        """Be where another has sensed the way to: ``past`` (context, state) states, ``led`` (context - 1, n)
        actions between them; ``proprio`` and ``T_odom_base`` (4, 4) now.
        """
        self._states.extend(past)
        self._led.extend(led)
        self._T_odom_base, self._proprio = T_odom_base, proprio

    @property
    def ready(self) -> bool:
        """Whether there is enough of a past to plan from."""
        return len(self._states) == self._states.maxlen and len(self._led) == self._led.maxlen

    def plan(self) -> Plan:
        """What to do from now on."""
        T_base_odom = np.linalg.inv(self._T_odom_base)
        places = np.zeros((2, 3))
        for place, memory in zip(places, self.memory, strict=True):
            if memory is not None:
                place[:] = T_base_odom[:3, :3] @ memory.mean + T_base_odom[:3, 3]
        remembered = np.array([memory is not None for memory in self.memory])
        new = remembered & np.isnan(self._begun[:, 0])
        self._begun[new] = places[new]
        begun = np.where(np.isnan(self._begun), places, self._begun)
        past, led = np.stack(self._states), np.stack(self._led)
        given = Known(past, led, self._text, places, self.known, self._proprio, begun)
        out = plan(self._runtime, given, self._search, self._rng, self._clock)
        look_at(out.action, places[remembered])
        return out

    def passed(self, action: np.ndarray) -> None:
        """The action (n,) of the step that is over."""
        self._led.append(action)

    def forget(self) -> None:
        """What was before does not lead here; where things are is kept."""
        self._states.clear()
        self._led.clear()

    def places(self) -> np.ndarray:
        """(2, 3) m in odom: where the target and the place are believed to be; NaN where that is unknown."""
        return np.array([np.full(3, np.nan) if m is None else m.mean for m in self.memory])

    def look(
        self, row: dict[str, np.ndarray], T_odom_base: np.ndarray, steps: int = 1,
        told: Sequence[np.ndarray | None] = NOBODY,
    ) -> None:  # fmt: skip
        """Look for the things in one step's picture, if there is one, ``steps`` after the look before.

        ``told``: where the target and the place are, each (3,) m in odom, by better eyes; None: not known.
        An unsure look at a picture that does not reach to where a thing was left says nothing of it.
        """
        self._untold += steps
        if "vision" in row and self._runtime.sees:
            places, spread, named = (
                x[0] for x in self._runtime.where(row["vision"][None], row["proprio"][None], self._text[None])
            )
            eye = T_odom_base @ pose_of(unstack("proprio", row["proprio"])["eye"])
            believed = self._untold < FAITH
            self.known = (named > NAMED) | believed
            for i in np.flatnonzero(self.known & ~believed).tolist():
                if told[i] is None:
                    at = T_odom_base[:3, :3] @ places[i] + T_odom_base[:3, 3]
                    self._remember(i, at, float(np.sqrt(np.square(spread[i]).mean())), steps, eye)
        for i, (better, memory) in enumerate(zip(told, self.memory, strict=True)):
            if better is not None:
                self.known[i], self._untold[i] = True, 0
                self._remember(i, better, TOLD, steps)
            elif memory is not None and self._untold[i] < FAITH:
                memory.wait(steps)

    def _remember(
        self, i: int, at: np.ndarray, wide: float, steps: int, eye: np.ndarray | None = None
    ) -> None:
        self.spread[i], memory = wide, self.memory[i]
        if memory is None:
            self.memory[i] = Memory(at, wide**2 + BLUR**2)
        elif eye is not None and wide > NEAR and not in_picture(eye, memory.mean):
            memory.wait(steps)
        else:
            memory.look(at, wide, steps)


def look_at(action: np.ndarray, things: np.ndarray) -> None:
    """Turn the gaze of ``action`` (h, n) to the nearest of ``things`` (k, 3) m in base_link, where it is
    meant for it."""
    if not len(things):
        return
    at, scale = part("action", "gaze"), features("action")["gaze"][1]
    away = np.linalg.norm(action[:, None, at] * scale - things, axis=-1)
    nearest = away.argmin(axis=1)
    meant = away.min(axis=1) < MEANT
    action[meant, at] = things[nearest[meant]] / scale
