"""A person's motion, retargeted, as episodes: what the robot would have sensed of itself, had it moved so.

    episodes = read(track, video=Path("film.mp4"), prompt="put the cup on the tray")

Ten steps a second: proprioception of the retargeted joints, through the code that robots use; pictures of the
film where there is one. Force and touch are unknown and left out. A step's action is where its motion leads:
the gripper's pose a step later, and how far the fingers are bent. No robot did this: the source is
``human_video``, and by default nobody is said to have chosen the actions, so that no policy copies them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from neo_description.kinematics import Kinematics
from neo_description.signals import BodyState, HandAction, HandCommand, HandState, WholeBodyCommand
from neo_description.tables import HAND, SIDES
from neo_teleop.retargeting.follow import Motion
from neo_world_model.episode import Episode
from neo_world_model.modalities import PROVENANCE, table
from neo_world_model.sources import video as film
from neo_world_model.stepper import Stepper

SOURCE, KIND = "human_video", "retargeted"
SENSED = ("proprio",)  # of what a Stepper tells: the rest a film does not show
STEP = 1.0 / table()["rate"]  # s
SHORTEST = film.SHORTEST  # steps
GRAVITY = np.array([0.0, 0.0, 9.81])  # m/s² that an upright pelvis feels
BENT = [HAND.index(f"{finger}_{joint}_flex") for finger in ("index", "middle", "ring", "little")
        for joint in ("mcp", "pip")]  # fmt: skip
SHAPED, CLOSED = 0.2, 0.45  # mean bend of the fingers, of their range, from which a hand counts as such


def episodes(
    motions: list[Motion],
    video: Path | None = None,
    prompt: str = "",
    success: bool | None = None,
    by: str = "none",
) -> Iterator[Episode]:
    """An episode a motion of 12 steps or more; of ``video``, those that it covers, without its last step."""
    for motion in motions:
        shown = None
        if video is not None:
            shown = np.array(list(film.frames(video, float(motion.times[0]), float(motion.times[-1]))))
        steps = _steps(motion)
        count = len(steps.times) - 1  # the last one's action is not known
        count = count if shown is None else min(count, len(shown))
        if count >= SHORTEST:
            fields = _fields(steps, count)
            if shown is not None:
                fields["vision"] = shown[:count]
            who = np.full(count, PROVENANCE.index(by), np.int8)
            yield Episode(SOURCE, fields, who, prompt=prompt, success=success, kind=KIND)


def _steps(motion: Motion) -> Motion:
    """The motion at the steps' times, between moments by a straight line."""
    times = np.arange(motion.times[0], motion.times[-1] + 1e-6, STEP)

    def at(values: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(times, motion.times, column) for column in values.T], axis=1)

    return Motion(times, at(motion.body), {side: at(values) for side, values in motion.hands.items()})


def _fields(steps: Motion, count: int) -> dict[str, np.ndarray]:
    still = np.zeros((len(steps.times), len(HAND.joints)))
    hands = {side: steps.hands.get(side, still) for side in SIDES}
    speed = {
        name: np.gradient(values, STEP, axis=0) for name, values in {"body": steps.body, **hands}.items()
    }
    grippers = _grippers(steps.body)
    stepper, rows = Stepper(), list[dict[str, np.ndarray]]()
    for k in range(count):
        body = BodyState(
            joint_position=steps.body[k], joint_velocity=speed["body"][k], pelvis_linear_acceleration=GRAVITY
        )
        row = stepper.sense(
            body, {s: HandState(joint_position=hands[s][k], joint_velocity=speed[s][k]) for s in SIDES}, None
        )
        left, right = (grippers[s][k + 1] if s in steps.hands else None for s in SIDES)
        stepper.asked("body", WholeBodyCommand(STEP, frame="base_link", T_l_hand=left, T_r_hand=right))
        for side in steps.hands:
            stepper.asked(f"{side}_hand", HandCommand(_closing(hands[side][k + 1])))
        rows.append({name: row[name] for name in SENSED} | {"action": stepper.action(np.eye(4))})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _grippers(body: np.ndarray) -> dict[str, list[np.ndarray]]:
    """``T_base_gripper`` (4, 4) of each side at every step."""
    kinematics = Kinematics()
    found = [kinematics.frames(q, [f"{side}_gripper" for side in SIDES]) for q in body]
    return {side: [frames[f"{side}_gripper"] for frames in found] for side in SIDES}


def _closing(joints: np.ndarray) -> HandAction:
    """What a hand so bent would have been told; a film shows no force."""
    bend = float(np.mean(joints[BENT] / HAND.q_max[BENT]))
    if bend >= CLOSED:
        return HandAction.CLOSE
    return HandAction.PRESHAPE if bend >= SHAPED else HandAction.OPEN
