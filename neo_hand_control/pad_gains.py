"""How strongly pads read, from presses of the hand against itself.

While pad *a* presses pad *b*, the tendons' torques ``tau`` balance the contact force. Let ``e`` be the
direction (unit vector, wrist's frame) of the force on *a*, which pads that read wrongly by one factor still
tell right, and ``p`` the place where they meet. Then the force's size ``s`` (N) obeys for every joint *j*

    tau_j + s c_j + rest_j = 0,        c = J_a(p)ᵀ e - J_b(p)ᵀ e

where what does not change with the press (gravity, a wrong zero of a tension) stays in ``rest``. So the
weighted mean over joints of ``-tau_j / c_j`` is ``s`` but for a constant, and the slope of a pad's reading
over ``s`` is its gain.

The gains of a whole hand are solved from all presses together (:func:`solve`), in logarithms: a press tells
each pad's gain to within the tendons' own scale errors, and the ratio of its two pads much better, because
they feel the same force.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_description.tables import TAXELS
from neo_hand_control.hand_kinematics import HandKinematics

FLOOR = 0.3  # joints with less than this share of the longest lever count for less
TOP = 0.8  # share of the greatest force above which samples are left out: there hysteresis turns round
RESPONDS = 0.3  # slope over the force asked for, from which a pad feels a press
ELSEWHERE = 0.03  # the same, from which another pad takes part in the press
PUSHED = 0.4  # share of the force asked for that the tendons must confirm
FIRM = 0.95  # correlation of reading and force
TENDONS_ERROR = 0.03  # standard deviation of a gain from tendons: tension cells, levers, posture
RATIO_ERROR = 0.005  # of the ratio of two pads' gains
PRIOR_ERROR = 0.1  # of a pad's gain, before anything is measured
TO_FORCE = np.array([-1.0, 1.0, 1.0])  # a pad's normal reading is a force against its normal


@dataclass
class Press:
    """Pad ``a`` presses pad ``b``. ``reading`` (t, 19, 3) N of all pads; ``asked`` (t,) N; ``torque`` (t, 22)
    N m by tendons; ``q`` (22,) rad the mean posture; ``push`` (3,) direction of the press, wrist's frame.
    """

    a: int
    b: int
    reading: np.ndarray
    asked: np.ndarray
    torque: np.ndarray
    q: np.ndarray
    push: np.ndarray


@dataclass
class Answer:
    """What one press told. ``gain`` (2,): of both pads by the tendons, NaN where it cannot be told;
    ``mute`` (2,) bool: the tendons confirm the press, but the pad shows nothing of it.
    """

    a: int
    b: int
    gain: np.ndarray
    mute: np.ndarray

    @property
    def felt(self) -> np.ndarray:
        """(2,) bool: which of the two pads told its gain."""
        return np.isfinite(self.gain)


def judge(press: Press, kinematics: HandKinematics, alive: np.ndarray) -> Answer:
    """Gains from one press; ``alive`` (19,) bool: which pads may be believed.

    A press that another pad feels, too, tells nothing: nobody knows how the force is shared.
    """
    kinematics.move(press.q)
    pair = [press.a, press.b]
    R = kinematics.R[pair]
    ask = press.asked - press.asked.mean()
    slopes = np.einsum("t,tpk->pk", ask, press.reading) / (ask @ ask)  # (19, 3): reading over force asked for
    felt = np.linalg.norm(slopes, axis=1) * alive
    if np.delete(felt, pair).max() > ELSEWHERE:
        return Answer(press.a, press.b, np.full(2, np.nan), np.zeros(2, bool))
    slope, feels = slopes[pair], felt[pair] > RESPONDS
    swing = press.reading[:, pair] - press.reading[:, pair].mean(axis=0)
    on_pad = np.einsum("pij,pj->pi", R, slope * TO_FORCE)  # (2, 3) in the wrist's frame
    told = feels[0] * on_pad[0] - feels[1] * on_pad[1]
    e = told if feels.any() else -press.push
    e = e / np.linalg.norm(e)
    force = _force(press, kinematics, e)
    size = force - force.min()
    pushed = float(ask @ (force - force.mean()) / (ask @ ask)) > PUSHED
    gain = np.full(2, np.nan)
    keep = size < TOP * size.max()
    for i in range(2):
        if not (feels[i] and pushed):
            continue
        along = swing[:, i] @ (slope[i] / np.linalg.norm(slope[i]))
        if np.corrcoef(along[keep], force[keep])[0, 1] > FIRM:
            gain[i] = np.polyfit(force[keep], along[keep], 1)[0]
    return Answer(press.a, press.b, gain, pushed & ~feels)


def _force(press: Press, kinematics: HandKinematics, e: np.ndarray) -> np.ndarray:
    """(t,) N: size of the force on *a* along ``e``, but for a constant."""
    _, points = kinematics.nearest(press.a, press.b)
    lever = e @ kinematics.jacobian(press.a, points[0]) - e @ kinematics.jacobian(press.b, points[1])
    weight = 1.0 / (lever**2 + (FLOOR * np.abs(lever).max()) ** 2)
    return -(press.torque @ (weight * lever)) / (weight @ lever**2)


def solve(answers: list[Answer]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gain, its standard deviation, and whether it was measured at all, each (19,).

    Least squares in ``x = log gain``: ``x_a = log g_a`` with ``TENDONS_ERROR``,
    ``x_a - x_b = log(g_a / g_b)`` with ``RATIO_ERROR``, ``x = 0`` with ``PRIOR_ERROR``.
    """
    n = len(TAXELS)
    rows, values, errors = [np.eye(n)[i] for i in range(n)], [0.0] * n, [PRIOR_ERROR] * n
    measured = np.zeros(n, bool)
    for answer in answers:
        log = np.log(answer.gain)
        for pad, felt, value in zip((answer.a, answer.b), answer.felt, log, strict=True):
            if felt:
                rows.append(np.eye(n)[pad])
                values.append(float(value))
                errors.append(TENDONS_ERROR)
                measured[pad] = True
        if answer.felt.all():
            rows.append(np.eye(n)[answer.a] - np.eye(n)[answer.b])
            values.append(float(log[0] - log[1]))
            errors.append(RATIO_ERROR)
    weight = 1.0 / np.array(errors)
    A = np.array(rows) * weight[:, None]
    information = A.T @ A
    x = np.linalg.solve(information, A.T @ (np.array(values) * weight))
    return np.exp(x), np.sqrt(np.diag(np.linalg.inv(information))), measured


def silent(answers: list[Answer], suspects: np.ndarray) -> np.ndarray:
    """(19,) bool: pads that kept silent in most presses that their tendons and their partner confirm.

    ``suspects`` (19,) bool: pads already known to be broken; these confirm nothing and need no partner.
    """
    mute, heard = np.zeros(len(TAXELS), int), np.zeros(len(TAXELS), int)
    for answer in answers:
        pair = (answer.a, answer.b)
        for i, pad in enumerate(pair):
            other = pair[1 - i]
            if answer.felt[i]:
                heard[pad] += 1
            elif answer.mute[i] and (answer.felt[1 - i] or suspects[other]):
                mute[pad] += 1
    return (mute > heard) & ~suspects
