"""Take a pen out of its holder and roll it between the fingertips by a quarter turn.

Scatter: place ± 5 mm in all directions, radius 4 to 6 mm, 14 cm ± 5 %, 12 g ± 30 %, friction 0.5 to 0.9; the
pen leans as it likes in a holder that is too wide for it.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_description.contact import OBJECT, SOLIMP, SOLREF, WORLD
from neo_hand_control.skills.roll import Roll
from neo_sim.hand_rig import HandRig

FAR_ENOUGH = np.pi / 2  # rad about its own axis
HELD = 0.02  # m that it may have slid along the fingers since it was lifted
GRASPED_AT = 0.095  # m of the pen below the fingers' middle
HOLDER = (0.0075, 0.05)  # m: half the hole's width, its depth


class Pen:
    """The scenery: a pen in a square hole."""

    def __init__(self, seed: int):
        rng = np.random.default_rng([9, seed])
        self.offset = rng.uniform(-0.005, 0.005, 3)
        self.radius = rng.uniform(0.004, 0.006)
        self.length = 0.14 * rng.uniform(0.95, 1.05)
        self.mass = 0.012 * rng.uniform(0.7, 1.3)
        self.friction = rng.uniform(0.5, 0.9)
        self.lean = rng.uniform(-1.0, 1.0, 2) * 0.02

    def add(self, spec: mujoco.MjSpec) -> None:
        """The pen's axis through ``offset``, its foot ``GRASPED_AT`` below."""
        up = np.array([0.0, 0.0, 1.0])
        foot = self.offset - GRASPED_AT * up
        half, deep = HOLDER
        fixed = {"contype": WORLD, "conaffinity": OBJECT, "type": mujoco.mjtGeom.mjGEOM_BOX,
                 "rgba": (0.4, 0.4, 0.4, 0.4)}  # fmt: skip
        spec.worldbody.add_geom(name="ground", size=(0.05, 0.05, 0.01), pos=foot - 0.01 * up, **fixed)
        for i, (x, y) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
            size = (0.002 if x else half, 0.002 if y else half, deep / 2)
            at = foot + np.array([x * (half + 0.002), y * (half + 0.002), deep / 2])
            spec.worldbody.add_geom(name=f"holder_{i}", size=size, pos=at, **fixed)
        quat = np.array([1.0, self.lean[0], self.lean[1], 0.0])
        pen = spec.worldbody.add_body(
            name="pen", pos=foot + (self.length / 2 + 0.001) * up, quat=quat / np.linalg.norm(quat)
        )
        pen.add_freejoint(name="pen")
        geom = pen.add_geom(
            name="pen", type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=(self.radius, self.length / 2, 0.0),
            mass=self.mass,
            friction=(self.friction, 0.005, 0.0001), priority=1, condim=4,
            contype=WORLD | OBJECT, conaffinity=WORLD | OBJECT,
            rgba=(0.9, 0.7, 0.1, 1.0),
        )  # fmt: skip
        geom.solref, geom.solimp = SOLREF, SOLIMP


def measure(seed: int, side: str = "r", watch: Any = None) -> dict[str, Any]:
    """One pen; ``success``: rolled by a quarter turn or more about its axis, and still in the fingers."""
    pen = Pen(seed)
    rig = HandRig(side, seed=seed, scenery=[pen.add])
    skill = Roll(side)
    env = skill_trial.ready(skill, rig)
    body = rig.data.body("pen")
    R_wrist = rig.data.body(f"{side}_wrist")
    begun: np.ndarray | None = None
    place = np.zeros(3)
    angle = 0.0
    last = np.eye(3)

    def each() -> None:
        nonlocal begun, angle, last, place
        R = R_wrist.xmat.reshape(3, 3).T @ body.xmat.reshape(3, 3)
        if skill.rolling:
            if begun is None:
                begun, last, place = R, R, body.xpos.copy()
            # the turn about the pen's own axis, summed tick by tick
            angle += float((last.T @ R)[1, 0] - (last.T @ R)[0, 1]) / 2.0
            last = R
        if watch is not None:
            watch(env, skill, pen, angle)

    outcome = skill_trial.run(skill, env, 30.0, each)
    slid = float(np.linalg.norm(body.xpos - place))
    return {
        "success": bool(outcome == "done" and abs(angle) >= FAR_ENOUGH and slid < HELD),
        "outcome": outcome,
        "angle": angle,
        "angle_felt": skill.rolled,
        "slid": slid,
        "radius": pen.radius,
        "radius_felt": skill.radius,
        "friction": pen.friction,
        "seconds": skill.time,
    }
