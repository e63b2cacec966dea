"""With its hands: poses, across a table and behind its edge, the floor, loads, a cup that stays level."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_body_control.reach import Reach
from neo_body_control.rotations import log
from neo_body_control.table_edge import Edge
from neo_body_control.targets import ARM
from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.body_bench.balance import strike
from neo_bringup.body_bench.lab import Robot, grasp_pose
from neo_description import scenes
from neo_description.kinematics import Kinematics
from neo_description.postures import posture
from neo_description.tables import BODY, SIDES

PARTS = ("reach", "edge", "floor", "carry", "cup")
POSES = 5  # a robot
REACHED, TURNED = 0.005, math.radians(2.0)
EDGE_ERROR = 0.01  # m
FLOOR, FLOOR_ERROR = 0.10, 0.01  # m: height of the gripper, and how exactly it must come there
SAG = 0.02  # m: a hand with its load must be this close to where it shall be
CUP_PUSH = 6.0  # N s
SPILLS = 10.0  # degrees
Say = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, say: Say) -> dict[str, Any]:
    """One of ``PARTS``, with robot ``seed``."""
    of = {"reach": reach, "edge": edge, "floor": floor, "carry": carry, "cup": cup}
    sample: dict[str, Any] = of[part](seed, say)
    return sample


def poses(seed: int, count: int = POSES) -> list[tuple[str, np.ndarray]]:
    """(side, pose in odom of the nominal stance) of grippers in front, by arms within 70 % of their ranges.

    Reachable by construction, whatever their orientation; the torso stands upright.
    """
    rng, kinematics = np.random.default_rng((seed, 11)), Kinematics()
    q = posture("ready").body.copy()
    middle, half = (BODY.q_max + BODY.q_min) / 2, (BODY.q_max - BODY.q_min) / 2
    out: list[tuple[str, np.ndarray]] = []
    while len(out) < count:
        side = SIDES[len(out) % 2]
        arm = ARM[side]
        q[arm] = (middle + 0.7 * half * rng.uniform(-1.0, 1.0, len(q)))[arm]
        T = kinematics.frames(q, [f"{side}_gripper"])[f"{side}_gripper"]
        x, y, z = T[:3, 3]
        if 0.25 < x < 0.60 and -0.05 < (y if side == "l" else -y) < 0.45 and -0.05 < z < 0.5:
            T[2, 3] += 0.825
            out.append((side, T))
    return out


def reach(seed: int, say: Say, robot: Robot | None = None) -> dict[str, Any]:
    """Each pose for 3 s from where the hand was; errors at the end, in m and rad. ``robot``: another one."""
    robot, errors = (robot or Robot(seed)).stand(), []
    for side, T in poses(seed):
        robot.order(**{f"T_{side}_hand": T}, hand_speed=0.5)
        robot.run(3.0)
        true = robot.gripper(side)
        turn = float(np.linalg.norm(log(true[:3, :3].T @ T[:3, :3])))
        errors.append((float(np.linalg.norm(true[:3, 3] - T[:3, 3])), turn))
        if robot.fell:
            break
        robot.order(release=(side,))
    say("reaches to " + ", ".join(f"{1000 * p:.1f} mm {math.degrees(a):.1f}°" for p, a in errors))
    return robot.sample() | {"errors": errors, "fell": robot.fell}


def edge(seed: int, say: Say) -> dict[str, Any]:
    """Each hand across the table to the other side, behind the table's edge below its top, and over it again.

    ``errors`` m after each; ``touched``: whether the robot touched the table on its ways. Of the table the
    robot knows what good eyes would see.
    """
    scene = scenes.make("kitchen_table", seed, objects=[])
    table, rng = scene.table, np.random.default_rng((seed, 13))
    assert table is not None
    robot, errors, touched = Robot(seed, scene=scene).stand(), [], False
    at = Edge(np.array([table.front, 0.0, table.height]), np.array([1.0, 0.0]))
    for side in SIDES:
        out = 1.0 if side == "l" else -1.0
        across = rng.uniform((0.40, -0.15, 0.92), (0.50, -0.05, 1.05))
        behind = rng.uniform((0.02, 0.30, 0.60), (0.10, 0.38, 0.70))
        over = rng.uniform((0.40, 0.10, 0.92), (0.50, 0.30, 1.05))
        for x, y, z in (across, behind, over):
            T = grasp_pose(side, (x, out * y, z))
            reach = Reach(robot.body, robot.body.params, side, T, tolerance=REACHED, edge=at)
            while reach.step() is None and not robot.fell:
                robot.tick()
                touched |= robot.plant.privileged.robot_touches("table_top")
            errors.append(float(np.linalg.norm(robot.gripper(side)[:3, 3] - T[:3, 3])))
    word = f"{'touched' if touched else 'clear of'} the table{', fell' if robot.fell else ''}"
    say(f"round the edge: {', '.join(f'{1000 * e:.0f}' for e in errors)} mm off, {word}")
    done = not robot.fell and not touched and max(errors) <= EDGE_ERROR
    return robot.sample() | {"done": done, "errors": errors, "touched": touched}


def floor(seed: int, say: Say) -> dict[str, Any]:
    """A hand down to the floor, there for a second, and up again."""
    robot, rng = Robot(seed).stand(), np.random.default_rng((seed, 12))
    side = SIDES[seed % 2]
    y = rng.uniform(0.10, 0.25) * (1.0 if side == "l" else -1.0)
    down = grasp_pose(side, (rng.uniform(0.30, 0.40), y, FLOOR), 0.0, 0.7)
    robot.order(**{f"T_{side}_hand": down}, hand_speed=0.3)
    robot.run(8.0)
    error = float(np.linalg.norm(robot.gripper(side)[:3, 3] - down[:3, 3]))
    up = grasp_pose(side, (0.35, y, 0.95))
    robot.order(**{f"T_{side}_hand": up}, hand_speed=0.3)
    robot.run(6.0)
    back = float(np.linalg.norm(robot.gripper(side)[:3, 3] - up[:3, 3]))
    word = ", fell" if robot.fell else ""
    say(f"floor: {1000 * error:.0f} mm off{word}, up again {1000 * back:.0f} mm off")
    done = not robot.fell and error <= FLOOR_ERROR and back <= FLOOR_ERROR
    return robot.sample() | {"done": done, "error": error}


def carry(seed: int, say: Say) -> dict[str, Any]:
    """5 kg taken into one hand, and 5 kg into each, within half a second; then lifted by 15 cm."""
    robot, done, off = Robot(seed), {}, {}
    for name, sides in (("one", ("r",)), ("two", SIDES)):
        robot.again(seed)
        targets = {s: grasp_pose(s, (0.35, 0.20 if s == "l" else -0.20, 0.90)) for s in sides}
        robot.order(**{f"T_{s}_hand": T for s, T in targets.items()})
        robot.run(2.0)
        for _ in range(10):
            for s in sides:
                robot.plant.tie(f"{s}_wrist", 0.5, np.array([0.0, 0.0, -0.10]))
            robot.run(0.05)
        robot.run(1.5)
        for T in targets.values():
            T[2, 3] += 0.15
        robot.order(**{f"T_{s}_hand": T for s, T in targets.items()}, hand_speed=0.2)
        robot.run(4.0)
        off[name] = max(float(np.linalg.norm(robot.gripper(s)[:3, 3] - T[:3, 3])) for s, T in targets.items())
        done[name] = not robot.fell and off[name] <= SAG
    say(f"carries: {', '.join(f'{k} {1000 * v:.0f} mm off' for k, v in off.items())}")
    return robot.sample() | {"done": done, "off": off}


def cup(seed: int, say: Say) -> dict[str, Any]:
    """A hand that holds a cup while the torso is pushed from four sides; ``tilt`` degrees at worst."""
    robot, worst = Robot(seed), 0.0
    for direction in (0, 90, 180, 270):
        robot.again(seed)
        robot.order(T_r_hand=grasp_pose("r", (0.40, -0.18, 0.95)))
        robot.run(2.0)
        upright = robot.gripper("r")[2, :3].copy()
        tilt = [0.0]

        def look(upright: np.ndarray = upright, tilt: list[float] = tilt) -> None:
            now = robot.gripper("r")[2, :3]
            tilt[0] = max(tilt[0], math.degrees(math.acos(min(float(now @ upright), 1.0))))

        strike(robot, CUP_PUSH, direction)
        robot.run(2.0, look)
        worst = max(worst, 180.0 if robot.fell else tilt[0])
    say(f"the cup tilts by {worst:.1f}°")
    return robot.sample() | {"tilt": worst}


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """``body.*``."""
    of = {part: [s for name, s in samples.items() if name.endswith(f"/{part}")] for part in PARTS}
    errors = [e for s in of["reach"] for e in s["errors"]]
    mm, deg = [1000 * e[0] for e in errors], [math.degrees(e[1]) for e in errors]
    out = []
    for word, q in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)):
        out.append(Figure(f"body.reach_mm_{word}", quantile(mm, q), len(mm)))
        out.append(Figure(f"body.reach_deg_{word}", quantile(deg, q), len(deg)))
    out.append(_share("edge", [s["done"] for s in of["edge"]]))
    out.append(_share("floor", [s["done"] for s in of["floor"]]))
    for name in ("one", "two"):
        out.append(_share(f"carry_{name}", [s["done"][name] for s in of["carry"]]))
    tilts = [s["tilt"] for s in of["cup"]]
    out.append(Figure("body.cup_tilt_deg", max(tilts, default=math.nan), len(tilts)))
    return out


def _share(name: str, good: list[bool]) -> Figure:
    return Figure(f"body.{name}", sum(good) / len(good) if good else math.nan, len(good))
