"""How large a person's hand is beside ours, and where its palm is."""

from __future__ import annotations

import numpy as np


def rigid_fit(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """``T_frame_ours`` (4, 4) that brings ``ours`` (n, 3) onto ``theirs`` (n, 3) with the least squares.

    Kabsch's algorithm (Acta Crystallographica A32, 1976).
    """
    a, b = ours.mean(axis=0), theirs.mean(axis=0)
    U, _, Vt = np.linalg.svd((theirs - b).T @ (ours - a))
    if np.linalg.det(U) * np.linalg.det(Vt) < 0.0:
        U[:, 2] = -U[:, 2]
    T = np.eye(4)
    T[:3, :3] = U @ Vt
    T[:3, 3] = b - T[:3, :3] @ a
    return T


def lengths(points: np.ndarray, bones: np.ndarray) -> float:
    """Sum of the lengths (m) of ``bones`` (n, 2), pairs of rows of ``points``."""
    ends = points[bones]
    return float(np.sqrt(np.square(ends[:, 1] - ends[:, 0]).sum(axis=1)).sum())
