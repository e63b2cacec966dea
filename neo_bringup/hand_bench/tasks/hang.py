"""A cup with a handle and a hook on a wall: does the cup hang on it two seconds after the hand has gone?"""

from __future__ import annotations

from itertools import pairwise

import mujoco
import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_description.contact import OBJECT, SOLIMP, SOLREF, WORLD, add_capsule
from neo_hand_control.skills.hang import AHEAD, Hang
from neo_sim.hand_rig import HandRig
from neo_sim.hand_rig_model import Scenery, outwards

CUP = (0.036, 0.095)  # m: radius and height
HANDLE = ((0.033, 0.068), (0.055, 0.066), (0.066, 0.058), (0.066, 0.022), (0.055, 0.014), (0.033, 0.012))
HOLE = (0.049, 0.040)  # m from the axis, from the foot
BAR = 0.004  # m: radius of the handle
FOOT = -0.1075  # m: of the cup below the gripper that takes it
HOOK = (0.10, 0.22, 0.20)  # m: the rod's tip from the cup's place, across out of the palm's side
ROD = 0.14  # m
AFTER = 2.0  # s


def scenery(side: str, rng: np.random.Generator) -> Scenery:
    """A cup on a stand, its axis ``AHEAD`` of the world's origin, and a rod along -x out of a wall."""
    out = outwards(side)
    place, yaw = rng.uniform(-0.005, 0.005, 2), rng.uniform(-0.1, 0.1)
    size, mass = rng.uniform(0.95, 1.05), 0.2 * rng.uniform(0.7, 1.3)
    friction, rod_friction = rng.uniform(0.5, 0.9, 2)
    tip = np.array(HOOK) * [1.0, out, 1.0] + rng.uniform(-0.005, 0.005, 3)
    radius, rise = rng.uniform(0.003, 0.004), rng.uniform(0.08, 0.2)
    fields = {
        "contype": WORLD | OBJECT, "conaffinity": WORLD | OBJECT, "condim": 4, "priority": 1,
        "friction": (friction, 0.005, 0.0001), "solref": SOLREF, "solimp": SOLIMP,
    }  # fmt: skip

    def add(spec: mujoco.MjSpec) -> None:
        fixed = fields | {"priority": 2, "friction": (rod_friction, 0.005, 0.0001)}
        world, box = spec.worldbody, mujoco.mjtGeom.mjGEOM_BOX
        world.add_geom(name="stand", type=box, size=(0.1, 0.1, 0.01), pos=(AHEAD, 0.0, FOOT - 0.01),
                       rgba=(0.5, 0.4, 0.3, 1.0), contype=WORLD, conaffinity=OBJECT)  # fmt: skip
        end = tip + np.array([ROD, 0.0, -ROD * np.sin(rise)])
        add_capsule(world, "rod", tip, end, radius, rgba=(0.3, 0.3, 0.32, 1.0), **fixed)
        world.add_geom(name="wall", type=box, size=(0.01, 0.1, 0.1), pos=end + np.array([0.01, 0.0, 0.0]),
                       rgba=(0.7, 0.7, 0.68, 1.0), **fixed)  # fmt: skip
        cup = world.add_body(
            name="cup", pos=(AHEAD + place[0], place[1], FOOT), quat=(np.cos(yaw / 2), 0, 0, np.sin(yaw / 2))
        )
        cup.add_freejoint(name="cup_joint")
        blue = {"rgba": (0.3, 0.45, 0.7, 1.0)}
        cup.add_geom(name="cup", type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=(CUP[0] * size, CUP[1] / 2, 0.0),
                     pos=(0.0, 0.0, CUP[1] / 2), mass=0.9 * mass, **blue, **fields)  # fmt: skip
        for i, ((y0, z0), (y1, z1)) in enumerate(pairwise(HANDLE)):
            add_capsule(cup, f"handle_{i}", (0, out * y0 * size, z0), (0, out * y1 * size, z1), BAR,
                        mass=0.02 * mass, **blue, **fields)  # fmt: skip

    return add


def measure(seed: int) -> dict[str, object]:
    """One cup and one hook, scattered by ``seed``."""
    rng = np.random.default_rng(seed)
    side = "rl"[seed % 2]
    out = outwards(side)
    rig = HandRig(side, scenery=[scenery(side, rng)], seed=seed)
    skill = Hang(side, 2 * CUP[0], (0.0, out * HOLE[0], HOLE[1] + FOOT), np.array(HOOK) * [1.0, out, 1.0])
    env = skill_trial.ready(skill, rig)
    outcome = skill_trial.run(skill, env, limit=90.0)
    env.run(AFTER)
    cup, rod = rig.data.body("cup").xpos, rig.data.geom("rod")
    privileged_below = float(rod.xpos[2] - cup[2])
    hangs = abs(privileged_below) < 0.15 and float(np.linalg.norm(cup[:2] - rod.xpos[:2])) < 0.12
    still = float(np.linalg.norm(rig.data.joint("cup_joint").qvel[:3])) < 0.1
    free = rig.privileged_pad_forces(side)[:, 0].sum() < 0.1
    return {
        "success": bool(hangs and free),
        "hangs": bool(hangs),
        "still": still,
        "free": bool(free),
        "tries": skill.tries,
        "outcome": outcome,
        "seconds": skill.time,
    }
