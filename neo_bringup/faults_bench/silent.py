"""Who falls silent while the robot works: a planner, the touch of a hand, the cameras.

``planner`` and ``imagined``: the planner (``privileged_scripted``; ``world_model``) is gone at a drawn moment
while a hand moves; what counts is the plant time from its last command until the body holds, in the planner's
own periods. ``touch``: all pads of the hand that holds a plum die; it shall go on holding by position and not
crush it. All three in one process (NeoEnv). ``camera``: pictures end at a drawn moment, over DDS; what counts
is the age of the oldest picture that a step of the world model's senses still shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sensor_msgs.msg import Image

from neo_bringup.bench.figures import Figure
from neo_bringup.faults_bench.commands import some
from neo_bringup.faults_bench.lab import Lab
from neo_description import objects, scenes
from neo_description.errors import NeoError
from neo_description.signals import GraspPhase
from neo_description.tables import CONTROL_DT, CONTROL_RATE, SIDES, TAXELS, prefixed
from neo_ros import graph
from neo_ros.convert import to_time
from neo_ros.cv_bridge import CvBridge
from neo_ros.diagnostics import Diagnostics
from neo_sim.env import NeoEnv
from neo_task.planner import REPEAT_EVERY
from neo_task.scripted import load_parameters
from neo_world_model.foretell import STEP
from neo_world_model.listening import EYES, Listening
from neo_world_model.stepper import Cut

PARTS = ("planner-80", "imagined-20", "touch-100", "camera-100")
QUICK = ("planner-3", "imagined-1", "touch-3", "camera-10")
PLANNERS = {"planner": "privileged_scripted", "imagined": "world_model"}
PROMPT, PLUM = "pick up the purple fruit", "purple_plum"
SCENE_FILE = Path(__file__).with_name("plum_table.yaml")
MOVED = (0.0, 1.5)  # s for which hands moved before it is gone; drawn
MOVES = 0.05  # m/s
HELD = (0.2, 2.0)  # s after the plum is held; drawn
AFTER = 3.0  # s that the hand must hold on
DROPPED = 0.05  # m that the plum may sink meanwhile
WITHIN = 60.0  # s of plant time for a grasp, or for a motion
PICTURE_EVERY = 50  # ticks
LOOKS = (3, 8)  # pictures before they end; drawn
Progress = Callable[[str], None]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """``part``: what falls silent and how often."""
    what, _, count = part.partition("-")
    rng = np.random.default_rng(seed)
    if what == "camera":
        return {"ages": _cameras(seed, rng, int(count))}
    scene = scenes.make("plum_table", seed, scene_file=SCENE_FILE)
    env = NeoEnv(scene, seed, cameras=what == "imagined")
    runs = []
    for i in range(int(count)):
        env.reset(seed * 1000 + i)
        env.stand()
        run = _touch(env, rng) if what == "touch" else _planner(env, PLANNERS[what], rng)
        runs.append(run)
        progress(f"{what} {i + 1} of {count}: {run}")
    env.close()
    return {"runs": runs}


def _planner(env: NeoEnv, name: str, rng: np.random.Generator) -> dict[str, Any]:
    """From the last command of a planner to a body on which nothing is asked of any more."""
    env.begin(PROMPT, name)
    left, end = float(rng.uniform(*MOVED)), env.plant.time + WITHIN
    while env.outcome is None and env.plant.time < end and (left > 0.0 or _speed(env) < MOVES):
        env.step()
        left -= CONTROL_DT * (_speed(env) >= MOVES)
    env.planner = None
    last = max((given.tick for given in env.log_commands if given.target == "body"), default=env.plant.tick)
    speed = _speed(env)
    while env.body.targets.in_force:
        env.step()
    held = env.plant.tick - last
    env.step(CONTROL_RATE // 2)
    return {
        "planner": name, "hold_s": round(held * CONTROL_DT, 6), "speed": speed, "speed_after": _speed(env),
        "fell": bool(env.plant.privileged.fallen),
    }  # fmt: skip


def _speed(env: NeoEnv) -> float:
    """m/s at which the faster hand's reference moves."""
    return max(float(np.linalg.norm(env.body.targets.hands[side].point.v)) for side in SIDES)


def _touch(env: NeoEnv, rng: np.random.Generator) -> dict[str, Any]:
    env.begin(PROMPT, "privileged_scripted")
    end = env.plant.time + WITHIN
    while env.outcome is None and not _holding(env) and env.plant.time < end:
        env.step()
    sides = _holding(env)
    if not sides:
        raise NeoError(f"no hand held the plum: {env.outcome.message if env.outcome else 'not in time'}")
    env.step(round(float(rng.uniform(*HELD)) * CONTROL_RATE))
    for pad in prefixed(sides[0], TAXELS):
        env.plant.fault("dead", pad)
    truth, peak = env.plant.privileged, 0.0
    lowest = before = float(truth.object_pose(PLUM)[2, 3])
    for _ in range(round(AFTER * CONTROL_RATE)):
        env.step()
        peak = max(peak, truth.grip_force(sides[0]))
        lowest = min(lowest, float(truth.object_pose(PLUM)[2, 3]))
    lost = env.hands[sides[0]].status.phase != GraspPhase.HOLDING or before - lowest > DROPPED
    return {"held": not lost, "peak_grip_n": round(peak, 2), "sank_m": round(before - lowest, 4)}


def _holding(env: NeoEnv) -> list[str]:
    return [side for side in SIDES if env.hands[side].status.phase == GraspPhase.HOLDING]


def _cameras(seed: int, rng: np.random.Generator, count: int) -> list[float]:
    """s: by how much the oldest picture that was still shown was older than its step, run by run."""
    ages = []
    with Lab(seed=seed) as lab:
        publishers = [graph.publisher(lab.us, f"head_camera/{eye}/image_raw") for eye in EYES]
        shown: list[tuple[float, bool]] = []

        def on_cut(cut: Cut, stamp: Any) -> None:
            shown.append((stamp.sec + 1e-9 * stamp.nanosec, "vision" in cut.row))

        listening = Listening(lab.us, Diagnostics(lab.us), on_cut)
        image: Image = CvBridge().cv2_to_imgmsg(np.full((48, 64, 3), 90, np.uint8), "rgb8")
        for _ in range(count):
            for _ in range(int(rng.integers(*LOOKS))):
                lab.ticks(PICTURE_EVERY - int(rng.integers(0, 10)))
                taken = lab.tick * CONTROL_DT
                image.header.stamp = to_time(taken)
                for publisher in publishers:
                    publisher.publish(image)
            shown.clear()
            lab.ticks(CONTROL_RATE // 2)
            old = [time - taken for time, seen in shown if seen]
            ages.append(round(max(old, default=math.inf), 6))  # none at all: the pictures were not heard
        listening.close()
    return ages


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    runs = [run for sample in samples.values() for run in sample.get("runs", [])]
    ages = [age for sample in samples.values() for age in sample.get("ages", [])]
    planned, touched = [r for r in runs if "hold_s" in r], [r for r in runs if "held" in r]
    periods = {"privileged_scripted": REPEAT_EVERY, "world_model": STEP * load_parameters().replan_every}
    late = [r["hold_s"] / periods[r["planner"]] for r in planned]
    limit = objects.registry()[PLUM].crush_force or math.inf
    crushed = [str(r["peak_grip_n"]) for r in touched if r["peak_grip_n"] > limit]
    held = float(np.mean([r["held"] for r in touched])) if touched else math.nan
    worst = max((r["hold_s"] for r in planned), default=math.nan)
    fast = max((r["speed_after"] for r in planned), default=math.nan)
    n = len(planned)
    return [
        Figure("faults.silent_planner_periods_max", max(late, default=math.nan), n, f"{1e3 * worst:.0f} ms"),
        Figure("faults.silent_planner_speed_max", fast, n),
        Figure("faults.silent_planner_falls", sum(r["fell"] for r in planned), n),
        Figure("faults.silent_touch_held", held, len(touched)),
        Figure("faults.silent_touch_crushed", len(crushed), len(touched), some(crushed)),
        Figure("faults.stale_camera_ms_max", 1e3 * max(ages, default=math.nan), len(ages)),
    ]
