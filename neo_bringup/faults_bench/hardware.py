"""Broken tendons, drives, encoders, IMUs and pads: found, how soon, and does the robot stand?

The whole robot in one process (NeoEnv). A fault strikes while it stands (``cuts``: every tendon of the body
in turn) or while it squats and reaches, where a jam or a frozen encoder shows (``drives``, ``sensors``,
``hands``). ``healthy`` runs have another mass for each link (10 %), other moment arms (5 %), pushes, reaches
and squats: all that is found there is a false alarm, and so is what is found of parts that are not broken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neo_bringup.bench.figures import Figure, quantile
from neo_description.signals import HandAction, HandCommand, Safety, WholeBodyCommand
from neo_description.tables import BODY, CONTROL_RATE, HAND, SIDES, prefixed
from neo_sim.env import NeoEnv
from neo_sim.faults import KINDS

PARTS = ("healthy", "cuts", "drives", "sensors", "hands")
HEALTHY, EACH = 6, 8  # runs without a fault; with each kind of fault
AFTER, LONG_AFTER = 1.5, 3.0  # s that a run goes on after its fault; after one that may make the robot fall
SHOWS = {"stuck": 0.012, "jam": 0.004}  # rad that its joint must have moved before the fault can be seen
PELVIS = 0.45  # m above the ground: lower counts as a fall
MASSES, ARMS = 0.1, 0.05
Progress = Callable[[str], None]
Run = dict[str, Any]


def measure(part: str, seed: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """One of ``PARTS``: its runs, one after the other."""
    rng = np.random.default_rng((seed, PARTS.index(part)))
    if part == "healthy":
        runs = [healthy(seed * 100 + i) for i in range(HEALTHY)]
    elif part == "cuts":
        runs = struck(seed, [("cut", tendon) for tendon in BODY.tendons], progress, moving=False)
    else:
        runs = struck(seed, list(_drawn(part, rng)), progress, moving=True)
    return {"runs": runs}


def _drawn(part: str, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Faults (kind, part) drawn at random, ``EACH`` of a kind."""
    legs_and_arms = [t for t in BODY.tendons if not t.startswith("neck")]
    moves = [
        j for j in BODY.joints if any(part in j for part in ("hip_pitch", "knee", "ankle_pitch", "elbow"))
    ]
    fingers = [t for side in SIDES for t in prefixed(side, HAND.tendons) if "flex" in t]
    if part == "drives":
        of = dict.fromkeys(("slack", "jam", "overpull", "hot"), legs_and_arms)
        # a jam shows where something moves, heat where something is asked for
        of["jam"] = [t for t in BODY.tendons if t.rsplit("_", 1)[0] in moves]
        of["hot"] = [f"{side}_{t}" for side in SIDES for t in ("knee_pitch_minus", "hip_pitch_plus")]
    elif part == "sensors":
        of = {
            "stuck": moves,
            "offset": list(BODY.joints),
            "lost": list(BODY.joints),
            "frozen": ["pelvis", "head"],
        }
    else:
        joints = [j for side in SIDES for j in prefixed(side, HAND.joints) if "flex" in j]
        of = {"cut": fingers, "offset": joints, "lost": joints}
    return [
        (kind, str(where)) for kind, parts in of.items()
        for where in rng.choice(parts, min(EACH, len(parts)), replace=False)
    ]  # fmt: skip


def standing(env: NeoEnv, seed: int) -> None:
    """A fresh robot that has stood up."""
    env.reset(seed)
    env.step(10)  # until the soles bear the weight
    env.stand()
    for side in SIDES:
        env.command_hand(side, HandCommand(HandAction.OPEN))
    env.step(CONTROL_RATE // 2)


def struck(
    seed: int,
    faults: Sequence[tuple[str, str]],
    progress: Progress,
    moving: bool,
    sim: dict[str, Any] | None = None,
) -> list[Run]:
    """One run for each (kind, part); ``sim``: overrides of the plant's parameters."""
    env, runs = NeoEnv("empty", seed, sim=sim), []
    for i, (kind, part) in enumerate(faults):
        standing(env, seed * 1000 + i)
        if moving:
            _set_moving(env, i)
            env.step(CONTROL_RATE // 5)
        strikes = env.plant.time
        joint = part.rsplit("_", 1)[0] if part in BODY.tendons else part
        was = _angle(env, joint)
        env.plant.fault(kind, part)
        fell, visible = False, strikes
        for _ in range(round((AFTER if moving else LONG_AFTER) * CONTROL_RATE)):
            env.step()
            if visible == strikes and abs(_angle(env, joint) - was) > SHOWS.get(kind, math.inf):
                visible = env.plant.time
            fell = fell or _down(env)
        mine = [f for f in _found(env) if f.part == part]
        wrong = [str(f) for f in _found(env) if f not in mine]
        run = {
            "kind": kind, "part": part, "found": [f.kind for f in mine],
            "ms": 1000.0 * (mine[0].time - strikes) if mine else math.nan,
            "after_ms": 1000.0 * (mine[0].time - visible) if mine else math.nan,
            "false": wrong,
            "fell": fell, "seconds": strikes,
        }  # fmt: skip
        runs.append(run)
        word = f"after {run['ms']:.0f} ms" if mine else "NOT FOUND"
        progress(
            f"{kind} {part}: {word}{', fell' if fell else ''}{', also ' if wrong else ''}{', '.join(wrong)}"
        )
    env.close()
    return runs


def healthy(seed: int) -> Run:
    """A run without a fault, on a robot that is not quite the one of the tables."""
    env = NeoEnv("empty", seed, sim={"mass_error": MASSES, "arm_error": ARMS})
    rng = np.random.default_rng(seed)
    standing(env, seed)
    fell = False
    for i in range(4):
        _set_moving(env, i)
        angle = rng.uniform(0.0, 2.0 * math.pi)
        force = 50.0 * np.array([math.cos(angle), math.sin(angle), 0.0])
        env.plant.push(str(rng.choice(["torso", "head", "base_link"])), force, 0.1)
        env.step(CONTROL_RATE)
        fell = fell or _down(env)
    run = {"kind": "none", "false": [str(f) for f in _found(env)], "fell": fell, "seconds": env.plant.time}
    env.close()
    return run


def _set_moving(env: NeoEnv, i: int) -> None:
    """Squat and rise in turn, hands to and fro, fists and open hands."""
    heights, ahead = (0.70, 0.83), (0.30, 0.42)
    T = {side: env.body.estimate.T_odom_base.copy() for side in SIDES}
    turned = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])  # palms inwards, thumbs up
    for side, left in zip(SIDES, (1.0, -1.0), strict=True):
        T[side][:3, :3] = turned if side == "r" else turned @ np.diag([1.0, -1.0, -1.0])
        T[side][:3, 3] = (ahead[i % 2], 0.22 * left, 0.95 + 0.1 * (i % 2))
    env.command_body(
        WholeBodyCommand(
            base_height=heights[i % 2], T_l_hand=T["l"], T_r_hand=T["r"], start=env.plant.time, valid_for=10.0
        )
    )
    bent = np.where(["flex" in j for j in HAND.joints], 0.9 if i % 2 == 0 else 0.3, 0.0)
    for side in SIDES:
        env.command_hand(side, HandCommand(HandAction.JOINTS, joint_position=np.minimum(bent, HAND.q_max)))


def _found(env: NeoEnv) -> list[Any]:
    """What the robot found in itself; of hands with the side before the part's name."""
    rows = list(env.body.health.found)
    for side in SIDES:
        rows += [type(f)(f.kind, f"{side}_{f.part}", f.time) for f in env.hands[side].health.found]
    return rows


def _angle(env: NeoEnv, joint: str) -> float:
    """True angle (rad) of a joint of the body; 0 of anything else."""
    if joint not in BODY.joints:
        return 0.0
    return float(env.plant.data.qpos[env.plant.index.body_qpos[BODY.index(joint)]])


def _down(env: NeoEnv) -> bool:
    low = env.plant.privileged.base_pose[2, 3] < PELVIS
    return bool(low or env.plant.privileged.fallen or env.body.safety.state == Safety.FALLING)


def figures(samples: dict[str, dict[str, Any]]) -> list[Figure]:
    """``faults.*``: shares found, times to it, false alarms and falls."""
    runs = [run | {"of": part.split("/")[-1]} for part, sample in samples.items() for run in sample["runs"]]
    every = [run for run in runs if run["kind"] != "none"]
    out = []
    for kind in [k for k in KINDS if any(run["kind"] == k for run in every)]:
        for name, mine in (
            (kind, [r for r in every if r["kind"] == kind and r["of"] != "hands"]),
            (f"hand_{kind}", [r for r in every if r["kind"] == kind and r["of"] == "hands"]),
        ):
            if mine:
                out += _times(name, mine)
    cuts = [run for run in every if run["of"] == "cuts"]
    out.append(_share("cut_standing", cuts, [not run["fell"] for run in cuts]))
    others = [run for run in every if run["of"] != "cuts"]
    out.append(Figure("faults.others_fell", sum(run["fell"] for run in others), len(others)))
    calm = [run for run in runs if run["kind"] == "none"]
    seconds = sum(run["seconds"] for run in calm)
    told = sorted({word for run in runs for word in run["false"]})
    out.append(
        Figure(
            "faults.false_alarms", sum(len(run["false"]) for run in calm), len(calm), f"in {seconds:.0f} s"
        )
    )
    out.append(
        Figure("faults.wrong_parts", sum(len(run["false"]) for run in every), len(every), ", ".join(told[:6]))
    )
    out.append(Figure("faults.hardware_runs", len(runs), len(runs)))
    return out


def _share(name: str, runs: Sequence[Run], good: Sequence[bool]) -> Figure:
    bad = [run["part"] for run, ok in zip(runs, good, strict=True) if not ok]
    value = sum(good) / len(good) if good else math.nan
    return Figure(f"faults.{name}", value, len(runs), f"not: {', '.join(bad[:8])}" if bad else "")


def _times(name: str, runs: Sequence[Run]) -> list[Figure]:
    """Share found and time to it, from when a fault can be seen at all (``SHOWS``)."""
    ms = [float(run["after_ms"]) for run in runs if run["found"]]
    out = [_share(f"{name}_detected", runs, [bool(run["found"]) for run in runs])]
    for word, q in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)):
        out.append(Figure(f"faults.{name}_ms_{word}", quantile(ms, q), len(ms)))
    return out
