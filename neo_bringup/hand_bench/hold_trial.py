"""One trial: take a thing off the table, lift it, hold it, shake it; what came of it (privileged scores).

The arm knows where the thing nominally is; it stands up to ``SCATTER`` beside, turned by up to the take's
``yaw``: anyhow, but for boxes, whose sides the hand is laid along as eyes see them. The hand knows the grasp,
the width and what the thing bears, as eyes would tell, and nothing of place, mass or friction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from neo_bringup.hand_bench.takes import Take, take_of
from neo_description import parameters
from neo_description.objects import Thing
from neo_description.signals import GraspPhase, HandAction, HandCommand
from neo_description.tables import CONTROL_DT
from neo_hand_control.controller import PARAMETERS, HandController
from neo_hand_control.grasps import grasps
from neo_sim.hand_env import HandEnv
from neo_sim.hand_rig import HandRig, Placing, turned
from neo_sim.privileged_slip import PrivilegedSlip

BEFORE, LIFT = 0.12, 0.10  # m: way in, way up
LIFT_TIME = 1.5  # s: as one lifts what one does not know
SCATTER = 0.01  # m: the thing stands within ± this
HELD_SLIP = 0.006  # m that a thing may slip under the smallest grip that is said to hold it
LOST_WAY = 0.05  # m that a thing may have moved in the hand and still count as held


@dataclass(frozen=True)
class Outcome:
    """What came of a trial; privileged, all of it.

    ``held``: still in the hand at the end. Slips (m): net way of the surface over the pads, the largest while
    lifting and holding, and while shaking. Forces (N): sums of all pads' normal forces, averaged over 20 ms:
    the highest from the lift on, the mean while held still. ``cpu`` s a tick, median.
    """

    held: bool
    why: str
    slip: float
    slip_shake: float
    peak: float
    mean: float
    friction: float
    cpu: float


class HoldTrial:
    """``thing`` before hand ``side``; ``hand_params``: of the hand's controller; ``fixed`` N: no touch."""

    def __init__(
        self,
        thing: Thing,
        seed: int,
        side: str = "r",
        *,
        take: Take | None = None,
        hand: Mapping[str, object] | None = None,
        plant: SimpleNamespace | None = None,
        fixed: float = 0.0,
    ):
        rng = np.random.default_rng(seed)
        self.thing, self.side, self.fixed = thing, side, fixed
        self.take = take or take_of(thing)
        x, y = rng.uniform(-SCATTER, SCATTER, 2)
        yaw = float(rng.uniform(-self.take.yaw, self.take.yaw)) + self.take.across * np.pi / 2
        placing = Placing((float(x), float(y)), yaw, self.take.height, self.take.table)
        rig = HandRig(side, thing, placing, seed, plant)
        params = parameters.load(PARAMETERS, side=side, **(hand or {}))
        self.env = HandEnv(rig, {side: HandController(side, params)})
        self._slip = PrivilegedSlip(rig.model, side, thing.name)
        self._slid = np.zeros(3)
        self.largest_slip = 0.0

    def at(self, back: float, up: float = 0.0) -> np.ndarray:
        """Carriage ``back`` m before the grasp on the way in, ``up`` m above it."""
        way = self.take.way_in if self.side == "r" else self.take.way_in * [1.0, -1.0, 1.0]
        turn = self.take.turn if self.side == "r" else self.take.turn * [-1.0, 1.0, -1.0]
        return turned(self.side, np.array([0.0, 0.0, up]) - back * way, turn)

    def close(self) -> bool:
        """Pre-shape, go there, close; whether the hand says that it holds."""
        env, width = self.env, self.take.width(self.thing)
        env.rig.carry(self.at(BEFORE), at_once=True)
        env.command(HandCommand(HandAction.PRESHAPE, grasp=self.take.grasp, width=width))
        env.run(0.8, lambda u, t: self.at(BEFORE))
        env.run(1.2, lambda u, t: self.at(BEFORE * (1.0 - u)))
        env.run(0.2, lambda u, t: self.at(0.0))
        env.command(
            HandCommand(
                HandAction.CLOSE,
                grasp=self.take.grasp,
                width=width,
                grip_force=self.fixed,
                grip_limit=self.thing.grip_limit,
            )
        )
        ended = (GraspPhase.HOLDING, GraspPhase.LOST)
        env.run(4.0, lambda u, t: self.at(0.0), lambda: env.phase() in ended)
        env.run(0.2, lambda u, t: self.at(0.0))
        return env.phase() == GraspPhase.HOLDING

    def watch(self, seconds: float, target: Callable[[float, float], np.ndarray]) -> float:
        """Run and return the largest net slip (m) of this stretch."""
        self._slid[:] = 0.0
        self.largest_slip = 0.0

        def follow() -> bool:
            self._slid += self._slip(self.env.rig.data)[1] * CONTROL_DT
            self.largest_slip = max(self.largest_slip, float(np.linalg.norm(self._slid)))
            return False

        self.env.run(seconds, target, follow)
        return self.largest_slip

    def privileged_sliding(self) -> float:
        """How fast (m/s) the thing's surface slides over the pads now."""
        return float(np.linalg.norm(self._slip(self.env.rig.data)[1]))

    def run(self, hold: float = 10.0, shake: float = 2.0) -> Outcome:
        """The whole trial; ``hold`` and ``shake`` s."""
        env = self.env
        closed = self.close()
        start = env.rig.privileged_in_hand()[0]
        begun = len(env.privileged_force[self.side])
        slip = self.watch(LIFT_TIME, lambda u, t: self.at(0.0, LIFT * smooth(u)))
        slip = max(slip, self.watch(hold, lambda u, t: self.at(0.0, LIFT)))
        mean = float(np.mean(env.privileged_force[self.side][-250:]))
        feeling = env.hands[self.side].feeling
        friction = feeling.friction if feeling is not None else 0.0
        slip_shake = self.watch(shake, lambda u, t: self.at(0.0, LIFT) + shaking(t))
        moved = float(np.linalg.norm(env.rig.privileged_in_hand()[0] - start))
        held = moved < LOST_WAY
        why = "" if held else "slipped out" if closed else "did not close"
        return Outcome(
            held, why, slip, slip_shake,
            float(env.privileged_smooth_force(begun, self.side).max()),
            mean, friction, float(np.median(env.cpu)),
        )  # fmt: skip


def smooth(u: float) -> float:
    """0 to 1 with the least jerk."""
    return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)


def shaking(t: float) -> np.ndarray:
    """1 to 2 cm at 1.5 to 2.7 Hz in all three directions, up to about 3 m/s², swelling in half a second."""
    w = 2.0 * np.pi * t
    sway = [0.01 * np.sin(2.0 * w), 0.01 * np.sin(2.7 * w), 0.02 * np.sin(1.5 * w), 0.0, 0.0, 0.0]
    return min(2.0 * t, 1.0) * np.array(sway)


def privileged_least_grip(
    thing: Thing, seed: int, side: str, take: Take | None = None, steps: int = 5
) -> float | None:
    """The smallest constant grip (N, as the pads truly feel it while held) that holds ``thing``.

    It holds when the thing stays in the hand and slips no more than ``HELD_SLIP`` in the whole trial.
    Bisection on the set point, in logarithms, with the same hand, place and motion, without reflex; for the
    score only. None: not even the most that the grasp allows holds it.
    """

    def tried(force: float) -> Outcome:
        still = {"grip_reflex_share": 0.0}
        return HoldTrial(thing, seed, side, take=take, hand=still, fixed=force).run(hold=1.0)

    def holds(outcome: Outcome) -> bool:
        return outcome.held and max(outcome.slip, outcome.slip_shake) <= HELD_SLIP

    low, high = 0.6, grasps()[(take or take_of(thing)).grasp].most
    best = tried(high)
    if not holds(best):
        return None
    for _ in range(steps):
        middle = float(np.sqrt(low * high))
        outcome = tried(middle)
        if holds(outcome):
            high, best = middle, outcome
        else:
            low = middle
    return best.mean


def drawn(thing: Thing, seed: int) -> Thing:
    """``thing`` with a mass of 0.05 to 1.5 kg (evenly in its logarithm) and a friction of 0.3 to 1.0."""
    rng = np.random.default_rng([seed, 1])
    mass = float(np.exp(rng.uniform(np.log(0.05), np.log(1.5))))
    return replace(thing, mass=mass, friction=float(rng.uniform(0.3, 1.0)))
