"""What a robot sensed, did and was told, as seen in a mirror: its left side is its right, y is -y.

    window = mirrored(window)          # columns of a store
    prompt = mirrored_prompt("push the cup to the left")   # "push the cup to the right"

The robot is symmetric, joint by joint and pad by pad, so what was recorded on one side is as true of the
other: training draws windows either way. A reflection S = diag(1, -1, 1) takes points p to S p, frames R to
S R S; turning and torque, which have a handedness, go to -S (…). Pads have their normal first and the way
to the tip second, so only their third axis turns. The left eye's picture is the right eye's, from right to
left.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np

from neo_description.skeleton import EYES
from neo_description.tables import BODY
from neo_world_model.modalities import features, part, size

Window = dict[str, np.ndarray]
BASELINE = 2 * EYES[1]  # m
POINT = (1.0, -1.0, 1.0)
TURN = (-1.0, 1.0, -1.0)
_SIGNS = {
    "gripper": (*POINT, *POINT, *TURN),  # position, first column of S R S, second
    "sole_wrench": (*POINT, *TURN),
    "wrist_wrench": (*POINT, *TURN),
    "pelvis_angular_velocity": TURN,
    "pelvis_linear_acceleration": POINT,
    "gaze": POINT,
    "eye": (*POINT, *TURN, *POINT),  # its x to the right and y down: S R diag(-1, 1, 1)
}
_SWAPPED = {"left": "right", "right": "left"}


def _other(name: str) -> str:
    side = {"l_": "r_", "r_": "l_"}.get(name[:2])
    return name if side is None else side + name[2:]


@cache
def _body() -> tuple[np.ndarray, np.ndarray]:
    """Row of each joint's twin, and the sign its angle has there; pitch joints turn alike."""
    twins = np.array([BODY.index(_other(joint)) for joint in BODY.joints])
    return twins, np.array([1.0 if joint.endswith("pitch") else -1.0 for joint in BODY.joints])


@cache
def _stacked(modality: str) -> tuple[np.ndarray, np.ndarray]:
    """Of a stacked modality: where each number comes from, and its sign."""
    rows, signs = np.zeros(size(modality), int), np.ones(size(modality))
    twins, turned = _body()
    for name, (n, _) in features(modality).items():
        to, from_ = part(modality, name), part(modality, _other(name))
        rows[to] = np.arange(from_.start, from_.stop)
        if name.startswith("body_joint"):
            rows[to], signs[to] = rows[to][twins], turned
        elif (
            name == "body_tendon_tension"
        ):  # pairs, plus and minus: the other one pulls where a joint turns over
            pairs = rows[to].reshape(-1, 2)[twins]
            rows[to] = np.where(turned[:, None] > 0, pairs, pairs[:, ::-1]).ravel()
        else:
            kind = name.removeprefix("l_").removeprefix("r_")
            signs[to] = _SIGNS.get(kind, np.ones(n))
    return rows, signs.astype(np.float32)


def _stack(modality: str, values: np.ndarray) -> np.ndarray:
    if modality == "proprio":  # the eye whose pose is kept is the left one: in the mirror, the right one
        eye = part("proprio", "eye")
        values = values.copy()
        values[..., eye.start : eye.start + 3] += BASELINE * values[..., eye.start + 3 : eye.start + 6]
    rows, signs = _stacked(modality)
    return values[..., rows] * signs


def mirrored(window: Window) -> Window:
    """Columns of a store (steps, …) in the mirror; those that have no side as they are."""
    out = dict(window)
    for name, modality in (("proprio",) * 2, ("force",) * 2, ("action",) * 2, ("lesson", "action")):
        if name in out:
            out[name] = _stack(modality, out[name])
    if "vision" in out:
        out["vision"] = out["vision"][:, ::-1, :, ::-1]
    if "touch" in out:
        out["touch"] = out["touch"][:, :, ::-1] * np.array([1.0, 1.0, -1.0], np.float32)
        out["touch_valid"] = out["touch_valid"][:, ::-1]
    for name in ("privileged_places", "privileged_begun"):
        if name in out:
            out[name] = out[name] * np.array(POINT, np.float32)
    if "privileged_pixels" in out:
        out["privileged_pixels"] = out["privileged_pixels"][:, :, ::-1] * np.array([-1.0, 1.0], np.float32)
    return out


def mirrored_prompt(prompt: str) -> str:
    """Left for right and right for left."""
    return re.sub(r"\b(left|right)\b", lambda m: _SWAPPED[m[0].lower()], prompt, flags=re.IGNORECASE)
