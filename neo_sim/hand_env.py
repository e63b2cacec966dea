"""HandEnv: a rig with a controller on every hand, in one process without ROS; :mod:`neo_sim.env` for hands.

env = HandEnv(HandRig("r", thing, Placing(), seed=3))
env.command(HandCommand(HandAction.PRESHAPE, grasp="medium_wrap"))
env.run(0.8, lambda u, t: away)             # carriage at ``away``: function of the share passed and the time
env.phase() -> GraspPhase
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from neo_description.errors import NeoError
from neo_description.signals import GraspPhase, HandCommand
from neo_description.tables import CONTROL_RATE
from neo_hand_control.controller import HandController
from neo_sim.hand_rig import HandRig

Target = np.ndarray | dict[str, np.ndarray]
SMOOTH = 10  # ticks over which a pad force is averaged before its peak counts: contacts chatter


class HandEnv:
    """``rig`` and ``hands[side]``. ``privileged_force[side]``: true sum of normal forces (N) at every tick;
    ``cpu``: s that a controller took, every tick and hand; ``watch`` is called after every tick.
    """

    def __init__(self, rig: HandRig, hands: dict[str, HandController] | None = None):
        self.rig = rig
        self.hands = hands or {side: HandController(side) for side in rig.sides}
        self.privileged_force: dict[str, list[float]] = {side: [] for side in rig.sides}
        self.cpu: list[float] = []
        self.watch: Callable[[], None] = lambda: None
        self.answer()

    def _side(self, side: str) -> str:
        return side or self.rig.sides[0]

    def command(self, command: HandCommand, side: str = "") -> None:
        """Give a hand a command; NeoError when it refuses."""
        refused = self.hands[self._side(side)].command(command)
        if refused is not None:
            raise NeoError(f"{self._side(side)} hand: {refused}")

    def phase(self, side: str = "") -> GraspPhase:
        """Where a hand's grasp stands."""
        return self.hands[self._side(side)].status.phase

    def answer(self) -> None:
        """The controllers answer the present tick."""
        for side, hand in self.hands.items():
            state = self.rig.state(side)
            begun = time.process_time()
            answer = hand.update(state)
            self.cpu.append(time.process_time() - begun)
            refused = self.rig.command(answer, side)
            if refused is not None:
                raise NeoError(f"the drives of the {side} hand refused: {refused}")

    def step(self, target: Target | None = None) -> None:
        """One control tick; ``target``: of the carriage (6,), or of each side's."""
        if isinstance(target, dict):
            for side, one in target.items():
                self.rig.carry(one, side=side)
        elif target is not None:
            self.rig.carry(target)
        self.rig.step()
        self.answer()
        for side in self.rig.sides:
            self.privileged_force[side].append(float(self.rig.privileged_pad_forces(side)[:, 0].sum()))
        self.watch()

    def run(
        self,
        seconds: float,
        target: Callable[[float, float], Target] | None = None,
        until: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Step for ``seconds`` or until ``until()``, which is then returned True.

        ``target``: function of the share of ``seconds`` passed and the time since (s).
        """
        ticks = round(seconds * CONTROL_RATE)
        for i in range(ticks):
            self.step(None if target is None else target((i + 1) / ticks, (i + 1) / CONTROL_RATE))
            if until():
                return True
        return False

    def privileged_smooth_force(self, since: int = 0, side: str = "") -> np.ndarray:
        """``privileged_force`` from tick index ``since`` on, averaged over ``SMOOTH`` ticks."""
        return smooth_force(self.privileged_force[self._side(side)][since:])


def smooth_force(force: Sequence[float]) -> np.ndarray:
    """``force`` averaged over ``SMOOTH`` ticks."""
    if len(force) < SMOOTH:
        return np.asarray(force)
    return np.convolve(force, np.full(SMOOTH, 1.0 / SMOOTH), mode="valid")
