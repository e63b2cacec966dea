"""The trials of ``neo bench hand``: what each measures of one thing and seed, as plain numbers.

Every function takes only names and numbers, so that processes can run them side by side. All scores are
privileged; what the hand knows is said in :mod:`neo_bringup.hand_bench.hold_trial`.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.hand_bench.hold_trial import LIFT, LOST_WAY, HoldTrial, drawn, privileged_least_grip
from neo_description import objects, parameters
from neo_description.objects import Thing
from neo_description.tables import CONTROL_RATE, TAXELS, prefixed
from neo_sim import hand_rig
from neo_sim.hand_env import smooth_force

FOLDER = Path(__file__).parents[2] / "benchmarks" / "hand"
PLANT = Path(hand_rig.__file__).with_name("parameters.yaml")
Numbers = dict[str, Any]


@cache
def things(register: str) -> dict[str, Thing]:
    """The things of ``benchmarks/hand/{register}.yaml`` alone."""
    known = objects.registry()
    return {k: v for k, v in objects.registry(FOLDER / f"{register}.yaml").items() if k not in known}


def _side(seed: int) -> str:
    return "rl"[seed % 2]


def hold(register: str, name: str, seed: int) -> Numbers:
    """Grasp, lift, hold 10 s, shake, with mass and friction drawn by ``seed``."""
    thing = drawn(things(register)[name], seed)
    outcome = HoldTrial(thing, seed, _side(seed)).run()
    return {"thing": name, "mass": thing.mass, "mu": thing.friction, **asdict(outcome)}


def least(register: str, name: str, seed: int) -> Numbers:
    """The hand's peak grip over the smallest that holds; ``ratio`` None where either did not hold."""
    thing = drawn(things(register)[name], seed)
    outcome = HoldTrial(thing, seed, _side(seed)).run(hold=1.0)
    smallest = privileged_least_grip(thing, seed, _side(seed)) if outcome.held else None
    ratio = outcome.peak / smallest if smallest else None
    return {"thing": name, "peak": outcome.peak, "least": smallest, "ratio": ratio}


def fragile(name: str, seed: int) -> Numbers:
    """Lift and hold a fragile thing: crushed when the hand's forces on it ever exceed its crush force."""
    thing = things("fragile")[name]
    assert thing.crush_force is not None
    trial = HoldTrial(thing, seed, _side(seed))
    squeezed: list[float] = []
    trial.env.watch = lambda: squeezed.append(trial.env.rig.privileged_squeeze())
    held = trial.run(hold=2.0).held
    peak = float(smooth_force(squeezed).max())
    return {"thing": name, "held": held, "crushed": peak > thing.crush_force,
            "peak": peak, "crush_force": thing.crush_force}  # fmt: skip


def dead_pads(name: str, seed: int, dead: bool) -> Numbers:
    """The trial with a third of the pads dead, drawn by ``seed``, or with all alive."""
    side = _side(seed)
    drawn_first = np.random.default_rng([seed, 2]).permutation(TAXELS)
    names = prefixed(side, tuple(drawn_first[: round(len(TAXELS) / 3)]))
    plant = parameters.load(PLANT, dead_taxels=list(names) if dead else [])
    outcome = HoldTrial(drawn(things("tuned")[name], seed), seed, side, plant=plant).run(hold=2.0)
    return {"thing": name, "dead": dead, "held": outcome.held}


def touch(name: str, seed: int, fixed: float) -> Numbers:
    """The trial with ``fixed`` N whatever the pads feel, without reflex; 0: with touch."""
    thing = drawn(things("tuned")[name], seed)
    hand = {"grip_reflex_share": 0.0} if fixed else {}
    outcome = HoldTrial(thing, seed, _side(seed), hand=hand, fixed=fixed).run(hold=2.0)
    return {"thing": name, "fixed": fixed, **asdict(outcome)}


def poured_in(name: str, seed: int) -> Numbers:
    """The thing's mass grows from 0.2 to 0.8 kg in 3 s while it is held."""
    light, heavy, seconds = 0.2, 0.8, 3.0
    rng = np.random.default_rng([seed, 3])
    thing = replace(things("tuned")[name], mass=light, friction=float(rng.uniform(0.4, 0.9)))
    trial = HoldTrial(thing, seed, _side(seed))
    closed = trial.close()
    rig, env = trial.env.rig, trial.env
    trial.watch(1.0, lambda u, t: trial.at(0.0, LIFT * u))
    before = rig.privileged_in_hand()[0]
    body = rig.model.body(thing.name).id
    mass, inertia = float(rig.model.body_mass[body]), rig.model.body_inertia[body].copy()

    def fill(u: float, t: float) -> np.ndarray:
        more = 1.0 + (heavy / light - 1.0) * u
        rig.model.body_mass[body], rig.model.body_inertia[body] = mass * more, inertia * more
        return trial.at(0.0, LIFT)

    slip = trial.watch(seconds, fill)
    slip = max(slip, trial.watch(1.0, lambda u, t: trial.at(0.0, LIFT)))
    moved = float(np.linalg.norm(rig.privileged_in_hand()[0] - before))
    force = env.privileged_force[trial.side]
    return {"thing": name, "mu": thing.friction, "held": closed and moved < LOST_WAY, "slip": slip,
            "force": float(np.mean(force[-CONTROL_RATE // 2 :]))}  # fmt: skip


SLIDES = 0.015  # m/s: the surface slides over the pads
ANSWERED = 1.2  # the grip has grown by a fifth


def slip_answer(name: str, seed: int) -> Numbers:
    """A held thing is pulled down hard for 0.3 s: from true sliding to its detection, and to more grip (s).

    None: it did not slide, or that did not happen within the pull.
    """
    rng = np.random.default_rng([seed, 4])
    thing = replace(things("tuned")[name], mass=0.3, friction=float(rng.uniform(0.4, 0.8)))
    trial = HoldTrial(thing, seed, _side(seed))
    trial.close()
    rig, env, hand = trial.env.rig, trial.env, trial.env.hands[trial.side]
    still = trial.at(0.0, LIFT)
    trial.watch(1.0, lambda u, t: trial.at(0.0, LIFT * u))
    trial.watch(1.0, lambda u, t: still)
    body = rig.model.body(thing.name).id
    rig.data.xfrc_applied[body, 2] = -float(rng.uniform(2.0, 4.0)) * thing.mass * 9.81
    onset, detected, answered, grip = None, None, None, 0.0
    for k in range(round(0.3 * CONTROL_RATE)):
        env.step(still)
        feeling = hand.feeling
        force = float(np.mean(env.privileged_force[trial.side][-3:]))
        if onset is None and trial.privileged_sliding() > SLIDES:
            onset, grip = k, float(np.mean(env.privileged_force[trial.side][-25:-5]))
        if onset is None or feeling is None:
            continue
        if detected is None and feeling.slip >= hand.params.grip_slip_probability:
            detected = (k - onset) / CONTROL_RATE
        if answered is None and force > ANSWERED * grip:
            answered = (k - onset) / CONTROL_RATE
    return {"thing": name, "slid": onset is not None, "detected": detected, "answered": answered}
