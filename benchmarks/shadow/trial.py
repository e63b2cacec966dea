"""One trial: pinch a thing from above, lift it 50 mm, hold it for 3 s. The truth is for the score only.

Imported after :func:`benchmarks.shadow.fit.fit`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.shadow.hand import HERE
from benchmarks.shadow.plant import Block, Plant
from neo_description import parameters
from neo_description.errors import NeoError
from neo_description.signals import GraspPhase, HandAction, HandCommand
from neo_description.tables import CONTROL_RATE
from neo_hand_control.controller import PARAMETERS, HandController

GRASP = "pinch"
ABOVE, LIFT = 0.06, 0.05  # m
DESCENT, CLOSING, RISE, HOLD = 1.2, 4.0, 1.0, 3.0  # s
LIFTED = 0.8  # of the lift that the thing must have at the end
SMOOTH = 10  # ticks over which forces are averaged before a peak counts


@dataclass(frozen=True)
class Case:
    """A thing and how it stands; drawn from a seed."""

    seed: int
    block: Block
    shift: tuple[float, float]
    yaw: float

    @classmethod
    def draw(cls, seed: int) -> Case:
        rng = np.random.default_rng(seed)
        block = Block(
            shape=("box", "cylinder")[int(rng.integers(2))],
            width=float(rng.uniform(0.035, 0.055)),
            height=float(rng.uniform(0.05, 0.08)),
            mass=float(rng.uniform(0.05, 0.3)),
            friction=float(rng.uniform(0.4, 1.0)),
        )
        x, y = rng.uniform(-0.005, 0.005, 2)
        return cls(seed, block, (float(x), float(y)), float(rng.uniform(-0.2, 0.2)))


def parameters_of(**changes: Any) -> SimpleNamespace:
    """The hand's parameters with those of ``parameters.yaml`` beside this file, and ``changes``."""
    ours = parameters.declared(HERE / "parameters.yaml")
    return parameters.load(PARAMETERS, **{name: row.default for name, row in ours.items()} | changes)


def run(
    case: Case,
    sensing: str,
    fixed: float | None = None,
    watch: Callable[[Plant, HandController], None] | None = None,
) -> dict[str, Any]:
    """``fixed``: N pressed all the time, without reflex; None: as hard as the touch says."""
    changes = {} if fixed is None else {"grip_reflex_gain": 0.0}
    hand = HandController("r", parameters_of(**changes))
    plant = Plant(case.block, np.array(case.shift), case.yaw, case.seed, sensing)
    at = np.array([0.0, 0.0, ABOVE])
    plant.carry(at)
    force: list[float] = []

    def step(target: np.ndarray) -> GraspPhase:
        plant.step(hand.update(plant.state()), target)
        force.append(float(plant.privileged_pad_forces()[:, 0].sum()))
        if watch is not None:
            watch(plant, hand)
        return hand.status.phase

    def move(to: np.ndarray, seconds: float) -> None:
        nonlocal at
        begin, ticks = at, round(seconds * CONTROL_RATE)
        for i in range(ticks):
            u = (i + 1) / ticks
            step(begin + (to - begin) * u * u * (3.0 - 2.0 * u))
        at = to

    width = case.block.width
    step(at)
    _ask(hand, HandCommand(HandAction.PRESHAPE, grasp=GRASP, width=width))
    move(at, 1.0)
    move(np.zeros(3), DESCENT)
    _ask(hand, HandCommand(HandAction.CLOSE, grasp=GRASP, width=width, grip_force=fixed or 0.0))
    for _ in range(round(CLOSING * CONTROL_RATE)):
        if step(at) in (GraspPhase.HOLDING, GraspPhase.LOST):
            break
    result: dict[str, Any] = {
        "seed": case.seed,
        "block": asdict(case.block),
        "closed": hand.status.phase.name,
    }
    if hand.status.phase != GraspPhase.HOLDING:
        return result | {"held": False}
    move(at, 0.3)
    since, before = len(force), plant.privileged_in_hand()
    moved = 0.0
    for to, seconds in ((np.array([0.0, 0.0, LIFT]), RISE), (np.array([0.0, 0.0, LIFT]), HOLD)):
        move(to, seconds)
        moved = max(moved, float(np.linalg.norm(plant.privileged_in_hand() - before)))
    smooth = np.convolve(force[since:], np.full(SMOOTH, 1.0 / SMOOTH), mode="valid")
    height = plant.privileged_height()
    held = height > LIFTED * LIFT and hand.status.phase == GraspPhase.HOLDING
    return result | {
        "held": held,
        "height": height,
        "moved": moved,
        "peak": float(smooth.max()),
        "mean": float(np.mean(force[-CONTROL_RATE:])),
        "friction_felt": hand.feeling.friction if hand.feeling is not None else 0.0,
    }


def _ask(hand: HandController, command: HandCommand) -> None:
    refused = hand.command(command)
    if refused is not None:
        raise NeoError(f"the hand refused {command.action.name}: {refused}")
