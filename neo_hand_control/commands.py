"""Which hand commands are accepted: every check stands here and runs before anything changes."""

from __future__ import annotations

import numpy as np

from neo_description.signals import HandAction, HandCommand
from neo_description.tables import HAND
from neo_hand_control.grasps import grasps

WIDTH_MAX = 0.15  # m
JOINT_TOLERANCE = 1e-3  # rad
FUTURE_MAX = 10.0  # s
AGE_MAX = 1.0  # s: oldest start of a command that is accepted, as of the body's


def refusal(command: HandCommand, now: float, runstop: bool) -> str | None:
    """``None`` when ``command`` may act at plant time ``now`` (s), else why not."""
    try:
        action = HandAction(command.action)
    except ValueError:
        allowed = ", ".join(f"{a.value} ({a.name})" for a in HandAction)
        return f"unknown action {command.action}; one of {allowed}"
    for name in ("width", "grip_force", "grip_limit", "start", "valid_for"):
        value = getattr(command, name)
        if not np.isfinite(value) or value < 0.0:
            return f"{name} is {value}; a finite number of at least 0 needed"
    if runstop:
        return "the stop button is latched"
    if command.start > now + FUTURE_MAX:
        return f"starts {command.start - now:.1f} s from now; at most {FUTURE_MAX} s"
    if command.start > 0.0 and now - command.start > AGE_MAX:
        return f"stale: starts {now - command.start:.2f} s ago; at most {AGE_MAX:g} s"
    if command.start > 0.0 and command.valid_for > 0.0 and command.start + command.valid_for < now:
        return f"stale: its validity ended {now - command.start - command.valid_for:.2f} s ago"
    if action in (HandAction.PRESHAPE, HandAction.CLOSE):
        return _grasp_refusal(command)
    if action == HandAction.JOINTS:
        return _joints_refusal(command)
    return None


def _grasp_refusal(command: HandCommand) -> str | None:
    table = grasps()
    if command.grasp not in table:
        return f"unknown grasp {command.grasp!r}; one of {', '.join(table)}"
    if command.width > WIDTH_MAX:
        return f"width is {command.width} m; at most {WIDTH_MAX} m (0: unknown)"
    least, most = table[command.grasp].least, table[command.grasp].most
    if command.grip_force > most:
        return f"grip_force is {command.grip_force} N; {command.grasp} allows at most {most} N (0: automatic)"
    if 0.0 < command.grip_limit < least:
        return f"grip_limit is {command.grip_limit} N; {command.grasp} needs at least {least} N (0: none)"
    if 0.0 < command.grip_limit < command.grip_force:
        return f"grip_force is {command.grip_force} N, above the grip_limit of {command.grip_limit} N"
    return None


def _joints_refusal(command: HandCommand) -> str | None:
    if command.joint_position is None:
        return f"0 joint positions given; {len(HAND.joints)} needed"
    low, high = HAND.q_min - JOINT_TOLERANCE, HAND.q_max + JOINT_TOLERANCE
    one = np.ones(len(HAND.joints))
    for name, unit, value, least, most in (
        ("joint_position", "rad", command.joint_position, low, high),
        ("joint_effort", "N m", command.joint_effort, -HAND.effort, HAND.effort),
        ("compliance", "of 1", command.compliance, 0.0 * one, one),
    ):
        reason = None if value is None else _outside(name, unit, value, least, most)
        if reason is not None:
            return reason
    return None


def _outside(name: str, unit: str, value: np.ndarray, least: np.ndarray, most: np.ndarray) -> str | None:
    n = len(HAND.joints)
    if np.shape(value) != (n,):
        return f"{np.size(value)} {name.replace('_', ' ')}s given; {n} needed"
    value = np.asarray(value, float)
    finite = np.isfinite(value)
    if not finite.all():
        i = int(np.argmin(finite))
        return f"{name} of {HAND.joints[i]} is {value[i]}; a finite number needed"
    outside = (value < least) | (value > most)
    if outside.any():
        i = int(np.argmax(outside))
        return (
            f"{name} of {HAND.joints[i]} is {value[i]:.3g} {unit}; "
            f"from {least[i]:.3g} to {most[i]:.3g} allowed"
        )
    return None
