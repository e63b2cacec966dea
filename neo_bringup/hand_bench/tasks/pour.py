"""A bottle with balls in it and a cup: are four of five in the cup, and the bottle upright in the hand?"""

from __future__ import annotations

import mujoco
import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_description.contact import OBJECT, SOLIMP, SOLREF, WORLD
from neo_description.signals import GraspPhase
from neo_hand_control.skills.pour import Pour
from neo_sim.hand_rig import HandRig
from neo_sim.hand_rig_model import Scenery, outwards, table

BOTTLE = (0.033, 0.15)  # m: radius and height
CUP = (0.042, 0.075)
HELD_AT = 0.065  # m above the foot
CUP_AT = 0.22  # m from the bottle, out of the palm
SIDES, WALL = 12, 0.003  # of a round wall; m
BALLS, BALL = 24, 0.0055  # m: radius
ENOUGH = 0.8
Fields = dict[str, object]


def _vessel(body: mujoco.MjsBody, radius: float, height: float, mass: float, fields: Fields) -> None:
    """A floor and a wall of ``SIDES`` plates; its foot at the body's origin."""
    box, share = mujoco.mjtGeom.mjGEOM_BOX, mass / (SIDES + 1)
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=(radius - WALL, WALL / 2, 0.0),
                  pos=(0.0, 0.0, WALL / 2), mass=share, **fields)  # fmt: skip
    middle = radius - WALL / 2
    half = (WALL / 2, radius * np.tan(np.pi / SIDES), height / 2)
    for angle in 2.0 * np.pi * np.arange(SIDES) / SIDES:
        body.add_geom(
            type=box, size=half, pos=(middle * np.cos(angle), middle * np.sin(angle), height / 2),
            quat=(np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2)), mass=share, **fields,
        )  # fmt: skip


def scenery(side: str, rng: np.random.Generator) -> Scenery:
    """Bottle and cup on a table ``HELD_AT`` below the gripper."""
    place, cup_place = rng.uniform(-0.006, 0.006, 2), rng.uniform(-0.006, 0.006, 2)
    size, friction = rng.uniform(0.95, 1.05), rng.uniform(0.5, 0.9)
    mass, ball_mass = 0.15 * rng.uniform(0.7, 1.3), 0.004 * rng.uniform(0.7, 1.3)
    out = outwards(side)

    def fields(friction: float, rgba: tuple[float, ...]) -> Fields:
        return {
            "contype": WORLD | OBJECT, "conaffinity": WORLD | OBJECT, "condim": 3, "priority": 1,
            "friction": (friction, 0.005, 0.0001), "solref": SOLREF, "solimp": SOLIMP, "rgba": rgba,
        }  # fmt: skip

    def add(spec: mujoco.MjSpec) -> None:
        table((0.0, out * CUP_AT / 2, -HELD_AT), 0.2)(spec)
        bottle = spec.worldbody.add_body(name="bottle", pos=(*place, -HELD_AT))
        bottle.add_freejoint(name="bottle_joint")
        radius = BOTTLE[0] * size
        _vessel(bottle, radius, BOTTLE[1], mass, fields(friction, (0.3, 0.6, 0.4, 0.5)) | {"condim": 4})
        at = np.array([0.0, out * CUP_AT]) + cup_place
        cup = spec.worldbody.add_body(name="cup", pos=(*at, -HELD_AT))
        _vessel(cup, CUP[0], CUP[1], 0.2, fields(0.6, (0.4, 0.5, 0.8, 0.5)))
        layer = 7
        for i in range(BALLS):
            angle, row = 2.0 * np.pi * (i % layer) / (layer - 1), i // layer
            r = 0.0 if i % layer == layer - 1 else 0.55 * radius
            p = place + r * np.array([np.cos(angle + row), np.sin(angle + row)])
            ball = spec.worldbody.add_body(name=f"ball_{i}", pos=(*p, -HELD_AT + 0.012 + 0.014 * row))
            ball.add_freejoint()
            ball.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=(BALL, 0.0, 0.0), mass=ball_mass,
                          **(fields(0.3, (0.9, 0.7, 0.2, 1.0)) | {"priority": 2}))  # fmt: skip

    return add


def measure(seed: int) -> dict[str, object]:
    """One pouring, scattered by ``seed``."""
    rng = np.random.default_rng(seed)
    side = "rl"[seed % 2]
    rig = HandRig(side, scenery=[scenery(side, rng)], seed=seed)
    cup = (0.0, outwards(side) * CUP_AT, CUP[1] - HELD_AT)
    skill = Pour(side, 2 * BOTTLE[0], BOTTLE[1] - HELD_AT, cup)
    env = skill_trial.ready(skill, rig)
    outcome = skill_trial.run(skill, env, limit=40.0)
    env.run(0.5)
    vessel = rig.data.body("cup").xpos
    balls = np.array([rig.data.body(f"ball_{i}").xpos for i in range(BALLS)]) - vessel
    inside = (np.hypot(balls[:, 0], balls[:, 1]) < CUP[0]) & (balls[:, 2] > 0.0) & (balls[:, 2] < CUP[1])
    bottle = rig.data.body("bottle")
    away = float(np.linalg.norm(bottle.xpos - rig.data.site(f"{side}_gripper").xpos))
    held = env.phase(side) == GraspPhase.HOLDING and away < 0.12
    upright = bool(bottle.xmat[8] > 0.9)
    return {
        "success": bool(inside.mean() >= ENOUGH and held and upright),
        "privileged_inside": float(inside.mean()),
        "held": bool(held),
        "upright": upright,
        "felt_poured_N": skill.poured,
        "privileged_ball_kg": float(rig.model.body("ball_0").mass[0]),
        "outcome": outcome,
        "seconds": skill.time,
    }
