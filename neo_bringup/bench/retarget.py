"""Retargeting of hands and bodies whose postures are known: error, CPU time, limits, touch.

Hands are ours in another size (0.85 to 1.15), floating and turning, at 30 Hz, each frame after the one
before. Beside are measured what a device's noise does, and fingers of other lengths than ours; of these, how
far our tips stay from theirs. Errors are divided by the person's scale.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure, quantile
from neo_bringup.bench.harness import Request

SEEDS = (20, 4)  # full, quick; each a hand, and a body
NOISE = 1e-3  # m of each coordinate
ODD = 0.1  # by which a finger may be longer or shorter
POSTURES = 6  # of a hand
BODIES, BETWEEN = 3, 30  # postures of a body, frames from one to the next
TOUCH = 1e-9  # m of rounding


def parts(request: Request) -> list[str]:
    return [f"{seed}/{what}" for seed in request.seeds for what in ("hand", "noisy", "odd", "body")]


def measure(part: str, request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    seed, what = part.split("/")
    if what == "body":
        return _body(np.random.default_rng([int(seed), 1]))
    return _hand(int(seed), NOISE if what == "noisy" else 0.0, ODD if what == "odd" else 0.0)


def _hand(seed: int, noise: float, odd: float) -> dict[str, Any]:
    from neo_description.tables import HAND
    from neo_teleop.retargeting.hand import HandRetargeter
    from neo_teleop.retargeting.hand_model import FINGERTIPS
    from neo_teleop.retargeting.landmarks import HAND_21
    from neo_teleop.retargeting.synthetic import synthetic_hand

    track = synthetic_hand("lr"[seed % 2], np.random.default_rng([seed, 0]), POSTURES, noise, odd=odd)
    retargeter = HandRetargeter(track.side)
    poses, cpu = _timed(retargeter.retarget, track.points)
    tips = [HAND_21.index(name) for name in FINGERTIPS]
    errors, broken = [], 0
    for pose, q, T in zip(poses, track.joints, track.T_frame_wrist, strict=True):
        found, true = (
            scale * retargeter.hand.at(joints)[tips] @ at[:3, :3].T + at[:3, 3]
            for joints, scale, at in (
                (pose.joints, pose.scale, pose.T_frame_wrist), (q, track.scale, T),
            )
        )  # fmt: skip
        errors += (
            pose.error.tolist() if odd else (np.linalg.norm(found - true, axis=1) / track.scale).tolist()
        )
        within = (pose.joints >= HAND.q_min).all() and (pose.joints <= HAND.q_max).all()
        broken += not within or retargeter.hand.clearance(pose.joints) < -TOUCH
    return {"cpu": cpu[1:], "first_cpu": cpu[0], "error": errors, "broken": broken}


def _body(rng: np.random.Generator) -> dict[str, Any]:
    from neo_description.tables import SIDES
    from neo_teleop.retargeting.body import BodyRetargeter
    from neo_teleop.retargeting.synthetic import synthetic_body

    track = synthetic_body(rng, BODIES, BETWEEN)
    retargeter = BodyRetargeter()
    poses, cpu = _timed(
        lambda k: retargeter.retarget(track.points[k], track.T_frame_wrist[k]), range(len(track.points))
    )
    errors, broken = [], 0
    for pose, wrists in zip(poses, track.T_frame_wrist, strict=True):
        found = {side: pose.T_frame_base @ pose.T_base_wrist[side] for side in SIDES}
        errors += [float(np.linalg.norm(found[s][:3, 3] - wrists[s][:3, 3])) for s in SIDES]
        body = retargeter.body
        within = (pose.joints >= body.q_min).all() and (pose.joints <= body.q_max).all()
        broken += not within or body.clearance(pose.joints) < -TOUCH
    return {"cpu": cpu[1:], "first_cpu": cpu[0], "error": errors, "broken": broken}


def _timed(retarget: Callable[[Any], Any], frames: Any) -> tuple[list[Any], list[float]]:
    """What each frame gives, and its CPU time (s)."""
    out, cpu = [], []
    for frame in frames:
        began = time.process_time()
        out.append(retarget(frame))
        cpu.append(time.process_time() - began)
    return out, cpu


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    out = []
    for what, name in (("hand", ""), ("noisy", "noisy_"), ("odd", "odd_"), ("body", "body_")):
        mine = [sample for part, sample in samples.items() if part.endswith(what)]
        if not mine:
            continue
        cpu, error = ([x for sample in mine for x in sample[key]] for key in ("cpu", "error"))
        tip = "wrist" if what == "body" else "tip"
        out += [
            Figure(f"retarget.{name}cpu_ms_p50", 1e3 * quantile(cpu, 0.5), len(cpu)),
            Figure(f"retarget.{name}cpu_ms_p95", 1e3 * quantile(cpu, 0.95), len(cpu)),
            Figure(f"retarget.{name}{tip}_error_mm_mean", 1e3 * float(np.mean(error)), len(error)),
            Figure(f"retarget.{name}{tip}_error_mm_p95", 1e3 * quantile(error, 0.95), len(error)),
        ]
    first = [s["first_cpu"] for part, s in samples.items() if part.endswith("/hand")]
    if first:
        out.append(Figure("retarget.first_cpu_ms_p50", 1e3 * quantile(first, 0.5), len(first)))
    frames = sum(len(sample["cpu"]) + 1 for sample in samples.values())
    broken = sum(sample["broken"] for sample in samples.values())
    return [*out, Figure("retarget.broken", broken, frames)]
