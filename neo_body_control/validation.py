"""Which commands are refused, and with which words. Nothing changes when a command is refused.

All checks run before any limiter, on the command as it came: a target that is not a number, far outside
the workspace, too fast or from another time is a fault of its sender, and shaving it down would hide it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neo_description.signals import WholeBodyCommand
from neo_description.tables import SIDES

FRAMES = ("odom", "base_link")
SIDE_NAMES = {"l": "left", "r": "right"}


@dataclass(frozen=True)
class CommandLimits:
    """``reach`` m from the shoulder, which comes down by up to ``bend`` m; ``height`` (low, high) m;
    ``press`` N of a hand; ``hand_speed``, ``age``, ``ahead``, ``valid_for``: upper bounds (m/s, s);
    ``velocity``: fastest forward, sideways (m/s) and turn (rad/s), or ``None``: the robot does not walk."""

    reach: float
    bend: float
    height: tuple[float, float]
    hand_speed: float
    press: float
    age: float
    ahead: float
    valid_for: float
    gaze_distance: float = 20.0
    velocity: tuple[float, float, float] | None = None


def check_shape(command: WholeBodyCommand) -> str | None:
    """Faults that can be told from the command alone: lengths, numbers, rotations, names."""
    if command.frame not in FRAMES:
        return f"unknown frame {command.frame!r}; one of {', '.join(FRAMES)}"
    for side in command.release:
        if side not in SIDES:
            return f"release of unknown hand {side!r}; one of {', '.join(SIDES)}"
    for name in ("start", "valid_for", "hand_speed"):
        if not np.isfinite(getattr(command, name)):
            return f"{name} is {getattr(command, name)}; a finite number needed"
    for side, T in (("l", command.T_l_hand), ("r", command.T_r_hand)):
        if T is not None and (problem := _pose_problem(T)):
            return f"{SIDE_NAMES[side]} hand: {problem}"
        if T is not None and side in command.release:
            return f"{SIDE_NAMES[side]} hand is given a target and released at once"
    for side, T, press in _presses(command):
        if press is not None and T is None:
            return f"{SIDE_NAMES[side]} hand: shall press, but has no target"
        if press is not None and (problem := _vector_problem(press)):
            return f"{SIDE_NAMES[side]} hand: press: {problem}"
    if command.gaze is not None and (problem := _vector_problem(command.gaze)):
        return f"gaze: {problem}"
    if command.base_height is not None and not np.isfinite(command.base_height):
        return f"base_height is {command.base_height}; a finite number needed"
    if command.base_velocity is not None and (problem := _vector_problem(command.base_velocity)):
        return f"base_velocity: {problem}"
    return None


def check_start(start: float, time: float, age: float, ahead: float) -> str | None:
    """Why ``start`` (s) is no start at plant ``time``: more than ``age`` s back or ``ahead`` s ahead."""
    if start - time > ahead:
        return f"start lies {start - time:.3f} s ahead; at most {ahead:g} s allowed"
    if time - start > age:
        return f"start lies {time - start:.3f} s back; at most {age:g} s allowed"
    return None


def check_limits(
    command: WholeBodyCommand,
    time: float,
    limits: CommandLimits,
    T_odom_frame: np.ndarray,
    shoulders: dict[str, np.ndarray],
) -> str | None:
    """Faults that depend on now: plant ``time`` s, ``T_odom_frame`` (4, 4) of the command's frame, and
    the ``shoulders`` (3,) m in odom by side. The command has passed :func:`check_shape`."""
    if command.valid_for <= 0.0 or command.valid_for > limits.valid_for:
        return f"valid_for is {command.valid_for:g} s; more than 0 and at most {limits.valid_for:g} s allowed"
    if command.start != 0.0:
        if problem := check_start(command.start, time, limits.age, limits.ahead):
            return problem
        back = time - command.start
        if back >= command.valid_for:
            return f"command has expired: valid for {command.valid_for:g} s from {back:.3f} s ago"
    if not 0.0 <= command.hand_speed <= limits.hand_speed:
        return f"hand_speed is {command.hand_speed:g} m/s; 0 (default) to {limits.hand_speed:g} m/s allowed"
    for side, T in (("l", command.T_l_hand), ("r", command.T_r_hand)):
        if T is None:
            continue
        p = T_odom_frame[:3, :3] @ T[:3, 3] + T_odom_frame[:3, 3]
        away = p - shoulders[side]
        away[2] += min(max(-float(away[2]), 0.0), limits.bend)  # for what is low the body bends
        distance = float(np.linalg.norm(away))
        if distance > limits.reach:
            return (
                f"{SIDE_NAMES[side]} hand: target is {distance:.2f} m from the shoulder;"
                f" at most {limits.reach:g} m allowed"
            )
    for side, _, press in _presses(command):
        if press is not None and (size := float(np.linalg.norm(press))) > limits.press:
            return (
                f"{SIDE_NAMES[side]} hand: asked to press with {size:.1f} N;"
                f" at most {limits.press:g} N allowed"
            )
    if command.gaze is not None and (d := float(np.linalg.norm(command.gaze))) > limits.gaze_distance:
        return f"gaze: point is {d:.1f} m away; at most {limits.gaze_distance:g} m allowed"
    low, high = limits.height
    if command.base_height is not None and not low <= command.base_height <= high:
        return f"base_height is {command.base_height:g} m; {low:g} to {high:g} m allowed"
    return (
        None if command.base_velocity is None else _velocity_problem(command.base_velocity, limits.velocity)
    )


def _presses(
    command: WholeBodyCommand,
) -> tuple[tuple[str, np.ndarray | None, np.ndarray | None], ...]:
    """Side, target and press of both hands."""
    return ("l", command.T_l_hand, command.l_hand_press), ("r", command.T_r_hand, command.r_hand_press)


def _velocity_problem(v: np.ndarray, most: tuple[float, float, float] | None) -> str | None:
    """Why the robot does not walk at ``v`` (3,)."""
    if most is None:
        return (
            "base_velocity is not zero; the robot does not walk (parameter walking is false)"
            if np.any(v != 0.0)
            else None
        )
    for name, unit, x, bound in zip(
        ("forward", "sideways", "turn"), ("m/s", "m/s", "rad/s"), v, most, strict=True
    ):
        if abs(x) > bound:
            return f"base_velocity: {name} is {x:g} {unit}; at most {bound:g} {unit} allowed"
    return None


def _vector_problem(v: np.ndarray) -> str | None:
    v = np.asarray(v)
    if v.shape != (3,):
        return f"shape {v.shape} given; (3,) needed"
    return None if np.isfinite(v).all() else f"{v.tolist()} is not finite"


def _pose_problem(T: np.ndarray) -> str | None:
    T = np.asarray(T)
    if T.shape != (4, 4):
        return f"shape {T.shape} given; a pose is (4, 4)"
    if not np.isfinite(T).all():
        return "pose is not finite"
    R = T[:3, :3]
    if np.abs(R.T @ R - np.eye(3)).max() > 1e-3 or np.linalg.det(R) < 0.0:
        return "no rotation: not orthonormal with determinant 1 (a quaternion of length 1 gives one)"
    if np.abs(T[3] - (0.0, 0.0, 0.0, 1.0)).max() > 1e-9:
        return f"last row is {T[3].tolist()}; 0, 0, 0, 1 needed"
    return None
