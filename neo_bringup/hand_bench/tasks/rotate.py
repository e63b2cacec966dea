"""Turn a ball over in the hand, by a quarter turn or more against the hand, and keep it.

The ball is put on the fingers near the palm. Scatter: ± 5 mm along and across, radius 20 mm ± 5 %, 40 g
± 30 %, friction 0.5 to 0.9.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from neo_bringup.hand_bench import skill_trial
from neo_description.contact import OBJECT, SOLIMP, SOLREF, WORLD
from neo_description.hand import directions, rotation
from neo_hand_control.skills.frames import from_gripper
from neo_hand_control.skills.rotate import Rotate
from neo_sim.hand_rig import HandRig

FAR_ENOUGH = np.pi / 2  # rad
PLACE = (0.125, 0.0, 0.038)  # m along u, v, w: where the ball is put
HELD_AFTER = 1.0  # s: the hand keeps still, the ball must stay


class Ball:
    """The scenery: a ball that is let go just above the fingers."""

    def __init__(self, seed: int, side: str, turn: np.ndarray):
        rng = np.random.default_rng([10, seed])
        along, across = rng.uniform(-0.005, 0.005, 2)
        self.radius = 0.02 * rng.uniform(0.95, 1.05)
        self.mass = 0.04 * rng.uniform(0.7, 1.3)
        self.friction = rng.uniform(0.5, 0.9)
        place = directions(side) @ (np.array(PLACE) + np.array([along, across, 0.0]))
        self.place = rotation(turn) @ from_gripper(side, place)

    def add(self, spec: mujoco.MjSpec) -> None:
        """The ball, free."""
        ball = spec.worldbody.add_body(name="ball", pos=self.place)
        ball.add_freejoint(name="ball")
        geom = ball.add_geom(
            name="ball", type=mujoco.mjtGeom.mjGEOM_SPHERE, size=(self.radius, 0.0, 0.0), mass=self.mass,
            friction=(self.friction, 0.005, 0.0005), priority=1, condim=6,
            contype=WORLD | OBJECT, conaffinity=WORLD | OBJECT, rgba=(0.2, 0.7, 0.3, 1.0),
        )  # fmt: skip
        geom.solref, geom.solimp = SOLREF, SOLIMP


def measure(seed: int, side: str = "r", watch: Any = None) -> dict[str, Any]:
    """One ball; ``success``: turned by a quarter turn or more in the hand, and still there a second later."""
    skill = Rotate(side)
    ball = Ball(seed, side, np.asarray(skill.start[side][1]))
    rig = HandRig(side, seed=seed, scenery=[ball.add])
    env = skill_trial.ready(skill, rig)
    body, wrist = rig.data.body("ball"), rig.data.body(f"{side}_wrist")
    begun: np.ndarray | None = None
    most = 0.0

    def each() -> None:
        nonlocal begun, most
        R = wrist.xmat.reshape(3, 3).T @ body.xmat.reshape(3, 3)
        if begun is None and skill.time > 0.6:  # it has settled
            begun = R
        if begun is not None:
            most = max(most, privileged_angle(begun, R))
        if watch is not None:
            watch(env, skill, most)

    outcome = skill_trial.run(skill, env, 20.0, each)
    env.run(HELD_AFTER)
    each()
    assert begun is not None
    angle = privileged_angle(begun, wrist.xmat.reshape(3, 3).T @ body.xmat.reshape(3, 3))
    away = float(np.linalg.norm(body.xpos - rig.data.site(f"{side}_gripper").xpos))
    return {
        "success": bool(outcome == "done" and angle >= FAR_ENOUGH and away < 0.12),
        "outcome": outcome,
        "angle": angle,
        "angle_most": most,
        "angle_felt": skill.angle,
        "away": away,
        "seconds": skill.time,
    }


def privileged_angle(begun: np.ndarray, now: np.ndarray) -> float:
    """Angle (rad) between two attitudes (3, 3)."""
    return float(np.arccos(np.clip((np.trace(begun.T @ now) - 1.0) / 2.0, -1.0, 1.0)))
