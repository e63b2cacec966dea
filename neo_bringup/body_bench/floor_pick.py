"""A thing on the floor before the feet: taken with a hand, brought up, held while the robot stands.

What acts is the planner of ``do_task`` on estimated state and felt touch. Where the thing stands it is told
once, as perception would say it before the robot bends: the true place, a few millimetres off. Nothing tells
it later whether the thing is still there, nor whether it came along.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure
from neo_bringup.body_bench.lab import Robot
from neo_description import objects, scenes
from neo_description.signals import DetectedObject, Scene
from neo_description.tables import CONTROL_RATE
from neo_task import prompt, scripted
from neo_task.planner import Observation, Outcome

PARTS = ("pick",)
THINGS = ("red_bottle", "yellow_box", "green_cup", "blue_bottle", "white_can")
X, Y, YAW = (0.36, 0.48), (0.08, 0.26), math.pi  # m, m to either side, rad to either side
SEEN = 0.003  # m: standard deviation of each coordinate of the place that is told
HOLD = 2.0  # s
UP = 0.60  # m: the thing's foot must be at least so high all the while it is held
STANDS = 0.05  # m: base_link as high as before it bent, give or take
IN_HAND = 0.12  # m: from the gripper to the thing's middle, at most
EVERY = CONTROL_RATE // 50  # ticks between two of the planner's steps
Say = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, say: Say) -> dict[str, Any]:
    """One pick by robot ``seed``; ``done`` is judged by the truth."""
    rng = np.random.default_rng((seed, 15))
    thing = objects.registry()[THINGS[seed % len(THINGS)]]
    side = rng.choice((-1.0, 1.0))
    foot = (rng.uniform(*X), side * rng.uniform(*Y), 0.0)
    placed = scenes.Placed(thing, foot, rng.uniform(-YAW, YAW))
    robot = Robot(seed, scene=scenes.furnish("floor", [placed], posture="stand", seed=seed)).stand()
    judge = _Judge(robot, thing.name)
    outcome = pick(robot, thing, told(robot, thing.name, rng), judge.look)
    done = outcome is not None and outcome.success and judge.held()
    word = "fell" if robot.fell else "no answer" if outcome is None else outcome.message
    say(f"{thing.name} at x {foot[0]:.2f}, y {foot[1]:+.2f} m: {'done' if done else 'failed'}, {word}")
    return robot.sample() | {"done": bool(done), "fell": robot.fell, "thing": thing.name, "outcome": word}


def told(robot: Robot, name: str, rng: np.random.Generator) -> np.ndarray:
    """Pose (4, 4) in odom of a thing as perception would give it: of the truth, seen from the pelvis."""
    T = robot.privileged_seen(name)
    T[:3, 3] += rng.normal(scale=SEEN, size=3)
    return T


def pick(
    robot: Robot, thing: objects.Thing, T_odom_thing: np.ndarray, each: Callable[[], None]
) -> Outcome | None:
    """The planner picks up what it is told stands at ``T_odom_thing`` (4, 4); ``None``: the robot fell."""
    task = prompt.parse(f"pick up the {thing.color} {thing.class_name}", scripted.default_vocabulary())
    planner = scripted.scripted(task, scripted.load_parameters(hold_time=HOLD))
    begun = robot.plant.time
    while not robot.fell:
        robot.tick()
        each()
        if robot.ticks % EVERY:
            continue
        estimate, now = robot.body.estimate, robot.plant.time
        seen = DetectedObject(
            0, thing.class_name, thing.color, np.linalg.inv(estimate.T_odom_base) @ T_odom_thing,
            np.zeros((6, 6)), thing.size, 1.0, 1.0, begun,
        )  # fmt: skip
        status = {side: hand.status for side, hand in robot.hands.items()}
        step = planner.step(Observation(now, estimate, status, Scene(now, [seen])))
        for command in step.body:
            robot.body.command(command)
        for side, hand_command in step.hands:
            robot.hands[side].command(hand_command)
        if step.outcome is not None:
            return step.outcome
    return None


class _Judge:
    """Watches the truth: since when the thing is in a hand, high up, while the robot stands."""

    def __init__(self, robot: Robot, name: str):
        self._robot, self._name = robot, name
        self._stood = robot.plant.privileged.base_pose[2, 3]
        self._since: float | None = None

    def look(self) -> None:
        """After every tick."""
        truth, now = self._robot.plant.privileged, self._robot.plant.time
        middle = truth.object_pose(self._name)[:3, 3]
        near = min(np.linalg.norm(self._robot.gripper(s)[:3, 3] - middle) for s in "lr") < IN_HAND
        stands = abs(truth.base_pose[2, 3] - self._stood) < STANDS
        if not (near and stands and truth.object_foot(self._name) > UP):
            self._since = None
        elif self._since is None:
            self._since = now

    def held(self) -> bool:
        """Whether it has been held for ``HOLD`` s."""
        return self._since is not None and self._robot.plant.time - self._since >= HOLD - 0.1


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """``body.floor_pick``."""
    good = [s["done"] for s in samples.values()]
    return [Figure("body.floor_pick", sum(good) / len(good) if good else math.nan, len(good))]
