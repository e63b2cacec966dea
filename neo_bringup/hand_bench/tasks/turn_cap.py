"""Turn the cap of a bottle that stands in a holder, by half a turn or more.

Scatter: place ± 5 mm in all directions, cap radius 14 to 19 mm, friction of the cap against the fingers 0.5
to 0.9, torque of the thread 0.05 to 0.3 N m, mass ± 30 %.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_bringup.hand_bench.contacts import privileged_net_force
from neo_bringup.hand_bench.tasks.rubbing import RUBS
from neo_description.contact import SOLIMP, SOLREF, WORLD
from neo_hand_control.skills.turn_cap import TurnCap
from neo_sim.hand_rig import HandRig

FAR_ENOUGH = np.pi  # rad
SIDEWAYS, SQUEEZE = 30.0, 80.0  # N: net force that would tip the bottle; sum of the pads' forces


class Cap:
    """The scenery: a bottle without a bottom, and its cap on a hinge that rubs."""

    def __init__(self, seed: int):
        rng = np.random.default_rng([8, seed])
        self.offset = rng.uniform(-0.005, 0.005, 3)
        self.radius = rng.uniform(0.014, 0.019)
        self.height = 0.018 * rng.uniform(0.95, 1.05)
        self.friction = rng.uniform(0.5, 0.9)
        self.torque = rng.uniform(0.05, 0.3)
        self.mass = 0.006 * rng.uniform(0.7, 1.3)

    def add(self, spec: mujoco.MjSpec) -> None:
        """The cap's middle at ``offset``."""
        half = self.height / 2
        touching = {"contype": WORLD, "conaffinity": 0, "condim": 4, "priority": 1, "solref": SOLREF,
                    "solimp": SOLIMP, "friction": (self.friction, 0.005, 0.0001),
                    "type": mujoco.mjtGeom.mjGEOM_CYLINDER}  # fmt: skip
        bottle = spec.worldbody.add_body(name="bottle", pos=self.offset)
        shown = {"rgba": (0.3, 0.5, 0.8, 0.5)}
        for name, radius, top, length in (("neck", 0.012, -half, 0.02), ("shell", 0.032, -half - 0.02, 0.12)):
            bottle.add_geom(
                name=name,
                size=(radius, length / 2, 0.0),
                pos=(0.0, 0.0, top - length / 2),
                **shown,
                **touching,
            )
        cap = bottle.add_body(name="cap")
        cap.add_joint(
            name="cap", type=mujoco.mjtJoint.mjJNT_HINGE, axis=(0.0, 0.0, 1.0), frictionloss=self.torque,
            damping=0.002, armature=1e-4, **RUBS,
        )  # fmt: skip
        cap.add_geom(
            name="cap", size=(self.radius, half, 0.0), mass=self.mass, rgba=(0.9, 0.3, 0.1, 1.0), **touching
        )


def measure(seed: int, side: str = "r", watch: Any = None) -> dict[str, Any]:
    """One cap; ``success``: half a turn or more, and forces that a bottle on a table would bear."""
    cap = Cap(seed)
    rig = HandRig(side, seed=seed, scenery=[cap.add])
    skill = TurnCap(side)
    env = skill_trial.ready(skill, rig)
    joint, body = rig.model.joint("cap").qposadr[0], rig.model.body("bottle").id
    bodies = (body, rig.model.body("cap").id)
    sideways: list[float] = []
    squeezing: list[float] = []

    def each() -> None:
        sideways.append(float(np.linalg.norm(privileged_net_force(rig, bodies)[:2])))
        squeezing.append(float(np.linalg.norm(rig.privileged_pad_forces(), axis=1).sum()))
        if watch is not None:
            watch(env, skill)

    outcome = skill_trial.run(skill, env, 60.0, each)
    angle = float(rig.data.qpos[joint])
    smooth = np.convolve(sideways, np.full(10, 0.1), mode="valid")
    squeeze = np.convolve(squeezing, np.full(10, 0.1), mode="valid").max()
    return {
        "success": bool(
            outcome == "done" and angle >= FAR_ENOUGH and smooth.max() < SIDEWAYS and squeeze < SQUEEZE
        ),
        "outcome": outcome,
        "angle": angle,
        "angle_felt": skill.turned,
        "radius_error": skill.radius - cap.radius,
        "sideways": float(smooth.max()),
        "squeeze": float(squeeze),
        "seconds": skill.time,
        "thread": cap.torque,
        "friction": cap.friction,
        "radius": cap.radius,
    }
