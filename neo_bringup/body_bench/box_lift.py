"""A box too wide for a hand, lifted from a low stand between both hands, held, and put down again.

Where the box stands the robot is told, as perception would say it: the true place, a few millimetres and half
a degree off. Everything else it feels: when its hands meet the box, what weighs on them, when the box stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_body_control.box_lift import BoxLift, flat_hand
from neo_bringup.bench.figures import Figure
from neo_bringup.body_bench.lab import Robot
from neo_description import scenes
from neo_description.objects import Shape, Thing
from neo_description.tables import CONTROL_RATE
from neo_sim.privileged import Privileged

PARTS = ("lift",)
SIZE = (0.25, 0.30, 0.20)  # m: away from the robot, between the hands, high
MASS, FRICTION = (1.0, 3.0), (0.5, 0.9)  # kg; against anything
X, Y, YAW = (0.38, 0.42), 0.02, 0.10  # m, m and rad to either side
STAND = (0.58, 0.70)  # m: height of what it stands on
SEEN, TURNED = 0.003, math.radians(0.5)  # standard deviations of what is told
LIFT, HOLD = 0.18, 2.5  # m, s asked for
UP, LONG = 0.15, 2.0  # m, s: the box's middle must be raised by so much for so long
LEVEL = math.cos(math.radians(25.0))  # and stay as level as this
EVERY = CONTROL_RATE // 50  # ticks between two steps of the lift
Say = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, say: Say) -> dict[str, Any]:
    """One lift by robot ``seed``; ``done`` is judged by the truth."""
    rng = np.random.default_rng((seed, 16))
    mass, friction, top = (float(rng.uniform(*row)) for row in (MASS, FRICTION, STAND))
    foot = (rng.uniform(*X), rng.uniform(-Y, Y), top)
    robot = Robot(seed, scene=stand_with_box(mass, friction, foot, rng.uniform(-YAW, YAW))).stand()
    lift = BoxLift(told(robot, rng), np.array(SIZE), LIFT, HOLD)
    for hand in robot.hands.values():
        hand.command(flat_hand())
    judge, pressed = _Judge(robot.plant.privileged, top), [0.0]
    while not (robot.fell or lift.outcome):
        robot.tick()
        judge.look(robot.plant.time)
        if robot.ticks % EVERY == 0:
            robot.body.command(lift.step(robot.plant.body_state(), robot.body.estimate, EVERY / CONTROL_RATE))
            pressed.append(max(lift.squeeze.normal.values()))
    done = lift.outcome == "done" and judge.good()
    word = "fell" if robot.fell else lift.outcome
    say(
        f"box of {mass:.1f} kg, friction {friction:.2f}: {'lifted' if done else 'failed'}, {word};"
        f" {100 * judge.highest:.0f} cm up, {judge.held:.1f} s high, tilted {judge.tilt:.0f}° at worst,"
        f" pressed with up to {max(pressed):.0f} N"
    )
    return robot.sample() | {
        "done": bool(done), "fell": robot.fell, "outcome": word, "mass": mass, "friction": friction,
        "held": float(judge.held), "tilt": judge.tilt, "pressed": float(max(pressed)),
    }  # fmt: skip


def stand_with_box(
    mass: float, friction: float, foot: tuple[float, float, float], yaw: float
) -> scenes.Scene:
    """A low table, a carton on it with its foot at ``foot`` (3,) m, turned by ``yaw`` rad."""
    shape = Shape("box", SIZE, SIZE[2] / 2, (0.60, 0.45, 0.30))
    carton = Thing("carton", "box", "brown", mass, friction, (shape,))
    table = scenes.Table(height=foot[2], front=0.24, depth=0.50, width=0.80)
    return scenes.furnish("stand", [scenes.Placed(carton, foot, yaw)], table, "stand")


def told(robot: Robot, rng: np.random.Generator) -> np.ndarray:
    """Pose (4, 4) of the carton in odom as perception would give it: of the truth, seen from the pelvis."""
    T = robot.privileged_seen("carton")
    yaw = math.atan2(T[1, 0], T[0, 0]) + rng.normal(scale=TURNED)
    seen = np.eye(4)
    seen[:2, :2] = [[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]]
    seen[:3, 3] = T[:3, 3] + rng.normal(scale=SEEN, size=3)
    return seen


class _Judge:
    """Watches the truth. ``highest`` m, ``held`` s for which the box was high and level, longest; ``tilt``
    degrees at worst while it was off the stand."""

    def __init__(self, truth: Privileged, top: float):
        self._truth, self._top = truth, top
        self._stood = float(truth.object_pose("carton")[2, 3])
        self._since: float | None = None
        self.highest = self.held = self.tilt = 0.0

    def look(self, now: float) -> None:
        """After every tick, at plant time ``now``."""
        level, foot = self._pose()
        if foot > 0.01:
            self.tilt = max(self.tilt, math.degrees(math.acos(min(level, 1.0))))
        raised = float(self._truth.object_pose("carton")[2, 3]) - self._stood
        self.highest = max(self.highest, raised)
        if raised < UP or level < LEVEL:
            self._since = None
            return
        self._since = now if self._since is None else self._since
        self.held = max(self.held, now - self._since)

    def _pose(self) -> tuple[float, float]:
        """Cosine of its tilt; m of its foot above the stand."""
        level = float(self._truth.object_pose("carton")[2, 2])
        return level, self._truth.object_foot("carton") - self._top

    def good(self) -> bool:
        """Whether it was held for ``LONG`` s, and stands again."""
        level, foot = self._pose()
        return bool(self.held >= LONG and level > 0.999 and abs(foot) < 0.005)


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """``body.box_lift``."""
    good = [s["done"] for s in samples.values()]
    return [Figure("body.box_lift", sum(good) / len(good) if good else math.nan, len(good))]
