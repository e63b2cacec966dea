"""A tray with a cup on it, carried by both hands: did it stay level, and does the cup still stand on it?"""

from __future__ import annotations

import mujoco
import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_description.contact import OBJECT, SOLIMP, SOLREF, WORLD, add_capsule
from neo_hand_control.skills.tray import Tray
from neo_sim.hand_rig import HandRig
from neo_sim.hand_rig_model import Scenery

SIZE = (0.25, 0.35, 0.015)  # m
HANDLE = (0.013, 0.055, 0.065, 0.02)  # m: radius, half length, out from the edge, above the tray's middle
WAY = (0.30, 0.0, 0.0)
TILT_MAX = np.radians(8.0)
FAR = 0.05  # m: how near the goal it must stand


def scenery(rng: np.random.Generator) -> Scenery:
    """A table, on it the tray with its handles at the height 0, on the tray a cup."""
    at = rng.uniform(-1.0, 1.0, 2) * [0.008, 0.006]
    yaw, size = rng.uniform(-0.04, 0.04), rng.uniform(0.95, 1.05)
    mass, cup_mass = 0.7 * rng.uniform(0.7, 1.3), 0.22 * rng.uniform(0.7, 1.3)
    friction, cup_friction = rng.uniform(0.5, 0.9, 2)
    cup_at = rng.uniform(-0.05, 0.05, 2)
    half = np.array(SIZE) / 2 * [1.0, size, 1.0]
    radius, length, out, up = HANDLE
    plain = {"contype": WORLD | OBJECT, "conaffinity": WORLD | OBJECT, "priority": 1,
             "solref": SOLREF, "solimp": SOLIMP}  # fmt: skip
    fields = plain | {"condim": 4, "friction": (friction, 0.005, 0.0001)}
    top = -up - half[2]

    def add(spec: mujoco.MjSpec) -> None:
        box = mujoco.mjtGeom.mjGEOM_BOX
        spec.worldbody.add_geom(name="table", type=box, size=(0.4, 0.09, 0.01), pos=(0.15, 0.0, top - 0.01),
                                contype=WORLD, conaffinity=OBJECT, rgba=(0.5, 0.4, 0.3, 1.0))  # fmt: skip
        tray = spec.worldbody.add_body(
            name="tray", pos=(*at, -up), quat=(np.cos(yaw / 2), 0, 0, np.sin(yaw / 2))
        )
        tray.add_freejoint(name="tray_joint")
        tray.add_geom(name="tray", type=box, size=half, mass=0.8 * mass, rgba=(0.6, 0.5, 0.3, 1.0), **fields)
        dark = fields | {"rgba": (0.25, 0.25, 0.27, 1.0)}
        for name, y in (("r", -1.0), ("l", 1.0)):
            edge, far = y * half[1], y * (half[1] + out)
            add_capsule(tray, f"handle_{name}", (-length, far, up), (length, far, up), radius * size,
                        mass=0.05 * mass, **dark)  # fmt: skip
            for i, x in enumerate((-length, length)):
                add_capsule(tray, f"arm_{name}_{i}", (x, edge, 0.0), (x, far, up), 0.006, mass=0.025 * mass,
                            **dark)  # fmt: skip
        cup = spec.worldbody.add_body(name="cup", pos=(*(at + cup_at), -up + half[2] + 0.045))
        cup.add_freejoint(name="cup_joint")
        cup.add_geom(
            name="cup", type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=(0.036, 0.045, 0.0), mass=cup_mass,
            rgba=(0.3, 0.5, 0.7, 1.0), condim=4, friction=(cup_friction, 0.005, 0.0001), **plain,
        )  # fmt: skip

    return add


def measure(seed: int) -> dict[str, object]:
    """One tray, scattered by ``seed``."""
    rng = np.random.default_rng(seed)
    apart = SIZE[1] / 2 + HANDLE[2]
    rig = HandRig(
        "lr", scenery=[scenery(rng)], seed=seed, mounts={"r": (0.0, -apart, 0.0), "l": (0.0, apart, 0.0)}
    )
    skill = Tray(WAY, 2 * HANDLE[0])
    env = skill_trial.ready(skill, rig)
    tray, cup = rig.data.body("tray"), rig.data.body("cup")
    start = tray.xpos.copy()
    privileged_tilt, privileged_height = [0.0], [0.0]

    def look() -> None:
        privileged_tilt.append(float(np.arccos(np.clip(tray.xmat[8], -1.0, 1.0))))
        privileged_height.append(float(tray.xpos[2] - start[2]))

    outcome = skill_trial.run(skill, env, limit=30.0, each=look)
    env.run(1.0)
    way = tray.xpos - start
    near = float(np.linalg.norm(way - WAY)) < FAR
    on = tray.xmat.reshape(3, 3).T @ (cup.xpos - tray.xpos)
    stands = bool(
        cup.xmat[8] > 0.95 and abs(on[0]) < SIZE[0] / 2 and abs(on[1]) < SIZE[1] / 2 and on[2] < 0.07
    )
    free = all(rig.privileged_pad_forces(side)[:, 0].sum() < 0.1 for side in "lr")
    lifted = max(privileged_height) > 0.12
    level = max(privileged_tilt) < TILT_MAX
    return {
        "success": bool(stands and level and near and lifted and free),
        "privileged_tilt_deg": float(np.degrees(max(privileged_tilt))),
        "privileged_lift_m": max(privileged_height),
        "near": near,
        "stands": stands,
        "free": free,
        "outcome": outcome,
        "seconds": skill.time,
    }
