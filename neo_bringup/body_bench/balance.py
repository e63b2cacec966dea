"""On its feet: standing still, pushed, squatting, at ease, and what idling costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo_body_control.settings import load_parameters
from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.body_bench.lab import Robot
from neo_description.tables import CONTROL_RATE

PARTS = ("quiet", "push", "squat", "idle", "ease")
STILL = 60.0  # s of quiet standing
PUSH = 9.0  # N s in 0.1 s at the torso
DIRECTIONS = tuple(range(0, 360, 45))  # degrees, 0: forward, 90: left
AFTER = 3.0  # s that a robot must stand after a push
HIGH = 0.855  # m: pelvis
IDLE = 30.0  # s in which nobody asks for anything: by then it is at ease
COUNTED = 2.5  # s at their end that count
AT_EASE = {"ease_after": 0.5}, 4.5  # s: parameters and time of a robot that shall be at ease soon
Say = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, say: Say) -> dict[str, Any]:
    """One of ``PARTS``, with robot ``seed``."""
    parts = {"quiet": quiet, "push": push, "squat": squat, "idle": idle, "ease": ease}
    sample: dict[str, Any] = parts[part](seed, say)
    return sample


def quiet(seed: int, say: Say) -> dict[str, Any]:
    """A minute of standing; ``drift`` m: farthest that the centre of mass was from where it was, level."""
    robot = Robot(seed).stand()
    robot.run(2.0)
    start, drift, tilt = robot.plant.privileged.com, [0.0], [0.0]

    def look() -> None:
        drift[0] = max(drift[0], float(np.linalg.norm((robot.plant.privileged.com - start)[:2])))
        if robot.plant.tick % 50 == 0:
            T, true = robot.body.estimate.T_odom_base, robot.plant.privileged.base_pose
            tilt[0] = max(tilt[0], float(np.arccos(min(T[2, :3] @ true[2, :3], 1.0))))

    robot.run(STILL, look)
    found = robot.body.health.report()
    say(f"stands {'not' if robot.fell else ''}: {1000 * drift[0]:.1f} mm {found}")
    return robot.sample() | {
        "fell": robot.fell, "drift": drift[0], "tilt_error": tilt[0], "false": len(robot.body.health.found)
    }  # fmt: skip


def push(seed: int, say: Say) -> dict[str, Any]:
    """Pushed from each side."""
    robot = Robot(seed)
    stood = _pushed(robot, lambda: robot.again(seed))
    say(f"falls when pushed towards {', '.join(d for d, ok in stood.items() if not ok) or 'nowhere'}")
    return robot.sample() | {"stood": stood}


def _pushed(robot: Robot, stand: Callable[[], object]) -> dict[str, bool]:
    """By direction whether it stands a push; ``stand`` makes it stand anew before each."""
    stood = {}
    for direction in DIRECTIONS:
        stand()
        strike(robot, PUSH, direction)
        robot.run(AFTER)
        stood[str(direction)] = not robot.fell
    return stood


def strike(robot: Robot, impulse: float, direction: float, link: str = "torso") -> None:
    """Push ``link`` with ``impulse`` N s within 0.1 s towards ``direction`` (degrees)."""
    a = math.radians(direction)
    robot.plant.push(link, impulse / 0.1 * np.array([math.cos(a), math.sin(a), 0.0]), 0.1)


def squat(seed: int, say: Say) -> dict[str, Any]:
    """From standing high down as low as it goes and up again; ``depth`` m that the pelvis went."""
    robot = Robot(seed).stand()
    heights = []
    high = min(HIGH, robot.body.params.highest_height)
    for height in (high, robot.body.params.lowest_height, high):
        robot.order(base_height=height)
        robot.run(5.0)
        heights.append(float(robot.plant.privileged.base_pose[2, 3]))
    depth = heights[0] - heights[1]
    say(f"squats {100 * depth:.0f} cm{', falls' if robot.fell else ''}")
    up = abs(heights[2] - heights[0]) < 0.02
    return robot.sample() | {"fell": robot.fell, "depth": 0.0 if robot.fell or not up else depth}


def idle(seed: int, say: Say) -> dict[str, Any]:
    """Sum of squared tensions (N²), on which motors' holding losses depend, soft and always stiff."""
    power = {}
    stiff = load_parameters().cocontraction_stiff
    for name, at in (("soft", None), ("stiff", {"cocontraction": stiff})):
        robot = Robot(seed, at).stand()
        robot.run(IDLE)
        power[name] = float(np.mean(robot.power[-round(COUNTED * CONTROL_RATE) :]))
    say(f"idle at {power['soft'] / power['stiff']:.2f} of what stiff takes")
    return robot.sample() | power


def ease(seed: int, say: Say) -> dict[str, Any]:
    """Pushed from each side while at ease, ``height`` m at least."""
    settings, settle = AT_EASE
    robot, height = Robot(seed, settings), []

    def stand() -> None:
        robot.again(seed).run(settle)
        height.append(float(robot.plant.privileged.base_pose[2, 3]))

    stood = _pushed(robot, stand)
    say(f"at ease at {min(height):.3f} m, stood {sum(stood.values())} of {len(stood)} pushes")
    return robot.sample() | {"stood": stood, "height": min(height)}


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """``body.*``."""
    of = {part: [s for name, s in samples.items() if name.endswith(f"/{part}")] for part in PARTS}
    out = []
    still = of["quiet"]
    out.append(Figure("body.quiet_falls", sum(s["fell"] for s in still), len(still)))
    drift = [1000 * s["drift"] for s in still]
    out.append(Figure("body.quiet_drift_mm", max(drift, default=math.nan), len(still)))
    tilt = [math.degrees(s["tilt_error"]) for s in still]
    out.append(Figure("body.quiet_tilt_error_deg", max(tilt, default=math.nan), len(still)))
    pushed = of["push"]
    shares = {d: [s["stood"][str(d)] for s in pushed] for d in DIRECTIONS}
    for d, stood in shares.items():
        out.append(Figure(f"body.push_{d:03d}", sum(stood) / max(len(stood), 1), len(stood)))
    depth = [s["depth"] for s in of["squat"]]
    out.append(Figure("body.squat_depth", min(depth, default=math.nan), len(depth)))
    ratio = [s["soft"] / s["stiff"] for s in of["idle"]]
    out.append(Figure("body.idle_power", quantile(ratio, 0.5), len(ratio)))
    eased = [stood for s in of["ease"] for stood in s["stood"].values()]
    height = min((s["height"] for s in of["ease"]), default=math.nan)
    out.append(Figure("body.ease_push", sum(eased) / max(len(eased), 1), len(eased), f"from {height:.3f} m"))
    return out
