"""People made of our own hands and body: landmarks of known postures, with noise.

The truth that retargeting is measured against: forward kinematics of random postures that keep limits and
touch nothing, passed one after another as smoothly as a person would.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import mujoco
import numpy as np

from neo_description.skeleton import HIP
from neo_description.tables import HAND, SIDES
from neo_teleop.retargeting.body_model import JOINTS, SPINE, UPPER, BodyModel, body_model
from neo_teleop.retargeting.hand_model import FINGERTIPS, HandModel, hand_model
from neo_teleop.retargeting.landmarks import BODY, HAND_21

SCALES = (0.85, 1.15)  # of a person's hand beside ours
APART = 1e-3  # m between parts of a posture
RATE = 30.0  # Hz
HOLD, MOVE = 0.2, 0.8  # s in a posture, s to the next
TRIES = 200
ROOTS = range(1, len(HAND_21), 4)  # of the fingers, in HAND_21


@dataclass(frozen=True)
class SyntheticHand:
    """``points`` (T, 21, 3) m in a frame at ``times`` (T,) s.

    The truth: ``joints`` (T, 22) rad, ``scale``, ``T_frame_wrist`` (T, 4, 4).
    """

    side: str
    times: np.ndarray
    points: np.ndarray
    joints: np.ndarray
    scale: float
    T_frame_wrist: np.ndarray


def synthetic_hand(
    side: str,
    rng: np.random.Generator,
    postures: int = 4,
    noise: float = 0.0,
    rate: float = RATE,
    odd: float = 0.0,
) -> SyntheticHand:
    """A hand of a size from ``SCALES`` that goes through so many ``postures`` while it floats and turns.

    ``noise`` (m): standard deviation of every coordinate. ``odd``: by what share each finger may be longer or
    shorter than ours. Of the postures drawn, those are taken to which a
    straight way leads without touch.
    """
    hand = hand_model(side)
    joints = _way(hand, rng, postures, rate)
    scale = float(rng.uniform(*SCALES))
    T = _floating(rng, len(joints), rate)
    ours = np.array([hand.at(q) for q in joints])
    ours = _odd(ours, 1.0 + odd * rng.uniform(-1.0, 1.0, len(FINGERTIPS)))
    points = scale * np.einsum("tij,tnj->tni", T[:, :3, :3], ours) + T[:, None, :3, 3]
    points += noise * rng.standard_normal(points.shape)
    return SyntheticHand(side, np.arange(len(joints)) / rate, points, joints, scale, T)


def _odd(points: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """``points`` (T, 21, 3) with each finger (thumb first) so many times as long from its root on."""
    out = points.copy()
    for root, factor in zip(ROOTS, factors, strict=True):
        finger = points[:, root : root + 4]
        out[:, root : root + 4] = finger[:, :1] + factor * (finger - finger[:, :1])
    return out


def posture(hand: HandModel, rng: np.random.Generator) -> np.ndarray:
    """Random joints (22,) rad of a hand whose parts do not touch."""
    while True:
        q = rng.uniform(HAND.q_min, HAND.q_max)
        if hand.clearance(q) >= APART:
            return q


def _way(hand: HandModel, rng: np.random.Generator, count: int, rate: float) -> np.ndarray:
    """(T, 22) rad through ``count`` postures; every moment of it is free of touch."""
    hold, move = round(HOLD * rate), round(MOVE * rate)
    share = np.linspace(0.0, 1.0, move + 1)[1:, None]
    share = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)  # least jerk (Flash and Hogan 1985)
    way = [np.tile(posture(hand, rng), (hold, 1))]
    while len(way) < 2 * count - 1:
        for _ in range(TRIES):
            passage = way[-1][-1] + share * (posture(hand, rng) - way[-1][-1])
            if min(hand.clearance(q) for q in passage) >= APART:
                break
        else:  # boxed in: begin elsewhere, at once
            passage = np.tile(posture(hand, rng), (move, 1))
        way += [passage, np.tile(passage[-1], (hold, 1))]
    return np.concatenate(way)


def _floating(rng: np.random.Generator, count: int, rate: float) -> np.ndarray:
    """(count, 4, 4): a pose that wanders by decimetres and turns by a radian in some seconds."""
    start = np.zeros(9)
    quat = rng.standard_normal(4)
    mujoco.mju_quat2Mat(start, quat / np.linalg.norm(quat))
    middle, axis = rng.uniform(-1.0, 1.0, 3), rng.standard_normal(3)
    axis /= np.linalg.norm(axis)
    T = np.tile(np.eye(4), (count, 1, 1))
    turned = np.zeros(9)
    for k in range(count):
        phase = 2.0 * np.pi * k / rate / 3.0
        mujoco.mju_axisAngle2Quat(quat, axis, np.sin(phase))
        mujoco.mju_quat2Mat(turned, quat)
        T[k, :3, :3] = turned.reshape(3, 3) @ start.reshape(3, 3)
        T[k, :3, 3] = middle + 0.1 * np.sin(phase + np.array([0.0, 1.0, 2.0]))
    return T


@dataclass(frozen=True)
class SyntheticBody:
    """``points`` (T, 12, 3) m in the order of ``landmarks.BODY``, our proportions, in a frame.

    The truth: ``joints`` (T, 19) rad and ``T_frame_wrist`` by side (4, 4), T of them.
    """

    points: np.ndarray
    joints: np.ndarray
    T_frame_wrist: list[dict[str, np.ndarray]]


def synthetic_body(rng: np.random.Generator, postures: int = 3, between: int = 30) -> SyntheticBody:
    """A body of our proportions that goes through ``postures`` random ones, ``between`` frames apart."""
    body = body_model()
    ends = [body_posture(body, rng) for _ in range(postures)]
    share = np.linspace(0.0, 1.0, between + 1)[1:, None]
    share = share**2 * (3.0 - 2.0 * share)
    way = np.concatenate([a + share * (b - a) for a, b in pairwise(ends)])
    joints = np.array([q for q in way if body.clearance(q) >= APART])
    points, wrists = [], []
    for q, T in zip(joints, _floating(rng, len(joints), RATE), strict=True):
        found, T_base_wrist = person(body, q)
        points.append(found @ T[:3, :3].T + T[:3, 3])
        wrists.append({side: T @ T_base_wrist[side] for side in SIDES})
    return SyntheticBody(np.array(points), joints, wrists)


def body_posture(body: BodyModel, rng: np.random.Generator) -> np.ndarray:
    """Random joints (19,) rad within 0.8 of their limits, of a body that looks ahead and touches nothing."""
    while True:
        q = 0.8 * rng.uniform(body.q_min, body.q_max)
        q[UPPER.index("neck_yaw")] = 0.0  # no joint shows it
        if body.clearance(q) >= APART:
            return q


def person(body: BodyModel, q: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Somebody at ``q`` (19,) rad: joints (12, 3) m in base_link, ``T_base_wrist`` (4, 4) by side."""
    data = body.posed(q)
    found = dict(zip(JOINTS, data.site_xpos[body.sites], strict=False)) | {
        "pelvis": np.zeros(3), "spine": SPINE,
        "l_hip": np.array([0.0, HIP, 0.0]), "r_hip": np.array([0.0, -HIP, 0.0]),
    }  # fmt: skip
    return np.array([found[name] for name in BODY]), {side: body.wrist(data, side) for side in SIDES}
