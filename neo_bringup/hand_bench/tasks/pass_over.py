"""A bottle or a box goes from hand to hand: does the other hold it at the end, and the first none of it?"""

from __future__ import annotations

import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_description.objects import Shape, Thing
from neo_description.signals import GraspPhase
from neo_hand_control.skills.pass_over import PassOver
from neo_sim.hand_rig import HandRig, Standing
from neo_sim.hand_rig_model import table

APART = 0.40  # m between the hands at shift 0
LOW = 0.30  # share of its height at which the thing is taken first
KINDS = ("bottle", "box")
GREY = (0.4, 0.5, 0.6)
AFTER = 3.0  # s
SLIDE_MAX = 0.03  # m in the taking hand


def thing(kind: str, rng: np.random.Generator | None = None) -> Thing:
    """A bottle or a box; without ``rng`` as perception would tell it."""
    size = 1.0 if rng is None else float(rng.uniform(0.95, 1.05))
    mass = 0.35 if rng is None else 0.35 * float(rng.uniform(0.7, 1.3))
    friction = 0.7 if rng is None else float(rng.uniform(0.5, 0.9))
    height = 0.23
    if kind == "bottle":
        shape = Shape("cylinder", (0.033 * size, height), height / 2, GREY)
    else:
        shape = Shape("box", (0.055 * size, 0.06 * size, height), height / 2, GREY)
    return Thing(kind, kind, "grey", mass, friction, (shape,))


def measure(seed: int) -> dict[str, object]:
    """One thing, one direction, scattered by ``seed``."""
    rng = np.random.default_rng(seed)
    giver = "rl"[seed % 2]
    kind = KINDS[int(rng.integers(2))]
    one, known = thing(kind, rng), thing(kind)
    y = {"r": -APART / 2, "l": APART / 2}
    foot = (*(np.array([0.0, y[giver]]) + rng.uniform(-0.008, 0.008, 2)), -LOW * float(known.size[2]))
    yaw = float(rng.uniform(-0.3, 0.3))
    rig = HandRig(
        "lr",
        standing=[Standing(one, foot, yaw)],
        scenery=[table((0.0, y[giver], foot[2]), 0.1)],
        seed=seed,
        mounts={side: (0.0, y[side], 0.0) for side in "lr"},
    )
    apart = np.array([0.0, APART if giver == "r" else -APART, 0.0])
    grasp = "medium_wrap" if kind == "bottle" else "box_wrap"
    skill = PassOver(giver, apart, grasp, float(min(known.size[:2])))
    env = skill_trial.ready(skill, rig)
    outcome = skill_trial.run(skill, env, limit=30.0)
    taker = skill.taker
    before = rig.privileged_in_hand(taker)[0]
    env.run(AFTER)
    privileged_slide = float(np.linalg.norm(rig.privileged_in_hand(taker)[0] - before))
    free = rig.privileged_pad_forces(giver)[:, 0].sum() < 0.1
    held = env.phase(taker) == GraspPhase.HOLDING and np.linalg.norm(before) < 0.15
    return {
        "success": bool(held and free and privileged_slide < SLIDE_MAX),
        "held": bool(held),
        "free": bool(free),
        "privileged_slide_mm": 1e3 * privileged_slide,
        "outcome": outcome,
        "seconds": skill.time,
    }
