"""Press a button on a panel: a plunger with a spring and a click.

Scatter: place ± 5 mm across and ± 10 mm along, cap radius ± 5 % of 10 mm, spring 300 to 700 N/m over a
preload of 0.5 to 1.5 N, a click that takes away 25 to 50 % of the force, friction 0.5 to 0.9, mass ± 30 %.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_description.contact import SOLIMP, SOLREF, WORLD
from neo_hand_control.skills.press import Press
from neo_sim.hand_rig import HandRig

TRAVEL = 0.004  # m
DEEP_ENOUGH, RELEASED = 0.003, 0.0005  # m
MOST = 15.0  # N on the button, never more
ELSEWHERE = 2.0  # N on the panel, never more


class Button:
    """The scenery, and the plunger's own mechanics: ``press`` N against the finger at ``depth`` m."""

    def __init__(self, seed: int):
        rng = np.random.default_rng([7, seed])
        self.offset = np.append(rng.uniform(-0.010, 0.010), rng.uniform(-0.005, 0.005, 2))
        self.radius = 0.010 * rng.uniform(0.95, 1.05)
        self.friction = rng.uniform(0.5, 0.9)
        self.mass = 0.005 * rng.uniform(0.7, 1.3)
        self.stiffness, self.preload = rng.uniform(300.0, 700.0), rng.uniform(0.5, 1.5)
        self.click, self.drop = rng.uniform(0.0026, 0.0032), rng.uniform(0.25, 0.5)

    def press(self, depth: float) -> float:
        """What the plunger pushes back with (N)."""
        given = np.clip((depth - self.click) / 0.0003, 0.0, 1.0)
        return (self.preload + self.stiffness * max(depth, 0.0)) * (1.0 - self.drop * given)

    def add(self, spec: mujoco.MjSpec) -> None:
        """A panel across x with the plunger's face at ``offset``."""
        panel = spec.worldbody.add_body(name="panel", pos=self.offset)
        touching = {"contype": WORLD, "conaffinity": 0, "condim": 4}
        geom = panel.add_geom(
            name="panel", type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.01, 0.1, 0.1), pos=(0.017, 0.0, 0.0),
            friction=(self.friction, 0.005, 0.0001), priority=1, rgba=(0.7, 0.7, 0.7, 1.0), **touching,
        )  # fmt: skip
        geom.solref, geom.solimp = SOLREF, SOLIMP
        plunger = panel.add_body(name="button")
        plunger.add_joint(
            name="button", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(1.0, 0.0, 0.0), limited=True,
            range=(0.0, TRAVEL), damping=0.5, armature=0.03, solref_limit=SOLREF, solimp_limit=SOLIMP,
        )  # fmt: skip
        geom = plunger.add_geom(
            name="button", type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=(self.radius, 0.003, 0.0),
            mass=self.mass, pos=(0.003, 0.0, 0.0), quat=(np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0),
            friction=(self.friction, 0.005, 0.0001), priority=1, rgba=(0.8, 0.1, 0.1, 1.0), **touching,
        )  # fmt: skip
        geom.solref, geom.solimp = SOLREF, SOLIMP


def measure(seed: int, side: str = "r") -> dict[str, Any]:
    """One press; ``success``: 3 mm deep and out again, at most ``MOST`` N, the panel left alone."""
    button = Button(seed)
    rig = HandRig(side, seed=seed, scenery=[button.add])
    skill = Press(side)
    env = skill_trial.ready(skill, rig)
    joint, dof = rig.model.joint("button").qposadr[0], rig.model.joint("button").dofadr[0]
    geoms = {name: rig.model.geom(name).id for name in ("button", "panel")}
    deepest, most = 0.0, dict.fromkeys(geoms, 0.0)

    def each() -> None:
        nonlocal deepest
        depth = float(rig.data.qpos[joint])
        rig.data.qfrc_applied[dof] = -button.press(depth)
        deepest = max(deepest, depth)
        for name, geom in geoms.items():
            most[name] = max(most[name], privileged_contact_force(rig, geom))

    each()
    outcome = skill_trial.run(skill, env, 15.0, each)
    end = float(rig.data.qpos[joint])
    success = (
        outcome == "done"
        and deepest >= DEEP_ENOUGH
        and end < RELEASED
        and most["button"] <= MOST
        and most["panel"] <= ELSEWHERE
    )
    return {
        "success": success,
        "outcome": outcome,
        "depth": deepest,
        "end": end,
        "force": most["button"],
        "panel_force": most["panel"],
        "travel_felt": skill.travel,
        "seconds": skill.time,
    }


def privileged_contact_force(rig: HandRig, geom: int) -> float:
    """Length (N) of the force of all contacts of ``geom``, summed by contact."""
    total, force = 0.0, np.zeros(6)
    for i in range(rig.data.ncon):
        if geom in rig.data.contact[i].geom:
            mujoco.mj_contactForce(rig.model, rig.data, i, force)
            total += float(np.linalg.norm(force[:3]))
    return total
