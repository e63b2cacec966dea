"""A drawer with a bar handle: is it open by 15 cm at the end, and the hand free of it?"""

from __future__ import annotations

import mujoco
import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_bringup.hand_bench.tasks.rubbing import RUBS
from neo_description.contact import OBJECT, SOLIMP, SOLREF, WORLD, add_capsule
from neo_hand_control.skills.drawer import Drawer
from neo_sim.hand_rig import HandRig
from neo_sim.hand_rig_model import AXES, Scenery

ARM_FORCE = 40.0  # N: the arm yields beyond
FAR_ENOUGH = 0.15  # m


def scenery(rng: np.random.Generator) -> Scenery:
    """The drawer with its bar about the origin, along y; it opens along -x."""
    at = rng.uniform(-1.0, 1.0, 3) * [0.005, 0.01, 0.005]
    radius, gap = rng.uniform(0.005, 0.007), rng.uniform(0.030, 0.040)
    friction, loss = rng.uniform(0.5, 0.9), rng.uniform(3.0, 10.0)
    damping, stop = rng.uniform(5.0, 20.0), rng.uniform(0.16, 0.30)
    fields = {
        "contype": WORLD | OBJECT, "conaffinity": WORLD | OBJECT, "condim": 4, "priority": 1,
        "friction": (friction, 0.005, 0.0001), "solref": SOLREF, "solimp": SOLIMP, "mass": 0.0,
    }  # fmt: skip

    def add(spec: mujoco.MjSpec) -> None:
        body = spec.worldbody.add_body(name="drawer", pos=at)
        body.explicitinertial, body.mass, body.inertia = True, 2.0, (0.02, 0.02, 0.02)
        body.add_joint(
            name="drawer", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(-1.0, 0.0, 0.0),
            range=(0.0, stop), limited=True, frictionloss=loss, damping=damping, **RUBS,
        )  # fmt: skip
        front = radius + gap
        body.add_geom(
            name="drawer_front", type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.009, 0.20, 0.09),
            pos=(front + 0.009, 0.0, -0.01), rgba=(0.6, 0.5, 0.35, 1.0), **fields,
        )  # fmt: skip
        dark = {"rgba": (0.25, 0.25, 0.27, 1.0)}
        add_capsule(body, "drawer_bar", (0, -0.08, 0), (0, 0.08, 0), radius, **dark, **fields)
        for i, y in enumerate((-0.08, 0.08)):
            add_capsule(body, f"drawer_post_{i}", (0, y, 0), (front, y, 0), radius, **dark, **fields)

    return add


def measure(seed: int) -> dict[str, object]:
    """One drawer, scattered by ``seed``."""
    rng = np.random.default_rng(seed)
    side = "rl"[seed % 2]
    rig = HandRig(side, seed=seed, scenery=[scenery(rng)])
    for axis in AXES[:3]:
        actuator = rig.model.actuator(f"{side}_{axis}").id
        rig.model.actuator_forcelimited[actuator] = True
        rig.model.actuator_forcerange[actuator] = (-ARM_FORCE, ARM_FORCE)
    skill = Drawer(side, (0.0, 0.0, 0.0))
    env = skill_trial.ready(skill, rig)
    outcome = skill_trial.run(skill, env, limit=30.0)
    privileged_open = float(rig.data.joint("drawer").qpos[0])
    free = rig.privileged_pad_forces(side)[:, 0].sum() < 0.1
    return {
        "success": bool(privileged_open >= FAR_ENOUGH and free),
        "privileged_open_m": privileged_open,
        "free": bool(free),
        "outcome": outcome,
        "seconds": skill.time,
    }
