"""``parameters.yaml`` in the forms the parts of the controller take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from neo_body_control.collisions import CollisionLimits
from neo_body_control.estimator import EstimatorGains
from neo_body_control.safety import SafetyLimits
from neo_body_control.stance import Bending
from neo_body_control.tasks import Gain
from neo_body_control.validation import CommandLimits
from neo_body_control.wbc import WbcLimits
from neo_description import parameters
from neo_description.tables import BODY

PARAMETERS = Path(__file__).with_name("parameters.yaml")
CALM_WEIGHT, CALM_REACH = 20.0, 1.0  # of the pelvis' orientation while it comes to rest; rad that count


def load_parameters(**overrides: object) -> SimpleNamespace:
    """The room's parameters, without ROS."""
    return parameters.load(PARAMETERS, **overrides)


def estimator_gains(p: SimpleNamespace) -> EstimatorGains:
    """For :class:`BaseEstimator`."""
    return EstimatorGains(
        leg=p.leg_gain,
        gravity=p.gravity_gain,
        bias=p.bias_gain,
        position=p.position_bandwidth,
        on=p.contact_on,
        off=p.contact_off,
        margin=p.flat_margin,
        slip=p.slip_distance,
        twist=p.slip_angle,
    )


def safety_limits(p: SimpleNamespace) -> SafetyLimits:
    """For :class:`SafetyMachine`."""
    return SafetyLimits(
        tilt=p.tilt_limit,
        tilt_stepping=p.walk_tilt_limit,
        height=p.height_limit,
        gap=p.tick_gap,
        ramp=p.ramp_time,
        drive_grace=p.drive_grace,
    )


def bending(p: SimpleNamespace) -> Bending:
    """How the body bends for low hands."""
    return Bending(p.stand_height, p.bend_height, p.bend_lean, p.bend_bow, p.bend_arm)


def command_limits(p: SimpleNamespace) -> CommandLimits:
    """For :mod:`validation`."""
    return CommandLimits(
        reach=p.reach,
        bend=bending(p).drop,
        height=(p.lowest_height, p.highest_height),
        hand_speed=p.hand_speed_max,
        press=p.press_max,
        age=p.command_age,
        ahead=p.command_ahead,
        valid_for=p.valid_for_max,
        velocity=(p.walk_forward, p.walk_sideways, p.walk_turn) if p.walking else None,
    )


def wbc_limits(p: SimpleNamespace) -> WbcLimits:
    """For :class:`WholeBodyQp`."""
    return WbcLimits(
        friction=p.friction,
        sole_margin=p.sole_margin,
        force_weight=p.force_weight,
        horizon=p.limit_horizon,
        acceleration=p.joint_acceleration,
        effort_share=p.effort_share,
    )


def collision_limits(p: SimpleNamespace) -> CollisionLimits:
    """For :class:`SelfCollisions`."""
    return CollisionLimits(
        keep=p.apart_keep, near=p.apart_near, settle=p.apart_settle, horizon=p.apart_horizon
    )


@dataclass(frozen=True)
class TaskGains:
    """The gains of every task, and which joints the posture pulls how much."""

    com: Gain
    height: Gain
    orientation: Gain
    gaze: Gain
    hand: Gain
    hand_turn: Gain
    press_turn: Gain
    walk_height: Gain
    walk_orientation: Gain
    posture: Gain
    path: Gain
    posture_weight: np.ndarray
    walk_posture_weight: np.ndarray
    busy_arm: float
    arm: float

    def walk_upright(self, calm: float) -> Gain:
        """Of the pelvis' orientation under way; with ``calm`` 0..1 while it comes to rest, when tilts count
        for more the longer it takes: small springs would leave it hanging in the friction of its tendons."""
        gain = self.walk_orientation
        if calm == 0.0:
            return gain
        reach = gain.reach + calm * (CALM_REACH - gain.reach)
        return replace(gain, weight=np.maximum(gain.weight, CALM_WEIGHT), reach=reach)

    @classmethod
    def of(cls, p: SimpleNamespace) -> TaskGains:
        """From the parameters; errors that count: 5 cm, 0.3 rad, a hand 10 cm and 0.6 rad."""

        def gain(name: str, reach: float) -> Gain:
            row = vars(p)
            return Gain.damped(row[f"{name}_weight"], row[f"{name}_kp"], row[f"{name}_damping"], reach)

        upright = np.array([p.walk_roll_weight, p.walk_pitch_weight, p.walk_yaw_weight])
        parts = {name: vars(p)[f"posture_weight_{name}"] for name in ("legs", "torso", "neck", "arm")}
        walking = parts | {"torso": p.walk_posture_weight_torso, "arm": p.walk_posture_weight_arm}
        return cls(
            com=gain("com", 0.05),
            height=gain("height", 0.05),
            orientation=gain("orientation", 0.3),
            gaze=gain("gaze", 0.6),
            hand=gain("hand", 0.1),
            hand_turn=gain("hand_turn", 0.6),
            press_turn=Gain.damped(p.hand_turn_weight, p.press_turn_kp, p.hand_turn_damping, 0.6),
            walk_height=replace(gain("height", 0.05), weight=p.walk_height_weight),
            walk_orientation=replace(gain("orientation", 0.3), weight=upright),
            posture=Gain.damped(1.0, p.posture_kp, p.posture_damping, 0.5),
            path=Gain.damped(p.path_weight, p.path_kp, 1.0, 0.5),
            posture_weight=_by_joint(parts),
            walk_posture_weight=_by_joint(walking),
            busy_arm=p.posture_weight_busy_arm,
            arm=p.posture_weight_arm,
        )


def _by_joint(weights: dict[str, float]) -> np.ndarray:
    """(31,) of ``weights`` of legs, torso, neck and arm."""

    def part(joint: str) -> str:
        first = joint.split("_")[0]
        if first in weights:
            return first
        return "legs" if any(word in joint for word in ("hip", "knee", "ankle")) else "arm"

    return np.array([weights[part(joint)] for joint in BODY.joints])
