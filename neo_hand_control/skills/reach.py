"""Inverse kinematics of the fingers: postures that bring points of the phalanges to places.

    minimise   sum_k w_k² |x_k(q) - g_k|² + damping² |q - q_0|²      q within its limits

by Gauss-Newton steps; ``x_k`` is a point fixed in the frame of a pad, ``g_k`` m in the wrist's frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_description.tables import HAND
from neo_hand_control.grasps import MARGIN
from neo_hand_control.hand_kinematics import HandKinematics

DAMPING = 0.003  # m/rad
STEPS = 40
LONGEST = 0.2  # rad a step
ENOUGH = 1e-4  # rad


@dataclass(frozen=True)
class Goal:
    """``point`` (3,) m in the frame of ``pad`` shall be at ``place`` (3,) m in the wrist's frame."""

    pad: int
    point: np.ndarray
    place: np.ndarray
    weight: float = 1.0


def reach(kinematics: HandKinematics, goals: list[Goal], q: np.ndarray) -> np.ndarray:
    """Joint angles (22,) rad near ``q`` that best meet ``goals``; ``kinematics`` ends there."""
    near, q = q, q.copy()
    low, high = HAND.q_min + MARGIN, HAND.q_max - MARGIN
    q = np.clip(q, low, high)
    for _ in range(STEPS):
        kinematics.move(q)
        rows, misses = [], []
        for goal in goals:
            x = kinematics.p[goal.pad] + kinematics.R[goal.pad] @ goal.point
            rows.append(goal.weight * kinematics.jacobian(goal.pad, x))
            misses.append(goal.weight * (goal.place - x))
        J, miss = np.vstack(rows), np.concatenate(misses)
        free = ~(((q <= low) & (J.T @ miss < 0.0)) | ((q >= high) & (J.T @ miss > 0.0)))
        J = J * free
        A = J.T @ J + DAMPING**2 * np.eye(len(q))
        step = np.linalg.solve(A, J.T @ miss + DAMPING**2 * (near - q))
        longest = float(np.abs(step).max())
        q = np.clip(q + step * min(LONGEST / max(longest, 1e-9), 1.0), low, high)
        if longest < ENOUGH:
            break
    kinematics.move(q)
    return q
