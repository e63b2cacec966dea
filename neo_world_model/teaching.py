"""What a step teaches: what was asked for next, once all that was asked for before is done.

    rows, done = taught(action, proprio)      # of a whole episode

One who acts waits: for a picture, for a hand to settle, for the end of a count. A policy that is taught to
wait waits for ever, for what it sees does not change while it does. So of steps in which everything stands as
it was asked for, the policy learns what was asked for after them. When nothing was, the task is done.
"""

from __future__ import annotations

import numpy as np

from neo_description.tables import SIDES
from neo_world_model.modalities import unstack

ELSEWHERE = 0.03  # m between two targets of a gripper
ARRIVED = 0.02  # m
STILL = 0.25  # rad/s of any finger
WAITS = 1.25  # of `closing`: above, a hand gives, which is for somebody else to end


def taught(action: np.ndarray, proprio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``action`` (T, n) and ``proprio`` (T, n) as in modalities.yaml → (T,) the step whose action each step
    teaches, and (T,) bool: all is done.
    """
    steps = len(action)
    asked, sensed = unstack("action", action), unstack("proprio", proprio)
    changes, rests = np.zeros(steps, bool), np.ones(steps, bool)
    for side in SIDES:
        target, gripper = asked[f"{side}_gripper"][:, :3], sensed[f"{side}_gripper"][:, :3]
        moves, closing = asked[f"{side}_moves"][:, 0] > 0.5, asked[f"{side}_closing"][:, 0]
        changes[1:] |= np.linalg.norm(np.diff(target, axis=0), axis=1) > ELSEWHERE
        for name in ("moves", "closing", "grasp"):
            changes[1:] |= np.abs(np.diff(asked[f"{side}_{name}"], axis=0)).max(axis=1) > 0.1
        rests &= ~moves | (np.linalg.norm(target - gripper, axis=1) < ARRIVED)
        rests &= np.abs(sensed[f"{side}_hand_joint_velocity"]).max(axis=1) < STILL
        rests &= closing < WAITS
    rows, following = np.arange(steps), -1
    done = np.zeros(steps, bool)
    for t in range(steps - 1, -1, -1):
        if rests[t]:
            rows[t], done[t] = (following, False) if following >= 0 else (t, True)
        if changes[t]:
            following = t
    return rows, done


def lesson(
    action: np.ndarray,
    progress: np.ndarray | None,
    rows: np.ndarray,
    done: np.ndarray,
    now: int,
    horizon: int,
) -> tuple[np.ndarray, np.ndarray]:
    """What step ``now`` teaches: ``horizon`` actions, and the progress after each; NaN: unknown."""
    at = np.minimum(rows[now] + np.arange(horizon), len(action) - 1)
    after = np.minimum(at + 1, len(action) - 1)
    far = np.full(horizon, np.nan) if progress is None else np.where(done[after], 1.0, progress[after])
    return action[at], far
