"""A jar whose lid turns with friction: is the lid a quarter turn open, and the jar still in the hand?"""

from __future__ import annotations

import mujoco
import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_bringup.hand_bench.tasks.rubbing import RUBS
from neo_description.contact import OBJECT, SOLIMP, SOLREF, WORLD
from neo_description.signals import GraspPhase
from neo_hand_control.skills.jar import Jar
from neo_sim.hand_rig import HandRig
from neo_sim.hand_rig_model import Scenery, table

JAR, LID = (0.0325, 0.105), (0.031, 0.040)  # m: radius and height
NECK = (0.022, 0.020)
HELD_AT = 0.047  # m above the table
LID_AT = (0.0, 0.0, JAR[1] + NECK[1] + LID[1] / 2 - HELD_AT)
OPEN = np.pi / 2  # rad


def scenery(rng: np.random.Generator) -> Scenery:
    """A jar about the origin, its foot ``HELD_AT`` below."""
    at = (*rng.uniform(-0.006, 0.006, 2), -HELD_AT)
    size, lid_size = rng.uniform(0.95, 1.05), rng.uniform(0.95, 1.05)
    jar_friction, lid_friction = rng.uniform(0.5, 0.9, 2)
    mass, torque = 0.35 * rng.uniform(0.7, 1.3), rng.uniform(0.3, 0.8)

    def fields(friction: float, rgba: tuple[float, ...]) -> dict[str, object]:
        return {
            "contype": WORLD | OBJECT, "conaffinity": WORLD | OBJECT, "condim": 4, "priority": 1,
            "friction": (friction, 0.005, 0.0001), "solref": SOLREF, "solimp": SOLIMP, "rgba": rgba,
        }  # fmt: skip

    def add(spec: mujoco.MjSpec) -> None:
        jar = spec.worldbody.add_body(name="jar", pos=at)
        jar.add_freejoint(name="jar_joint")
        cylinder = mujoco.mjtGeom.mjGEOM_CYLINDER
        z = 0.0
        for name, (radius, height), share in (("jar", JAR, 0.8), ("neck", NECK, 0.1)):
            jar.add_geom(
                name=name, type=cylinder, size=(radius * size, height / 2, 0.0),
                pos=(0.0, 0.0, z + height / 2), mass=share * mass,
                **fields(jar_friction, (0.5, 0.7, 0.6, 1.0)),
            )  # fmt: skip
            z += height
        lid = jar.add_body(name="lid", pos=(0.0, 0.0, z + LID[1] / 2))
        lid.add_joint(
            name="lid", type=mujoco.mjtJoint.mjJNT_HINGE, axis=(0.0, 0.0, 1.0), frictionloss=torque,
            damping=0.01, armature=1e-4, **RUBS,
        )  # fmt: skip
        lid.add_geom(
            name="lid", type=cylinder, size=(LID[0] * lid_size, LID[1] / 2, 0.0), mass=0.1 * mass,
            **fields(lid_friction, (0.75, 0.3, 0.25, 1.0)),
        )  # fmt: skip
        # a mark, so that pictures show how far it turned
        lid.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.012, 0.003, 0.001), pos=(0.015, 0.0, LID[1] / 2),
                     contype=0, conaffinity=0, mass=0.0, rgba=(1.0, 1.0, 1.0, 1.0))  # fmt: skip

    return add


def measure(seed: int) -> dict[str, object]:
    """One jar, scattered by ``seed``."""
    rng = np.random.default_rng(seed)
    holder = "lr"[seed % 2]
    rig = HandRig(
        "lr",
        scenery=[scenery(rng), table((0.0, 0.0, -HELD_AT), 0.1)],
        seed=seed,
        mounts={side: (0.0, 0.0, 0.0) for side in "lr"},
    )
    skill = Jar(holder, 2 * JAR[0], LID_AT, 2 * LID[0])
    env = skill_trial.ready(skill, rig)
    outcome = skill_trial.run(skill, env, limit=60.0)
    privileged_turned = float(rig.data.joint("lid").qpos[0])
    held = env.phase(holder) == GraspPhase.HOLDING and rig.privileged_in_hand(holder, "jar")[1] < 0.3
    return {
        "success": bool(privileged_turned >= OPEN and held),
        "privileged_turned_deg": float(np.degrees(privileged_turned)),
        "felt_deg": float(np.degrees(skill.turned)),
        "held": bool(held),
        "outcome": outcome,
        "seconds": skill.time,
    }
