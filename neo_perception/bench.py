"""How well perception sees: measured on rendered stereo pairs, against the plant's truth.

The head sweeps its gaze over the table while the base sways; encoders, the base's estimate and the images
carry noise; in every other seed things are put in front of others. Truth is used for the score alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from neo_description import parameters, scenes
from neo_description.signals import DetectedObject, StereoFrame
from neo_description.tables import BODY
from neo_perception.head_pose import HeadPose
from neo_perception.perception import PARAMETERS, Perception
from neo_sensors.camera import open_camera

FRAMES = 25  # pairs a seed, at 10 Hz
SETTLE = 3  # pairs before scoring: a thing is reported from its second sight on
NEAR, FAR = 0.3, 0.9  # m from the left camera: things that are scored
PLAIN = 100  # px of a thing in the left image that make it one that should be reported
CLAIM = 0.06  # m: a report further than this from every thing is a false one
ENCODER_BIAS, ENCODER_NOISE = 0.0005, 0.00005  # rad, as in neo_sim
TILT, TILT_ERROR = 0.015, 0.003  # rad: sway of the base, error of its estimate


@dataclass
class Tally:
    """What is counted over all pairs."""

    errors: list[float] = field(default_factory=list)
    hidden_errors: list[float] = field(default_factory=list)
    due: int = 0
    reported: int = 0
    right_class: int = 0
    false: int = 0
    frames: int = 0
    cpu: list[float] = field(default_factory=list)


def measure(
    seeds: Iterable[int],
    objects_file: Path | str | None = None,
    scene: str = "kitchen_table",
    progress: Callable[[int, int], None] | None = None,
    scene_file: Path | str | None = None,
) -> dict[str, dict[str, Any]]:
    """Figures by id, each ``{"value", "unit", "n"}``. ``progress(done, of)`` is called after each seed."""
    seeds = list(seeds)
    tally = Tally()
    for done, seed in enumerate(seeds, 1):
        look(seed, tally, objects_file, scene, scene_file)
        if progress is not None:
            progress(done, len(seeds))
    errors = 1e3 * np.array(tally.errors or [np.nan])
    hidden = 1e3 * np.array(tally.hidden_errors or [np.nan])
    rows = {
        "position_error_p50_mm": (np.percentile(errors, 50), "mm", len(tally.errors)),
        "position_error_p95_mm": (np.percentile(errors, 95), "mm", len(tally.errors)),
        "hidden_position_error_p95_mm": (np.percentile(hidden, 95), "mm", len(tally.hidden_errors)),
        "recall": (tally.reported / max(tally.due, 1), "1", tally.due),
        "class_accuracy": (tally.right_class / max(tally.reported, 1), "1", tally.reported),
        "false_positives_per_frame": (tally.false / max(tally.frames, 1), "1", tally.frames),
        "cpu_ms_p50": (np.percentile(tally.cpu or [np.nan], 50), "ms", len(tally.cpu)),
    }
    return {f"perception.{k}": {"value": float(v), "unit": u, "n": n} for k, (v, u, n) in rows.items()}


def look(
    seed: int,
    tally: Tally,
    objects_file: Path | str | None = None,
    scene: str = "kitchen_table",
    scene_file: Path | str | None = None,
    watch: Callable[[StereoFrame, Perception], None] | None = None,
) -> None:
    """One seed's sweep into ``tally``; ``watch`` sees every pair and what was made of it."""
    rng = np.random.default_rng([seed, 77])
    world = scenes.make(scene, seed, objects_file=objects_file, scene_file=scene_file)
    camera = open_camera("sim", world.model, seed=seed)
    truth = world.data()
    if seed % 2:
        _hide(world, truth, rng)
    params = parameters.load(PARAMETERS, objects_file=str(objects_file or ""))
    perception, head = Perception(params), HeadPose()
    sweep = _Sweep(world, rng)
    bias = rng.normal(0, ENCODER_BIAS, len(BODY.joints))
    for k in range(FRAMES):
        now = 0.1 * k
        # Encoders arrive at their own times; the image's lies between two.
        for t in (now - 0.006, now + 0.004):
            q = sweep.joints(t) + bias + rng.normal(0, ENCODER_NOISE, len(BODY.joints))
            head.add(t, q)
        truth.qpos[world.index.body_qpos] = sweep.joints(now)
        T_world_base = sweep.base(now)
        truth.qpos[world.index.base_qpos[:3]] = T_world_base[:3, 3]
        mujoco.mju_mat2Quat(truth.qpos[world.index.base_qpos[0] + 3 :][:4], T_world_base[:3, :3].ravel())
        mujoco.mj_kinematics(world.model, truth)
        camera.set_state(truth.qpos)
        frame = camera.read(now, 50 * k)
        T_odom_base = T_world_base.copy()
        T_odom_base[:3, :3] = _turn(rng.normal(0, TILT_ERROR, 2)) @ T_odom_base[:3, :3]
        start = time.process_time()
        seen = perception.update(frame, head.at(now), T_odom_base, head.joints(now))
        tally.cpu.append(1e3 * (time.process_time() - start))
        if watch is not None:
            watch(frame, perception)
        if k >= SETTLE:
            _score(tally, seen.objects, world, truth, T_world_base, camera)
    camera.close()


class _Sweep:
    """Joints and base over time: the gaze wanders over the table, the trunk and arms a little."""

    def __init__(self, world: scenes.Scene, rng: np.random.Generator) -> None:
        self._q = world.qpos[world.index.body_qpos].copy()
        self._q[BODY.index("neck_pitch")] = 0.8
        self._base = world.qpos[world.index.base_qpos[:3]].copy()
        self._amplitude = np.zeros(len(BODY.joints))
        for joint, size in (
            ("neck_yaw", 0.3), ("neck_pitch", 0.15), ("torso_yaw", 0.1), ("torso_pitch", 0.05),
            ("l_shoulder_pitch", 0.15), ("r_shoulder_pitch", 0.15),
        ):  # fmt: skip
            self._amplitude[BODY.index(joint)] = size
        self._rate = rng.uniform(1.0, 3.0, len(BODY.joints))  # rad/s
        self._phase = rng.uniform(0, 2 * np.pi, len(BODY.joints))
        self._tilt = rng.normal(0, TILT, 2)
        self._sway = rng.normal(0, 0.01, 3)

    def joints(self, t: float) -> np.ndarray:
        q = self._q + self._amplitude * np.sin(self._rate * t + self._phase)
        return np.clip(q, BODY.q_min, BODY.q_max)

    def base(self, t: float) -> np.ndarray:
        T = np.eye(4)
        T[:3, :3] = _turn(self._tilt * np.sin(1.5 * t))
        T[:3, 3] = self._base + self._sway * np.sin(1.1 * t)
        return T


def _turn(angles: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) by small ``angles`` (2,) rad about x and y."""
    quat, R = np.zeros(4), np.zeros(9)
    mujoco.mju_axisAngle2Quat(
        quat, np.r_[angles, 0] / max(np.linalg.norm(angles), 1e-12), np.linalg.norm(angles)
    )
    mujoco.mju_quat2Mat(R, quat)
    return R.reshape(3, 3)


def _hide(world: scenes.Scene, truth: mujoco.MjData, rng: np.random.Generator) -> None:
    """Puts things in front of others, as the head sees them, with 12 to 35 mm between their sides."""
    head = truth.cam("head_left").xpos[:2]
    order = rng.permutation(len(world.objects))
    for front, back in zip(order[0::2], order[1::2], strict=False):
        a, b = world.objects[front], world.objects[back]
        spot = truth.qpos[b.qpos[:2]]
        towards = (head - spot) / np.linalg.norm(head - spot)
        angle = rng.uniform(-0.5, 0.5)
        c, s = np.cos(angle), np.sin(angle)
        gap = 0.5 * np.hypot(*a.size[:2]) + 0.5 * np.hypot(*b.size[:2]) + rng.uniform(0.0, 0.03)
        place = spot + gap * np.array([c * towards[0] - s * towards[1], s * towards[0] + c * towards[1]])
        others = [truth.qpos[o.qpos[:2]] for o in world.objects if o not in (a, b)]
        clear = all(np.linalg.norm(place - other) > 0.09 for other in others)
        if clear and world.table is not None and place[0] > world.table.front + 0.04:
            truth.qpos[a.qpos[:2]] = place
    mujoco.mj_kinematics(world.model, truth)


def _score(
    tally: Tally, seen: list[DetectedObject], world: scenes.Scene, truth: mujoco.MjData,
    T_world_base: np.ndarray, camera: Any,
) -> None:  # fmt: skip
    shown = camera.privileged_geoms()
    eye = truth.site("head_left_camera_optical_frame").xpos
    tally.frames += 1
    places = {o.name: truth.xpos[o.body] for o in world.objects}
    reports = [(T_world_base @ r.T_base_object)[:3, 3] for r in seen]
    claimed: set[int] = set()
    for thing in world.objects:
        pixels = int(np.isin(shown, np.flatnonzero(world.model.geom_bodyid == thing.body)).sum())
        if not NEAR <= np.linalg.norm(places[thing.name] - eye) <= FAR:
            continue
        off = [
            float(np.linalg.norm(p - places[thing.name])) if r.color == thing.color else np.inf
            for p, r in zip(reports, seen, strict=True)
        ]
        best = int(np.argmin(off)) if off else -1
        found = best >= 0 and off[best] < CLAIM and best not in claimed
        if pixels >= PLAIN:
            tally.due += 1
            tally.reported += found
        if found:
            claimed.add(best)
            tally.errors.append(off[best])
            tally.right_class += seen[best].class_name == thing.class_name and pixels >= PLAIN
            if seen[best].visible_fraction < 0.7:
                tally.hidden_errors.append(off[best])
    for k, place in enumerate(reports):
        near_any = any(np.linalg.norm(place - p) < CLAIM for p in places.values())
        tally.false += k not in claimed and not near_any


def main() -> None:
    """``python -m neo_perception.bench``: prints the figures of ten seeds."""
    for name, row in measure(range(10)).items():
        print(f"{name:45s} {row['value']:8.3f} {row['unit']:3s} n={row['n']}")


if __name__ == "__main__":
    main()
